"""What heketi does to its database when it opens it, as far as it concerns the books in heketi's form (§4.2)."""

from heketipy.db.database import Tx
from heketipy.db.heketi_records import HeketiRecord
from heketipy.domain.operation import Status
from heketipy.services.interchange import entries
from heketipy.services.interchange.attributes import ATTRIBUTES_FACT, refuse_unknown
from heketipy.services.interchange.sections import GENERATION_FACT, attributes_of


def open_books(tx: Tx, generation: str) -> None:
    """Give new books an id, which heketi calls their generation: `generation`. Bring books that were taken over from an
    older heketi to what its last version makes of them. Raises StorageFailure for those of a newer one."""
    if tx.meta.get(GENERATION_FACT) is None:
        tx.meta.set(GENERATION_FACT, generation)
    attributes = {name: entry["Value"] for name, entry in attributes_of(tx).items()}
    refuse_unknown(attributes)
    _mark_stale(tx)
    if tx.meta.get(ATTRIBUTES_FACT) is None:
        return
    if attributes.get(entries.FLAGS) != "yes":
        for cluster in tx.clusters.all():
            tx.clusters.set_flags(cluster.id, file=True, block=True)
    _link_bricks(tx)
    tx.meta.remove(ATTRIBUTES_FACT)


def _mark_stale(tx: Tx) -> None:
    """Nobody works on the operations of heketi that none of ours stands for."""
    kept = tx.heketi_records.of(entries.PENDING)
    stale = {
        id: HeketiRecord({**record.entry, "Status": Status.STALE.value}, None)
        for id, record in kept.items()
        if record.ours is None and record.entry["Status"] != Status.STALE
    }
    tx.heketi_records.remove(entries.PENDING, stale)
    tx.heketi_records.add(entries.PENDING, stale)


def _link_bricks(tx: Tx) -> None:
    """Let bricks whose records did not name their volume be shown with it: our tables know it from the volume."""
    unlinked = tx.heketi_records.of(entries.BRICKS)
    ids = [id for id, record in unlinked.items() if record.ours is not None and not record.entry["Info"]["volume"]]
    tx.heketi_records.remove(entries.BRICKS, ids)
