"""Our operations as heketi records them. Kinds for which heketi has no record (adding nodes and devices, resync …) are
not shown to clients as pending operations: they have no place in its numbers.

The plans are read as the JSON that they are in the books: a list of a thousand operations must not cost a second.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from heketipy.domain.operation import Json, Operation, Status
from heketipy.domain.pending import Action, Change, PendingRecord, RecordType
from heketipy.operations import (
    block_volume_create,
    block_volume_delete,
    block_volume_expand,
    brick_evict,
    evacuation,
    volume_clone,
    volume_create,
    volume_delete,
    volume_expand,
)

_Actions = Iterator[Action]


def _bricks(change: Change, bricks: Iterable[Mapping[str, Any]]) -> _Actions:
    return (Action(change, brick["id"]) for brick in bricks)


def _volume_create(plan: Json) -> _Actions:
    yield from _bricks(Change.ADD_BRICK, plan["bricks"])
    yield Action(Change.ADD_VOLUME, plan["volume"]["id"])


def _volume_delete(plan: Json) -> _Actions:
    yield from _bricks(Change.DELETE_BRICK, plan["bricks"])
    yield Action(Change.DELETE_VOLUME, plan["volume"]["id"])


def _volume_expand(plan: Json) -> _Actions:
    yield from _bricks(Change.ADD_BRICK, plan["bricks"])
    yield Action(Change.EXPAND_VOLUME, plan["volume"]["id"], delta=plan["added_gib"])


def _brick_evict(plan: Json) -> _Actions:
    yield Action(Change.DELETE_BRICK, plan["brick"]["id"])
    if "replacement" in plan["journal"]:
        yield Action(Change.ADD_BRICK, plan["journal"]["replacement"]["id"])
    if plan["parent"]:
        yield Action(Change.PARENT_OPERATION, plan["parent"])


def _evacuation(plan: Json) -> _Actions:
    child = plan["journal"].get("child", {})
    yield Action(Change.REMOVE_DEVICE, child.get("device", plan["devices"][0]))
    if child:
        yield Action(Change.CHILD_OPERATION, child["operation"])


def _block_volume_create(plan: Json) -> _Actions:
    if plan["made"]:
        yield from _volume_create(plan["made"])
    yield Action(Change.ADD_BLOCK_VOLUME, plan["block_volume"]["id"])


def _block_volume_delete(plan: Json) -> _Actions:
    yield Action(Change.DELETE_BLOCK_VOLUME, plan["id"])


def _block_volume_expand(plan: Json) -> _Actions:
    yield Action(Change.EXPAND_BLOCK_VOLUME, plan["id"], delta=plan["new_gib"])


def _volume_clone(plan: Json) -> _Actions:
    yield Action(Change.CLONE_VOLUME, plan["source"]["id"])
    yield Action(Change.ADD_VOLUME_CLONE, plan["clone"]["id"])
    yield from _bricks(Change.ADD_BRICK, plan["bricks"])


RECORDED: Final[Mapping[str, tuple[RecordType, Callable[[Json], _Actions]]]] = {
    volume_create.NAME: (RecordType.CREATE_VOLUME, _volume_create),
    volume_delete.NAME: (RecordType.DELETE_VOLUME, _volume_delete),
    volume_expand.NAME: (RecordType.EXPAND_VOLUME, _volume_expand),
    block_volume_create.NAME: (RecordType.CREATE_BLOCK_VOLUME, _block_volume_create),
    block_volume_delete.NAME: (RecordType.DELETE_BLOCK_VOLUME, _block_volume_delete),
    block_volume_expand.NAME: (RecordType.EXPAND_BLOCK_VOLUME, _block_volume_expand),
    volume_clone.NAME: (RecordType.CLONE_VOLUME, _volume_clone),
    brick_evict.NAME: (RecordType.EVICT_BRICK, _brick_evict),
    evacuation.OF_DEVICE: (RecordType.REMOVE_DEVICE, _evacuation),
    evacuation.OF_NODE: (RecordType.REMOVE_DEVICE, _evacuation),
}
"""Kinds that heketi has a record for: its type, and what the plan (and what was found out since: its member `journal`)
changes, in heketi's order."""


def shown(status: Status) -> str:
    """Return a status as clients see it."""
    return "" if status is Status.NEW else status.value


def record(operation: Operation, *, at_work: bool = False, next_try: float | None = None) -> PendingRecord | None:
    """Return the record of an operation; None for a kind that heketi has none for. `next_try` as in PendingRecord."""
    known = RECORDED.get(operation.kind)
    if known is None:
        return None
    type, actions = known
    return PendingRecord(
        id=operation.id,
        created=int(operation.created),
        type=type,
        actions=tuple(actions({**operation.plan, "journal": operation.journal})),
        status=shown(operation.status),
        at_work=at_work,
        reason=operation.error,
        next_try=next_try,
    )
