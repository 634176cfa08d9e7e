"""Space of thin pools: a device is charged once for a pool, and gets the charge back when nobody is left in the pool.

Bricks of a volume and of its clones share pools. Whether the last one has gone, both have to say: the node, where
snapshots may live that the books do not know; and the books, by which two operations that finish at the same time do
not both give the same space back.
"""

from collections.abc import Mapping
from typing import Any

from heketipy.db.database import Tx
from heketipy.domain.names import thin_pool
from heketipy.operations.context import BricksOwed


def shared(tx: Tx, *, node: str, device: str, pool: str) -> bool:
    """Tell whether a brick in the books, or one that the node still owes, lives in a pool."""
    if tx.bricks.on_pool(device, pool):
        return True
    return any(
        brick["device"] == device and (brick["thin_pool"] or thin_pool(brick["id"])) == pool
        for debt in tx.debts.of_node(node)
        for brick in owed_bricks(debt.work)
    )


def free(tx: Tx, *, node: str, device: str, pool: str, kib: int) -> None:
    """Give back the charge of a pool that is gone from its node, unless the books know who else will."""
    if not shared(tx, node=node, device=device, pool=pool):
        tx.devices.give(device, kib)


def owed_bricks(work: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the bricks that a debt is about, as the books have them."""
    return list(work[BricksOwed.NAME]["bricks"]) if BricksOwed.NAME in work else []
