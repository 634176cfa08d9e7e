"""`heketi-cli topology`."""

from collections.abc import Sequence

from heketipy.cli.commands import command, flag, group
from heketipy.cli.session import CommandError, Session
from heketipy.cli.topology_text import topology_text
from heketipy.cli.values import TEXT
from heketipy.client import Client, RefusedError
from heketipy.client.connection import Json

TOPOLOGY = group("topology", about="The whole site: clusters, nodes, devices, volumes")

_NOT_FOUND = 404


@command(
    TOPOLOGY,
    "load",
    about="Add the nodes and devices of a file that are not there yet",
    flags=[flag("json", TEXT, "", "Topology file", letter="j", key="file")],
)
async def load(session: Session, _arguments: Sequence[str], *, file: str) -> None:
    """Load a topology file. What cannot be added is told, and is no failure of the command."""
    if not file:
        raise CommandError("Missing configuration file")
    from heketipy.cli.topology_file import load_file

    await load_file(session, file)


@command(TOPOLOGY, "info", about="Show the whole site")
async def info(session: Session, _arguments: Sequence[str]) -> None:
    """Show all clusters with their volumes and nodes."""
    async with session.client() as client:
        clusters = await _site(client)
    if session.json:
        session.say_json({"clusters": clusters})
    else:
        session.say(topology_text(clusters))


async def _site(client: Client) -> Sequence[Json]:
    """Show all clusters with what is in them. heketi has no route for that: there everything is asked one by one."""
    try:
        return await client.topology()
    except RefusedError as error:
        if error.status != _NOT_FOUND:
            raise
    return [await _cluster(client, cluster_id) for cluster_id in await client.clusters.ids()]


async def _cluster(client: Client, cluster_id: str) -> Json:
    cluster = await client.clusters.info(cluster_id)
    volumes = [await _volume(client, volume_id) for volume_id in cluster["volumes"]]
    return {
        "volumes": [volume for volume in volumes if volume and volume["cluster"] == cluster_id],
        "nodes": [await client.nodes.info(node_id) for node_id in cluster["nodes"]],
        "id": cluster["id"],
        "block": cluster["block"],
        "file": cluster["file"],
    }


async def _volume(client: Client, volume_id: str) -> Json:
    """Show a volume; nothing if it was deleted meanwhile."""
    try:
        return await client.volumes.info(volume_id)
    except RefusedError as error:
        if error.status != _NOT_FOUND:
            raise
        return {}
