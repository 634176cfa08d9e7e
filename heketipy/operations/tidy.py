"""Tidy nodes up: what is left of bricks that nobody knows goes into quarantine, comes out again, or goes for good.

Whatever becomes of it in the middle, it is still something that nobody knows, and is found again. So there is nothing
to take back; a node that refuses or does not answer keeps what it has, and the job tells.
"""

from collections.abc import Mapping, Sequence

from heketipy.db.database import Tx
from heketipy.domain.comparison import Leftover
from heketipy.domain.errors import Conflict, NodeFailure
from heketipy.domain.inventory import ids_in
from heketipy.domain.model import NodeAddress
from heketipy.domain.plans import Tidying, TidyNodes
from heketipy.executors.transport import Superseded
from heketipy.operations.context import Context
from heketipy.operations.kind import Kind, Outcome
from heketipy.operations.saga import Step, all_of

NAME = "tidy-nodes"

_DUE = "quarantine"
SHOWN = 5
"""So many failures are told; more are counted."""


def steps(plan: TidyNodes, context: Context) -> Sequence[Step]:
    """The one step, from which there is only the way forward."""

    async def tidy() -> None:
        results = await all_of(_tidy(plan, node, context) for node in plan.nodes)
        failures: dict[str, str] = {}
        for node, result in zip(plan.nodes, results, strict=True):
            match result:
                case Superseded():
                    raise result
                case NodeFailure():
                    failures[node.manage] = str(result).strip()
                case Exception():
                    raise result
                case _:
                    failures |= {f"{node.manage} {name}": why for name, why in result.items()}
        await context.note(failures=failures)

    async def begun() -> bool:
        return True

    return [Step("tidy", tidy, pivot=begun)]


async def _tidy(plan: TidyNodes, node: NodeAddress, context: Context) -> Mapping[str, str]:
    mine = [leftover for leftover in plan.leftovers if leftover.node == node.id]
    match plan.tidying:
        case Tidying.RELEASE:
            return await context.nodes.release_quarantined(node, mine, fence=context.fence)
        case Tidying.REMOVE:
            return await context.nodes.remove_quarantined(node, mine, now=plan.since, fence=context.fence)
    volumes = await context.nodes.volumes(node)
    referred = ids_in(brick for volume in volumes for brick in volume.bricks)
    kept = {one.point: "a gluster volume refers to it" for one in mine if one.brick in referred}
    free = [one for one in mine if one.brick not in referred]
    failures = await context.nodes.quarantine(node, free, since=plan.since, until=plan.until, fence=context.fence)
    return {**kept, **failures}


def refuse_known(tx: Tx, leftovers: Sequence[Leftover]) -> None:
    """Raise Conflict for what the books know after all, or operations and debts are about. Ids are never used again:
    what nobody knows now, nobody will know."""
    at_work = ids_at_work(tx)
    for leftover in leftovers:
        pool = leftover.lv.rpartition("_")[2]
        known = tx.bricks.find(leftover.brick) is not None or tx.bricks.on_pool(leftover.device, f"tp_{pool}")
        if known or leftover.brick in at_work:
            raise Conflict(f"brick {leftover.brick} is known, or being worked on; look at the drift again")


def ids_at_work(tx: Tx) -> frozenset[str]:
    """Return all ids that pending operations (but those that tidy up) and debts mention."""
    operations = [one for one in tx.operations.all() if one.kind != NAME]
    return ids_in(
        [
            *(str(work) for one in operations for work in (one.plan, one.journal)),
            *(str(debt.work) for debt in tx.debts.all()),
        ]
    )


def due(tx: Tx) -> dict[str, int]:
    """Return from when on nodes (by id) are to be looked at for what has been in quarantine long enough."""
    facts = ((key.partition(" "), time) for key, time in tx.meta.all().items())
    return {node: int(time) for (word, _, node), time in facts if word == _DUE}


def set_due(tx: Tx, node: str, time: int | None) -> None:
    """Write down from when on a node is to be looked at; None for never."""
    if time is None:
        tx.meta.remove(f"{_DUE} {node}")
    else:
        tx.meta.set(f"{_DUE} {node}", str(time))


def publish(tx: Tx, plan: TidyNodes, context: Context) -> Outcome:
    """Write down when it is to be looked after again, and tell what was not done."""
    if plan.tidying is Tidying.QUARANTINE:
        known = due(tx)
        for node in plan.nodes:
            set_due(tx, node.id, min(plan.until, known.get(node.id, plan.until)))
    failures = context.journal.get("failures", {})
    if not failures:
        return Outcome()
    texts = [f"{where}: {why}" for where, why in sorted(failures.items())]
    more = [f"and {len(texts) - SHOWN} more"] if len(texts) > SHOWN else []
    return Outcome(error="; ".join(["Not everything could be tidied up", *texts[:SHOWN], *more]))


def release(tx: Tx, plan: TidyNodes, context: Context) -> None:
    """Nothing in the books was changed."""


KIND = Kind(name=NAME, plan=TidyNodes, steps=steps, publish=publish, release=release)
