"""What is written down about work in progress: operations, the jobs that clients poll, and debts of absent nodes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Json = Mapping[str, Any]


class Status(StrEnum):
    """Where an operation stands. The values are heketi's, but for `new`, which it writes as an empty text."""

    NEW = "new"
    """Waiting, or being worked on."""
    STALE = "stale"
    """The server that worked on it is gone; it is being taken back or finished."""
    FAILED = "failed"
    """A node answered and refused to take it back or to finish it: retried, and visible with its reason."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One piece of work, decided whole at reservation.

    `plan` and `journal` are JSON objects: what was decided, and what only a node could tell. `pivoted` is written
    before the first step after which there is no way back. `created` is in seconds since 1970. `epoch` is that of the
    server which works on it.
    """

    id: str
    kind: str
    created: float
    epoch: int
    plan: Json
    journal: Json = field(default_factory=dict)
    status: Status = Status.NEW
    pivoted: bool = False
    attempt: int = 1
    error: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """What a client polls at `/queue/<id>`. Ended jobs have `ended` set, and an error, a result path, or neither."""

    id: str
    operation: str
    created: float
    ended: float | None = None
    result: str = ""
    error: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Debt:
    """A node's share of an undo or a delete that could not be done, since the node did not answer.

    `work` says what is to be removed there; `charges` is the space (KiB by device id) that stays taken until then.
    """

    id: str
    node: str
    operation: str
    created: float
    work: Json
    charges: Mapping[str, int] = field(default_factory=dict)
    attempts: int = 0
    error: str = ""
