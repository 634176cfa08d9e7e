"""Nodes: add, look at, remove, change state."""

from collections.abc import Sequence

from heketipy.db.database import Database, Tx
from heketipy.domain.details import NodeDetails
from heketipy.domain.errors import Busy, Conflict, HeketipyError, InUse, InvalidRequest, NodeFailure, NotFound
from heketipy.domain.model import Node, NodeAddress, NodeSpec
from heketipy.domain.plans import AddDevice, AddNode, Evacuate, RemoveNode
from heketipy.domain.states import HealCheck, State
from heketipy.executors.nodes import StorageNodes
from heketipy.operations import device_add, evacuation, node_add, node_remove
from heketipy.operations.context import decode
from heketipy.services.endpoints import EndpointCheck
from heketipy.services.starter import Starter

NO_GLUSTERD = "None of the nodes in cluster has glusterd running"
NO_GLUSTERD_ON_NEW = "New Node doesn't have glusterd running"


class Nodes:
    """Use cases about nodes. What takes long returns the id of a job."""

    def __init__(self, db: Database, storage_nodes: StorageNodes, starter: Starter, endpoints: EndpointCheck) -> None:
        self._db = db
        self._nodes = storage_nodes
        self._starter = starter
        self._endpoints = endpoints

    async def info(self, node_id: str) -> NodeDetails:
        """Return a node with its devices and their bricks. Raises NotFound."""
        return await self._db.read(lambda tx: tx.details.node(node_id))

    async def add(self, spec: NodeSpec) -> str:
        """Start to add a node; return the job's id.

        Raises NotFound (the cluster), Conflict (a host name is taken), InvalidRequest (nobody there runs glusterd).
        """
        self._starter.admission.check_open()
        self._endpoints.check_storage_names(spec.storage)
        node = Node(
            id=self._starter.new_id(),
            cluster=spec.cluster,
            zone=spec.zone,
            manage=spec.manage,
            storage=spec.storage,
            tags=spec.tags,
        )
        peers = await self._db.read(_peers_for, node)
        via = await self._alive(node, peers)
        return await self._db.write(self._enter, node, via)

    async def delete(self, node_id: str) -> str:
        """Start to remove a node without devices; return the job's id. Raises NotFound, Conflict."""
        self._starter.admission.check_open()
        return await self._db.write(self._claim, node_id)

    async def set_state(self, node_id: str, state: State, heal_check: HealCheck) -> str:
        """Change a node's state; return the id of a job. It has ended unless bricks are to be moved before; refusals
        are told there. Raises NotFound, Busy."""
        self._starter.admission.check_open()
        return await self._db.write(self._change_state, node_id, state, heal_check)

    async def _alive(self, new: Node, peers: Sequence[Node]) -> NodeAddress | None:
        """Return the peer that is to probe the new node; None if it is the first of its cluster."""
        if not peers:
            try:
                await self._nodes.check(new.address)
            except NodeFailure as error:
                raise InvalidRequest(NO_GLUSTERD_ON_NEW) from error
            return None
        for peer in peers:
            if peer.state is State.ONLINE:
                try:
                    await self._nodes.check(peer.address)
                except NodeFailure:
                    continue
                return peer.address
        raise InvalidRequest(NO_GLUSTERD)

    def _enter(self, tx: Tx, node: Node, via: NodeAddress | None) -> str:
        _check_new(tx, node)
        plan = AddNode(node=node, via=via)
        return self._starter.enter(tx, node_add.NAME, plan, operation=self._starter.new_id())

    def _claim(self, tx: Tx, node_id: str) -> str:
        node = tx.nodes.get(node_id)
        for operation in tx.operations.of_kind(node_remove.NAME):
            if decode(RemoveNode, operation.plan).node.id == node_id:
                return self._starter.follow(tx, operation.id)
        if tx.nodes.device_ids(node_id) or _gets_a_device(tx, node_id):
            raise Conflict(f"Unable to delete node [{node_id}] because it contains devices")
        others = [peer for peer in tx.nodes.of_cluster(node.cluster) if peer.id != node_id]
        plan = RemoveNode(node=node, via=others[0].address if others else None)
        return self._starter.enter(tx, node_remove.NAME, plan, operation=self._starter.new_id())

    def _change_state(self, tx: Tx, node_id: str, state: State, heal_check: HealCheck) -> str:
        node = tx.nodes.get(node_id)
        devices = tx.nodes.device_ids(node_id)
        try:
            if any(evacuation.under_way(tx, device) for device in devices):
                raise InUse
            if state is State.FAILED and node.state is State.OFFLINE:
                if any(evacuation.holds_bricks(tx, device) for device in devices):
                    plan = Evacuate(devices=tuple(devices), node=node_id, heal_check=heal_check)
                    return self._starter.begin(tx, evacuation.OF_NODE, evacuation.reserve(tx, plan))
                for device in devices:
                    tx.devices.set_state(device, State.FAILED)
            elif state is not node.state:
                _refuse_change(node, state)
            tx.nodes.set_state(node_id, state)
        except Busy:
            raise
        except HeketipyError as error:
            return self._starter.jobs.closed(tx, error=str(error), code=error.code)
        return self._starter.jobs.closed(tx)


def _peers_for(tx: Tx, node: Node) -> list[Node]:
    _check_new(tx, node)
    return tx.nodes.of_cluster(node.cluster)


def _check_new(tx: Tx, node: Node) -> None:
    if tx.clusters.find(node.cluster) is None:
        raise NotFound("Cluster id does not exist")
    node_add.check_hostnames(tx, node)


def _gets_a_device(tx: Tx, node_id: str) -> bool:
    return any(
        decode(AddDevice, operation.plan).node.id == node_id for operation in tx.operations.of_kind(device_add.NAME)
    )


def _refuse_change(node: Node, state: State) -> None:
    """Raise Conflict for a change between states that is not allowed."""
    if node.state is State.FAILED:
        raise Conflict(f"Cannot move a failed/removed node to {state} state")
    if state is State.FAILED:
        raise Conflict(f"Node must be offline before remove operation is performed, node:{node.id}")
