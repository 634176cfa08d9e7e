"""The whole site in one look: clusters with their volumes, nodes, devices and bricks, all of one moment."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from heketipy.db.database import Database, Tx
from heketipy.domain.details import ClusterContents
from heketipy.services.interchange.pace import paced

R = TypeVar("R")


class Topology:
    """Use cases about the whole site."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def through(self, write: Callable[[Iterator[ClusterContents]], R]) -> R:
        """Have all clusters, ascending by id, written by a function that is called on another thread. It
        has to use up all of them before it returns."""
        return await self._db.read(lambda tx: write(_paced(tx)))


def _paced(tx: Tx) -> Iterator[ClusterContents]:
    for found in tx.details.site():
        yield ClusterContents(found.cluster, volumes=paced(found.volumes), nodes=paced(found.nodes))
