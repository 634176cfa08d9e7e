"""What heketi does to its database when it opens it, as far as it concerns the books in heketi's form."""

from heketipy.db.database import Tx
from heketipy.services.interchange.sections import GENERATION_FACT


def open_books(tx: Tx, generation: str) -> None:
    """Give new books an id, which heketi calls their generation: `generation`, if they have none."""
    if tx.meta.get(GENERATION_FACT) is None:
        tx.meta.set(GENERATION_FACT, generation)
