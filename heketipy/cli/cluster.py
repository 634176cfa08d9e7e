"""`heketi-cli cluster`."""

from collections.abc import Sequence

from heketipy.cli.commands import command, first, flag, group
from heketipy.cli.session import CommandError, Session
from heketipy.cli.values import BOOLEAN, TEXT, BadValueError, boolean
from heketipy.client.connection import Json

CLUSTER = group("cluster", about="Clusters: sets of nodes that hold volumes together")

_MISSING_ID = "Cluster id missing"


@command(
    CLUSTER,
    "create",
    about="Make an empty cluster",
    flags=[
        flag("block", BOOLEAN, True, "Whether it may host block volumes"),
        flag("file", BOOLEAN, True, "Whether it may host file volumes"),
    ],
)
async def create(session: Session, _arguments: Sequence[str], *, block: bool, file: bool) -> None:
    """Make a cluster and print its id."""
    async with session.client() as client:
        cluster = await client.clusters.create(file=file, block=block)
    if session.json:
        session.say_json(cluster)
    else:
        session.say(f"Cluster id: {cluster['id']}\n")


@command(
    CLUSTER,
    "setflags",
    about="Change what a cluster may host",
    flags=[
        flag("block", TEXT, "", "Whether it may host block volumes: true or false"),
        flag("file", TEXT, "", "Whether it may host file volumes: true or false"),
    ],
)
async def set_flags(session: Session, arguments: Sequence[str], *, block: str, file: str) -> None:
    """Change flags; what is not given stays as it is."""
    cluster_id = first(arguments, _MISSING_ID)
    if not (block or file):
        raise CommandError("At least one of --file or --block must be specified.")
    async with session.client() as client:
        now = await client.clusters.info(cluster_id)
        try:
            wanted_block = boolean(block) if block else now["block"]
            wanted_file = boolean(file) if file else now["file"]
        except BadValueError as error:
            raise CommandError(str(error)) from None
        await client.clusters.set_flags(cluster_id, file=wanted_file, block=wanted_block)


@command(CLUSTER, "delete", about="Delete a cluster without nodes and volumes", arguments="[cluster_id]")
async def delete(session: Session, arguments: Sequence[str]) -> None:
    """Delete a cluster."""
    cluster_id = first(arguments, _MISSING_ID)
    async with session.client() as client:
        await client.clusters.delete(cluster_id)
    session.say(f"Cluster {cluster_id} deleted\n")


@command(CLUSTER, "info", about="Show a cluster", arguments="[cluster_id]")
async def info(session: Session, arguments: Sequence[str]) -> None:
    """Show a cluster, its nodes and volumes."""
    cluster_id = first(arguments, _MISSING_ID)
    async with session.client() as client:
        cluster = await client.clusters.info(cluster_id)
    if session.json:
        session.say_json(cluster)
    else:
        session.say(_block(cluster))


@command(CLUSTER, "list", about="List the clusters")
async def list_all(session: Session, _arguments: Sequence[str]) -> None:
    """List the clusters."""
    async with session.client() as client:
        ids = await client.clusters.ids()
        if session.json:
            session.say_json({"clusters": ids})
            return
        session.say("Clusters:\n")
        for cluster_id in ids:
            cluster = await client.clusters.info(cluster_id)
            hosts = "[file]" * cluster["file"] + "[block]" * cluster["block"]
            session.say(f"Id:{cluster_id} {hosts or '[]'}\n")


def _block(cluster: Json) -> str:
    nodes = "\n".join(cluster["nodes"])
    volumes = "\n".join(cluster["volumes"])
    block, file = (str(cluster[member]).lower() for member in ("block", "file"))
    return f"Cluster id: {cluster['id']}\nNodes:\n{nodes}\nVolumes:\n{volumes}\nBlock: {block}\n\nFile: {file}\n"
