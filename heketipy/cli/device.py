"""`heketi-cli device`."""

import asyncio
from collections.abc import Sequence
from typing import Final

from heketipy.cli import texts
from heketipy.cli.commands import command, first, flag, group
from heketipy.cli.session import CommandError, Session
from heketipy.cli.values import BOOLEAN, TEXT
from heketipy.client import Client, ClientError
from heketipy.client.connection import Json

DEVICE = group("device", about="Devices: disks of nodes")

SECOND_THOUGHTS: Final = 10.0
"""Seconds in which somebody who skips the heal check may still stop."""

_MISSING_ID = "Device id missing"
_SKIP_HEAL_CHECK = flag(
    "expert-option-disable-heal-check", BOOLEAN, False, "Do not look at heal information. DANGEROUS", key="skip"
)


@command(
    DEVICE,
    "add",
    about="Take over a disk of a node",
    flags=[
        flag("name", TEXT, "", "Path of the disk on the node, as /dev/sdb"),
        flag("node", TEXT, "", "Id of the node"),
        flag("destroy-existing-data", BOOLEAN, False, "Wipe what is on the disk", key="destroy"),
    ],
)
async def add(session: Session, _arguments: Sequence[str], *, name: str, node: str, destroy: bool) -> None:
    """Add a device."""
    if not name:
        raise CommandError("Missing device name")
    if not node:
        raise CommandError("Missing node id")
    async with session.client() as client:
        await client.devices.add(node, name, destroy_data=destroy)
    session.say("Device added successfully\n")


@command(DEVICE, "info", about="Show a device and its bricks", arguments="[device_id]")
async def info(session: Session, arguments: Sequence[str]) -> None:
    """Show a device."""
    device_id = first(arguments, _MISSING_ID)
    async with session.client() as client:
        device = await client.devices.info(device_id)
    if session.json:
        session.say_json(device)
    else:
        session.say(_block(device))


@command(
    DEVICE,
    "delete",
    about="Let a device go that has no bricks",
    arguments="[device_id]",
    flags=[flag("force-forget", BOOLEAN, False, "Forget the device, and leave the node as it is", key="forget")],
)
async def delete(session: Session, arguments: Sequence[str], *, forget: bool) -> None:
    """Delete a device."""
    device_id = first(arguments, _MISSING_ID)
    async with session.client() as client:
        await client.devices.delete(device_id, forget=forget)
    session.say(f"Device {device_id} deleted\n")


@command(DEVICE, "remove", about="Move everything off a device", arguments="[device_id]", flags=[_SKIP_HEAL_CHECK])
async def remove(session: Session, arguments: Sequence[str], *, skip: bool) -> None:
    """Move the bricks of a device elsewhere."""
    device_id = first(arguments, _MISSING_ID)
    if skip:
        session.say(
            "Skipping the heal check may be dangerous and increase the risk of data loss.\n"
            f" Press CTRL-C within {SECOND_THOUGHTS:.0f} seconds to cancel this action.\n"
        )
        await asyncio.sleep(SECOND_THOUGHTS)
    await _set_state(session, device_id, "failed", heal_check=not skip)


@command(DEVICE, "enable", about="Let a device take part in placement again", arguments="[device_id]")
async def enable(session: Session, arguments: Sequence[str]) -> None:
    """Put a device online."""
    await _set_state(session, first(arguments, "device id missing"), "online")


@command(DEVICE, "disable", about="Place nothing on a device any more", arguments="[device_id]")
async def disable(session: Session, arguments: Sequence[str]) -> None:
    """Put a device offline."""
    await _set_state(session, first(arguments, "device id missing"), "offline")


@command(
    DEVICE,
    "resync",
    about="Look at the size of a device again",
    arguments="[object_id]",
    flags=[flag("cluster", BOOLEAN, False, "Resync all devices of a cluster, whose id is given")],
)
async def resync(session: Session, arguments: Sequence[str], *, cluster: bool) -> None:
    """Resync a device, or all of a cluster."""
    object_id = first(arguments, "object/cluster id missing")
    async with session.client() as client:
        if cluster:
            session.say("Cluster-wide resync operation requested. Using object_id as cluster_id.\n")
            await _resync_cluster(session, client, object_id)
        else:
            await client.devices.resync(object_id)
            session.say(f"Device {object_id} updated\n")


async def _resync_cluster(session: Session, client: Client, cluster_id: str) -> None:
    """heketi-cli calls every device updated, whatever came of it; here one that is not makes the command fail."""
    failed = 0
    for node_id in (await client.clusters.info(cluster_id))["nodes"]:
        for device in (await client.nodes.info(node_id))["devices"]:
            session.say(f"Now resyncing device {device['id']}..\n")
            try:
                await client.devices.resync(device["id"])
            except ClientError as error:
                failed += 1
                session.complain(f"Device {device['id']}: {error}\n")
            else:
                session.say(f"Device {device['id']} (node {node_id}) in cluster {cluster_id} updated\n")
    if failed:
        raise CommandError(f"{failed} devices could not be resynced")


async def _set_state(session: Session, device_id: str, state: str, *, heal_check: bool = True) -> None:
    async with session.client() as client:
        await client.devices.set_state(device_id, state, heal_check=heal_check)
    session.say(f"Device {device_id} is now {texts.state(state)}\n")


def _block(device: Json) -> str:
    total, used, free = (texts.gib(device["storage"][member]) for member in ("total", "used", "free"))
    bricks = "".join(
        f"Id:{brick['id']:<35}Size (GiB):{texts.gib(brick['size']):<8}Path: {brick['path']}\n"
        for brick in device["bricks"]
    )
    return (
        f"Device Id: {device['id']}\n"
        f"State: {texts.state(device['state'])}\n"
        f"Size (GiB): {total}\n"
        f"Used (GiB): {used}\n"
        f"Free (GiB): {free}\n"
        f"Create Path: {device['name']}\n"
        f"Physical Volume UUID: {device.get('pv_uuid', '')}\n"
        f"Known Paths: {' '.join(device.get('paths', []))}\n"
        f"{texts.tags(device.get('tags', {}))}"
        f"Bricks:\n{bricks}"
    )
