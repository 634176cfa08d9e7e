"""Drift: in what the books, the nodes and gluster differ; and tidying up what nobody knows."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from heketipy.db.database import Database, Tx
from heketipy.domain.comparison import Finding, Leftover, compare, leftovers, quarantined
from heketipy.domain.errors import Conflict, NodeFailure, NotFound
from heketipy.domain.inventory import Books, NodeInventory, around, ids_in
from heketipy.domain.model import Node
from heketipy.domain.plans import Tidying, TidyNodes
from heketipy.executors.nodes import StorageNodes
from heketipy.operations import tidy
from heketipy.operations.saga import all_of
from heketipy.services.interchange.entries import PENDING
from heketipy.services.starter import Starter

LOOK_AGAIN = 3600
"""Seconds after which a node is looked at again that had something to remove."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What was found. `hosts` are the manage names of nodes, `unseen` says why nodes could not be looked at, `seen`
    when this server met a finding first (seconds since 1970, by the finding's id)."""

    findings: Sequence[Finding]
    hosts: Mapping[str, str]
    unseen: Mapping[str, str]
    seen: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What would be done: `leftovers` are put away until `until` (seconds since 1970), `refused` are findings that are
    not, each with the reason."""

    leftovers: Sequence[Leftover]
    refused: Mapping[str, str]
    hosts: Mapping[str, str]
    until: int


class DriftWatch:
    """Use cases about drift. `keep` is how long something stays in quarantine, in seconds."""

    def __init__(
        self, db: Database, nodes: StorageNodes, starter: Starter, *, clock: Callable[[], float], keep: float
    ) -> None:
        self._db = db
        self._nodes = nodes
        self._starter = starter
        self._clock = clock
        self._keep = keep
        self._seen: dict[str, float] = {}

    async def look(self) -> Drift:
        """Ask all nodes, side by side, and compare. Books are read before and after, so that work in progress meanwhile
        is taken for no drift."""
        before = await self._db.read(_books)
        found, unseen = await self._take_stock(before.nodes, before.devices)
        books, settled = around(before, await self._db.read(_books))
        now = self._clock()
        findings = compare(books, settled, found)
        await self._remember(findings)
        self._seen = {one.id: self._seen.get(one.id, now) for one in findings}
        hosts = {node.id: node.manage[0] for node in books.nodes}
        return Drift(findings, hosts, unseen, dict(self._seen))

    async def _remember(self, findings: Iterable[Finding]) -> None:
        """Note quarantines that the books have forgotten, as books do that were put back from a backup."""
        ends: dict[str, int | None] = {}
        for one in findings:
            if one.until is not None:
                ends[one.node] = min(int(one.until), ends.get(one.node) or int(one.until))
        noted = await self._db.read(tidy.due)
        unknown = {node: time for node, time in ends.items() if node not in noted}
        if unknown and not self._db.read_only:
            await self._db.write(_set_due, unknown)

    async def _take_stock(
        self, nodes: Iterable[Node], devices: Mapping[str, Collection[str]]
    ) -> tuple[dict[str, NodeInventory], dict[str, str]]:
        asked = list(nodes)
        results = await all_of(self._nodes.take_stock(node.address, devices.get(node.id, ())) for node in asked)
        found: dict[str, NodeInventory] = {}
        unseen: dict[str, str] = {}
        for node, result in zip(asked, results, strict=True):
            match result:
                case NodeFailure():
                    unseen[node.id] = str(result).strip()
                case Exception():
                    raise result
                case _:
                    found[node.id] = result
        return found, unseen

    async def propose(self, ids: Sequence[str] | None = None) -> Proposal:
        """Say what a clean-up would do: of all orphans, or of these findings. Raises NotFound for an unknown id."""
        drift = await self.look()
        chosen = _chosen(drift, ids)
        wanted = [one for one in leftovers(drift.findings) if ids is None or {*one.findings} & chosen.keys()]
        covered = {id for one in wanted for id in one.findings}
        refused = {
            id: one.hindrance or "only orphans are cleaned up" for id, one in chosen.items() if id not in covered
        }
        if ids is None:
            refused = {id: one.hindrance for id, one in chosen.items() if id in refused and one.kind.is_orphan}
        return Proposal(wanted, refused, drift.hosts, int(self._clock() + self._keep))

    async def clean_up(self, ids: Sequence[str] | None = None) -> str:
        """Start to put orphans into quarantine: all, or these findings; return the job's id. Raises NotFound for an
        unknown id, Conflict for a finding that is not to be cleaned up, Busy."""
        proposal = await self.propose(ids)
        if ids is not None and proposal.refused:
            id, why = next(iter(proposal.refused.items()))
            raise Conflict(f"{id}: {why}")
        return await self._begin(Tidying.QUARANTINE, proposal.leftovers, proposal.until)

    async def release(self, ids: Sequence[str]) -> str:
        """Start to give what is in quarantine its former name; return the job's id. Raises NotFound for an id of
        something else, Busy."""
        drift = await self.look()
        kept = {one.findings[0]: one for one in quarantined(drift.findings)}
        for id in ids:
            if id not in kept:
                raise NotFound(f"Id not found in quarantine: {id}")
        return await self._begin(Tidying.RELEASE, [kept[id] for id in dict.fromkeys(ids)], 0)

    async def end_quarantines(self) -> None:
        """Start to remove what has been in quarantine long enough. Only nodes that the books name are asked."""
        now = self._clock()
        nodes, devices = await self._db.read(_due, now)
        if not nodes:
            return
        found, _ = await self._take_stock(nodes, devices)
        books = await self._db.read(_books)
        kept = [one for one in compare(books, books.settled, found) if one.until is not None]
        over = [one for one in kept if one.until is not None and one.until <= now]
        later = {
            node: min((int(one.until or 0) for one in kept if one.node == node and one not in over), default=None)
            for node in found
        }
        for one in over:
            later[one.node] = int(now) + LOOK_AGAIN
        await self._db.write(_set_due, later)
        if over:
            await self._begin(Tidying.REMOVE, quarantined(over), 0)

    async def _begin(self, tidying: Tidying, wanted: Sequence[Leftover], until: int) -> str:
        self._starter.admission.check_open()
        return await self._db.write(self._enter, tidying, wanted, until)

    def _enter(self, tx: Tx, tidying: Tidying, wanted: Sequence[Leftover], until: int) -> str:
        if not wanted:
            return self._starter.jobs.closed(tx)
        if tidying is not Tidying.RELEASE:
            tidy.refuse_known(tx, wanted)
        plan = TidyNodes(
            tidying=tidying,
            leftovers=tuple(wanted),
            nodes=tuple(tx.nodes.get(id).address for id in sorted({one.node for one in wanted})),
            since=int(self._clock()),
            until=until,
        )
        return self._starter.begin(tx, tidy.NAME, plan)


def _chosen(drift: Drift, ids: Sequence[str] | None) -> dict[str, Finding]:
    known = {one.id: one for one in drift.findings}
    if ids is None:
        return known
    for id in ids:
        if id not in known:
            raise NotFound(f"Id not found: {id}")
    return {id: known[id] for id in ids}


def _books(tx: Tx) -> Books:
    return Books(
        nodes=tuple(tx.everything.nodes()),
        devices={node: frozenset(ids) for node, ids in tx.everything.devices_of_nodes().items()},
        bricks={brick.id: brick for brick in tx.everything.bricks()},
        volumes={volume.id: volume for volume in tx.everything.volumes()},
        at_work=tidy.ids_at_work(tx) | ids_in(str(one.entry) for one in tx.heketi_records.of(PENDING).values()),
    )


def _due(tx: Tx, now: float) -> tuple[list[Node], dict[str, list[str]]]:
    times = tidy.due(tx)
    nodes = [node for node in tx.nodes.of_ids(sorted(times)) if times[node.id] <= now]
    return nodes, {node.id: tx.nodes.device_ids(node.id) for node in nodes}


def _set_due(tx: Tx, times: Mapping[str, int | None]) -> None:
    for node, time in times.items():
        tidy.set_due(tx, node, time)
