"""`heketi-cli node`."""

from collections.abc import Sequence

from heketipy.cli import texts
from heketipy.cli.commands import command, first, flag, group
from heketipy.cli.session import CommandError, Session
from heketipy.cli.values import INTEGER, TEXT
from heketipy.client.connection import Json

NODE = group("node", about="Nodes: storage servers")

_MISSING_ID = "Node id missing"


@command(
    NODE,
    "add",
    about="Take a storage server into a cluster",
    flags=[
        flag("zone", INTEGER, 0, "Failure zone, from 1"),
        flag("cluster", TEXT, "", "Id of the cluster"),
        flag("management-host-name", TEXT, "", "Where commands reach the node", key="manage"),
        flag("storage-host-name", TEXT, "", "Where gluster and its clients reach the node", key="storage"),
    ],
)
async def add(
    session: Session, _arguments: Sequence[str], *, zone: int, cluster: str, manage: str, storage: str
) -> None:
    """Add a node and show it."""
    for given, name in (
        (zone, "zone"),
        (manage, "management hostname"),
        (storage, "storage hostname"),
        (cluster, "cluster id"),
    ):
        if not given:
            raise CommandError(f"Missing {name}")
    async with session.client() as client:
        node = await client.nodes.add(cluster, zone=zone, manage=[manage], storage=[storage])
    if session.json:
        session.say_json(node)
    else:
        session.say(f"Node information:\n{_block(node)}")


@command(NODE, "info", about="Show a node and its devices", arguments="[node_id]")
async def info(session: Session, arguments: Sequence[str]) -> None:
    """Show a node."""
    node_id = first(arguments, _MISSING_ID)
    async with session.client() as client:
        node = await client.nodes.info(node_id)
    if session.json:
        session.say_json(node)
    else:
        session.say(f"{_block(node)}Devices:\n{''.join(map(_device_line, node['devices']))}")


@command(NODE, "list", about="List the nodes of all clusters", arguments="all nodes")
async def list_all(session: Session, _arguments: Sequence[str]) -> None:
    """List the nodes. There is no JSON form."""
    async with session.client() as client:
        for cluster_id in await client.clusters.ids():
            for node_id in (await client.clusters.info(cluster_id))["nodes"]:
                session.say(f"Id:{node_id}\tCluster:{cluster_id}\n")


@command(NODE, "delete", about="Let a node go that has no devices", arguments="[node_id]")
async def delete(session: Session, arguments: Sequence[str]) -> None:
    """Delete a node."""
    node_id = first(arguments, _MISSING_ID)
    async with session.client() as client:
        await client.nodes.delete(node_id)
    session.say(f"Node {node_id} deleted\n")


@command(NODE, "enable", about="Let a node take part in placement again", arguments="[node_id]")
async def enable(session: Session, arguments: Sequence[str]) -> None:
    """Put a node online."""
    await _set_state(session, arguments, "online")


@command(NODE, "disable", about="Place nothing on a node any more", arguments="[node_id]")
async def disable(session: Session, arguments: Sequence[str]) -> None:
    """Put a node offline."""
    await _set_state(session, arguments, "offline")


@command(NODE, "remove", about="Move everything off a node", arguments="[node_id]")
async def remove(session: Session, arguments: Sequence[str]) -> None:
    """Remove a node's devices."""
    await _set_state(session, arguments, "failed")


async def _set_state(session: Session, arguments: Sequence[str], state: str) -> None:
    node_id = first(arguments, _MISSING_ID)
    async with session.client() as client:
        await client.nodes.set_state(node_id, state)
    session.say(f"Node {node_id} is now {texts.state(state)}\n")


def _block(node: Json) -> str:
    return (
        f"Node Id: {node['id']}\n"
        f"State: {texts.state(node['state'])}\n"
        f"Cluster Id: {node['cluster']}\n"
        f"Zone: {node['zone']}\n"
        f"Management Hostname: {node['hostnames']['manage'][0]}\n"
        f"Storage Hostname: {node['hostnames']['storage'][0]}\n"
        f"{texts.tags(node.get('tags', {}))}"
    )


def _device_line(device: Json) -> str:
    return (
        f"Id:{device['id']:<35}Name:{device['name']:<20}State:{texts.state(device['state']):<10}"
        f"{texts.sizes(device['storage'])}Bricks:{len(device['bricks']):<8}\n"
    )
