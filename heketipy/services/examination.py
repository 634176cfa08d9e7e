"""The examiner: what the nodes have, beside what the books say, for people who look for an error (operations §5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from heketipy.db.database import Database, Tx
from heketipy.domain.errors import NodeFailure
from heketipy.domain.model import NodeAddress
from heketipy.executors.examination import Examination
from heketipy.executors.nodes import StorageNodes
from heketipy.operations.saga import all_of
from heketipy.services.operations import Operations

Json = dict[str, Any]

_LVM = ("pvs", "vgs", "lvs")


@dataclass(frozen=True, slots=True)
class ExaminedNodes:
    """What was found: sentences about it, and all of it by cluster and node, in heketi's form."""

    report: Sequence[str]
    clusters: Sequence[Json] | None


@dataclass(frozen=True, slots=True)
class _Cluster:
    """What the books say of a cluster: its nodes, the names of its volumes, its hosting volumes (names by id)."""

    id: str
    nodes: Sequence[NodeAddress]
    names: Sequence[str]
    hosting: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Node:
    """What was found on a node."""

    address: NodeAddress
    found: Examination
    blocks: Sequence[str]
    block_failures: Mapping[str, str]


class Examiner:
    """Looks at all nodes."""

    def __init__(self, db: Database, nodes: StorageNodes, operations: Operations) -> None:
        self._db = db
        self._nodes = nodes
        self._operations = operations

    async def examine(self, *, serving: bool = True) -> ExaminedNodes:
        """Look at all nodes, side by side. What a node does not tell is said in the report. `serving` tells whether
        this server works on operations meanwhile; then the report says on how many."""
        report = []
        if serving:
            in_flight = (await self._operations.counts()).in_flight
            report.append(f"OnDemand Examiner invoked while {in_flight} ops are in flight")
        clusters: list[Json] = []
        for cluster in await self._db.read(_clusters):
            found = await all_of(self._look(node, cluster.hosting) for node in cluster.nodes)
            nodes = [node for node in found if isinstance(node, _Node)]
            report += _failures(cluster, nodes)
            report += _comparison(cluster, nodes)
            clusters.append({"ClusterHeketiID": cluster.id, "NodesData": list(map(_node, nodes)) or None})
        return ExaminedNodes(report, clusters or None)

    async def _look(self, node: NodeAddress, hosting: Mapping[str, str]) -> _Node:
        found = await self._nodes.examine(node)
        blocks: list[str] = []
        failures: dict[str, str] = {}
        for id, name in hosting.items():
            try:
                blocks += [f"{name}/{block}" for block in await self._nodes.block_volumes(node, name)]
            except NodeFailure as error:
                failures[id] = str(error)
        return _Node(node, found, blocks, failures)


def _clusters(tx: Tx) -> list[_Cluster]:
    volumes = list(tx.everything.volumes())
    return [
        _Cluster(
            id=cluster.id,
            nodes=[node.address for node in tx.nodes.of_cluster(cluster.id)],
            names=sorted(volume.name for volume in volumes if volume.cluster == cluster.id),
            hosting={volume.id: volume.name for volume in volumes if volume.cluster == cluster.id and volume.block},
        )
        for cluster in tx.clusters.all()
    ]


def _failures(cluster: _Cluster, nodes: Sequence[_Node]) -> list[str]:
    texts = []
    for node in nodes:
        host, failures = node.address.manage, node.found.failures
        if "volumes" in failures:
            texts.append(f"could not fetch data from node {host}")
        texts += [
            f"could not fetch LVM {part} data from node {host} : {failures[part]}" for part in _LVM if part in failures
        ]
        if "mounts" in failures:
            texts.append(f"could not fetch brick mount status from node {host} : {failures['mounts']}")
        texts += [
            f"could not fetch block volume list for block hosting volume {id} : {text}"
            for id, text in node.block_failures.items()
        ]
    if not nodes:
        texts.append(f"not able to fetch any data from cluster {cluster.id}")
    return texts


def _comparison(cluster: _Cluster, nodes: Sequence[_Node]) -> list[str]:
    """Compare the names of the volumes, those being made or deleted included, with what each node says."""
    texts = []
    for node in nodes:
        names = node.found.volume_names
        if names is None:
            texts.append(
                f"heketi volume list could not be compared with volume list of node {node.address.id} due to missing"
                " info"
            )
        elif sorted(names) != list(cluster.names):
            texts.append(f"heketi volume list does not match with volume list of node {node.address.id}")
    return texts or ["heketi volume list matches with volume list of all nodes"]


def _node(node: _Node) -> Json:
    found = node.found
    return {
        "NodeHeketiID": node.address.id,
        "VolumeInfo": found.volumes,
        "LVMPVInfo": found.pvs,
        "LVMVGInfo": found.vgs,
        "LVMLVInfo": found.lvs,
        "BricksMountStatus": found.mounts,
        "BlockVolumeNames": list(node.blocks) or None,
    }
