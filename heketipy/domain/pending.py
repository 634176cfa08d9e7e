"""Pending operations as heketi records them: a type, and the list of what is changed (operations §2).

The numbers are those of its databases; records that were made by a newer heketi may have others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class RecordType(IntEnum):
    """Types of operations."""

    UNKNOWN = 0
    CREATE_VOLUME = 1
    DELETE_VOLUME = 2
    EXPAND_VOLUME = 3
    CREATE_BLOCK_VOLUME = 4
    DELETE_BLOCK_VOLUME = 5
    REMOVE_DEVICE = 6
    CLONE_VOLUME = 7
    EVICT_BRICK = 8
    EXPAND_BLOCK_VOLUME = 9


class Change(IntEnum):
    """Kinds of changes. What each one names by its id is said behind it."""

    UNKNOWN = 0
    ADD_BRICK = 1
    ADD_VOLUME = 2
    DELETE_BRICK = 3
    DELETE_VOLUME = 4
    EXPAND_VOLUME = 5
    """A volume; the delta is what is added, in GiB."""
    ADD_BLOCK_VOLUME = 6
    DELETE_BLOCK_VOLUME = 7
    REMOVE_DEVICE = 8
    CLONE_VOLUME = 9
    """The volume that is copied."""
    SNAPSHOT_VOLUME = 10
    ADD_VOLUME_CLONE = 11
    """The volume that is the copy."""
    CHILD_OPERATION = 12
    """Another operation, which this one is waiting for."""
    PARENT_OPERATION = 13
    """Another operation, which this one is a part of."""
    EXPAND_BLOCK_VOLUME = 14
    """A block volume; the delta is its new size, in GiB."""


TYPE_NAMES: Final = {type: type.name.lower().replace("_", "-") for type in RecordType}
"""How clients see a type."""

DESCRIPTIONS: Final = {
    Change.UNKNOWN: "Unknown",
    Change.ADD_BRICK: "Add brick",
    Change.ADD_VOLUME: "Add volume",
    Change.DELETE_BRICK: "Delete brick",
    Change.DELETE_VOLUME: "Delete volume",
    Change.EXPAND_VOLUME: "Expand volume",
    Change.ADD_BLOCK_VOLUME: "Add block volume",
    Change.DELETE_BLOCK_VOLUME: "Delete block volume",
    Change.REMOVE_DEVICE: "Remove device",
    Change.CLONE_VOLUME: "Clone volume from",
    Change.SNAPSHOT_VOLUME: "Snapshot volume",
    Change.ADD_VOLUME_CLONE: "Expand volume to",
    Change.CHILD_OPERATION: "Performing child operation",
    Change.PARENT_OPERATION: "Belongs to parent operation",
    Change.EXPAND_BLOCK_VOLUME: "Expand block volume",
}
"""How clients see a change; one of them is heketi's mistake, which clients know."""


@dataclass(frozen=True, slots=True)
class Action:
    """One change of an operation, and the id of what is changed."""

    change: int
    id: str
    delta: int | None = None


@dataclass(frozen=True, slots=True)
class PendingRecord:
    """A pending operation in heketi's form. `created` is in seconds since 1970.

    `status` is empty while it is new, else `stale`, `failed`, or what an imported database says. `at_work`: this
    server is working on it now. Of one that is stuck, `reason` says why, and `next_try` from when on it is tried again,
    in seconds since 1970; None where nobody will try.
    """

    id: str
    created: int
    type: int
    actions: tuple[Action, ...]
    status: str
    at_work: bool = False
    reason: str = ""
    next_try: float | None = None

    @property
    def type_name(self) -> str:
        """The type as clients see it."""
        return next((name for type, name in TYPE_NAMES.items() if type == self.type), TYPE_NAMES[RecordType.UNKNOWN])


@dataclass(frozen=True, slots=True)
class UnrecordedOperation:
    """A pending operation of a kind that heketi has no record of. Members as in a PendingRecord."""

    id: str
    kind: str
    status: str
    at_work: bool
    reason: str
    next_try: float | None


@dataclass(frozen=True, slots=True)
class OpenDebt:
    """What a node still owes, as people see it: bricks (ids) that it has to give up, with the space that is charged
    until then, or a host that it has to throw out of the trusted pool. `host` is its manage name. `next_try` is None
    while the node is known not to answer: it is tried when the node does."""

    id: str
    node: str
    host: str
    operation: str
    created: float
    bricks: tuple[str, ...]
    detach: str
    charged_kib: int
    attempts: int
    reason: str
    next_try: float | None


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Everything that is not settled yet."""

    records: Sequence[PendingRecord]
    unrecorded: Sequence[UnrecordedOperation]
    debts: Sequence[OpenDebt]


@dataclass(frozen=True, slots=True)
class PendingCounts:
    """How many operations are pending. `in_flight` are those being worked on; they are among the others. `debts` counts
    what nodes owe."""

    total: int
    in_flight: int
    stale: int
    failed: int
    new: int
    debts: int = 0


def description(change: int) -> str:
    """Return a change as clients see it."""
    return next((text for known, text in DESCRIPTIONS.items() if known == change), DESCRIPTIONS[Change.UNKNOWN])
