"""The doctor: looks whether nodes can serve, and compares them with the books. Changes nothing."""

import asyncio
from collections.abc import Callable, Sequence

from heketipy.db.database import Database, Tx
from heketipy.domain.diagnosis import Finding
from heketipy.domain.errors import NodeFailure
from heketipy.domain.model import Node, NodeAddress
from heketipy.executors.nodes import StorageNodes
from heketipy.services.diagnosis import Answer, Patient, findings, usual_versions


class Doctor:
    """Looks after nodes. `sudo`: whether commands run by it; `clock` is ours."""

    def __init__(self, db: Database, nodes: StorageNodes, *, sudo: bool, clock: Callable[[], float]) -> None:
        self._db = db
        self._nodes = nodes
        self._sudo = sudo
        self._clock = clock

    async def examine(self, hosts: Sequence[str] = ()) -> list[Finding]:
        """Look at every node in the books, and at hosts that are to become nodes; side by side, one round trip each.
        The findings are in the order of the nodes' hosts, the hosts last.
        """
        patients = [*await self._db.read(_patients), *(_newcomer(host) for host in hosts)]
        answers = await asyncio.gather(*map(self._ask, patients))
        usual = usual_versions(answers)
        return [finding for answer in answers for finding in findings(answer, usual, sudo=self._sudo)]

    async def _ask(self, patient: Patient) -> Answer:
        asked = self._clock()
        try:
            vitals = await self._nodes.vitals(patient.address, block=patient.block)
        except NodeFailure as error:
            return Answer(patient, asked, self._clock(), None, str(error))
        return Answer(patient, asked, self._clock(), vitals)


def _newcomer(host: str) -> Patient:
    return Patient(NodeAddress(id="", manage=host, storage=host))


def _patients(tx: Tx) -> list[Patient]:
    nodes = sorted(tx.nodes.all(), key=lambda node: node.manage[0])
    members: dict[str, list[Node]] = {}
    for node in nodes:
        members.setdefault(node.cluster, []).append(node)
    block = {cluster for cluster in members if tx.block_volumes.ids_of_cluster(cluster)}
    return [
        Patient(
            address=node.address,
            cluster=node.cluster,
            peers=tuple((one.manage[0], _names(one)) for one in members[node.cluster] if one.id != node.id),
            devices=tuple(tx.devices.of_node(node.id)),
            block=node.cluster in block,
        )
        for node in nodes
    ]


def _names(node: Node) -> frozenset[str]:
    return frozenset({*node.storage, *node.manage})
