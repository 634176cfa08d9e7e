"""Why there was no room, for a person: made after a refusal, outside the writer, and not anew for each repetition."""

import asyncio
import time
from collections.abc import Callable, Hashable
from typing import TypeVar

from heketipy.db.database import Database, Tx
from heketipy.domain.model import VolumeSpec
from heketipy.domain.placement import ClusterView, PlacementRequest, explain_refusal
from heketipy.operations.reservation import Reservations

FRESH_SECONDS = 5.0
"""So long, at least, an explanation is given again to the same question: a full site is asked again and again, and
looking at all of its devices takes time."""

SHARE = 0.02
"""How much of the time at most is spent on explaining the same thing anew: that of a large site stays fresh longer."""

LONGEST_SECONDS = 60.0
"""But no longer than this, since devices may have been added."""

REMEMBERED = 100

K = TypeVar("K", bound=Hashable)


class Explanations:
    """Explains refusals of placement."""

    def __init__(self, db: Database, reservations: Reservations) -> None:
        self._db = db
        self._reservations = reservations
        self._given: dict[object, tuple[float, str]] = {}
        self._asked: dict[object, asyncio.Task[str]] = {}

    async def of_create(self, spec: VolumeSpec) -> str:
        """Say why a volume could not be placed: a line for each cluster, which is named if there are several."""
        return await self._remembered(spec, self._explain_create)

    async def of_expansion(self, volume_id: str, gib: int) -> str:
        """Say why a volume could not be expanded."""
        return await self._remembered((volume_id, gib), self._explain_expansion)

    async def _remembered(self, question: K, explain: Callable[[Tx, K], str]) -> str:
        stale, text = self._given.get(question, (0.0, ""))
        if time.monotonic() < stale:
            return text
        task = self._asked.get(question)
        if task is None:
            # All who ask at the same time wait for one answer, whichever of them goes away meanwhile.
            task = self._asked[question] = asyncio.create_task(self._explained(question, explain))
        return await asyncio.shield(task)

    async def _explained(self, question: K, explain: Callable[[Tx, K], str]) -> str:
        def explained(tx: Tx) -> tuple[str, float]:
            began = time.perf_counter()
            return explain(tx, question), time.perf_counter() - began

        try:
            text, seconds = await self._db.read(explained)
        finally:
            del self._asked[question]
        if len(self._given) >= REMEMBERED:
            self._given.clear()
        fresh = min(max(FRESH_SECONDS, seconds / SHARE), LONGEST_SECONDS)
        self._given[question] = (time.monotonic() + fresh, text)
        return text

    def _explain_create(self, tx: Tx, spec: VolumeSpec) -> str:
        request = self._reservations.request(spec)
        clusters = self._reservations.clusters_for(tx, spec)
        texts = {cluster: self._explain(tx, cluster, request) for cluster in clusters}
        if len(texts) == 1:
            return texts[clusters[0]]
        return "\n".join(f"Cluster {cluster}: {text}" for cluster, text in texts.items() if text)

    def _explain_expansion(self, tx: Tx, question: tuple[str, int]) -> str:
        volume_id, gib = question
        volume = tx.volumes.get(volume_id)
        return self._explain(tx, volume.cluster, self._reservations.request_more(tx, volume, gib))

    def _explain(self, tx: Tx, cluster: str, request: PlacementRequest) -> str:
        nodes, devices = tx.nodes.of_cluster(cluster), tx.devices.of_cluster(cluster)
        view = ClusterView.build(nodes, devices, down=self._reservations.down())
        return explain_refusal(request, view, self._reservations.policy.limits)
