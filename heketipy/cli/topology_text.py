"""The text of `topology info`. Tools parse it: every blank and empty line is meant."""

from collections.abc import Iterable

from heketipy.cli import texts
from heketipy.client.connection import Json


def topology_text(clusters: Iterable[Json]) -> str:
    """Return all clusters as text."""
    return "".join(map(_cluster, clusters)) + "\n"


def _cluster(cluster: Json) -> str:
    return (
        f"\nCluster Id: {cluster['id']}\n\n"
        f"    File:  {str(cluster['file']).lower()}\n"
        f"    Block: {str(cluster['block']).lower()}\n\n"
        f"    Volumes:\n{''.join(map(_volume, cluster['volumes']))}\n\n"
        f"    Nodes:\n{''.join(map(_node, cluster['nodes']))}"
    )


def _volume(volume: Json) -> str:
    mount = volume["mount"]["glusterfs"]
    return (
        f"\n\tName: {volume['name']}\n"
        f"\tSize: {volume['size']}\n"
        f"\tId: {volume['id']}\n"
        f"\tCluster Id: {volume['cluster']}\n"
        f"\tMount: {mount['device']}\n"
        f"\tMount Options: {texts.options(mount['options'])}\n"
        f"{_durability(volume['durability'])}"
        f"{_snapshot(volume['snapshot'])}"
        f"\n\t\tBricks:{''.join(map(_brick, volume['bricks']))}\n"
    )


def _durability(durability: Json) -> str:
    kind = durability.get("type", "")
    text = f"\tDurability Type: {kind}\n"
    match kind:
        case "replicate":
            return f"{text}\tReplica: {durability['replicate'].get('replica', 0)}\n"
        case "disperse":
            disperse = durability["disperse"]
            return (
                f"{text}\tDisperse Data: {disperse.get('data', 0)}\n"
                f"\tDisperse Redundancy: {disperse.get('redundancy', 0)}\n"
            )
    return text


def _snapshot(snapshot: Json) -> str:
    if snapshot["enable"]:
        return f"\tSnapshot: Enabled\n\tSnapshot Factor: {snapshot['factor']:.2f}\n"
    return "\tSnapshot: Disabled\n"


def _brick(brick: Json) -> str:
    return (
        f"\n\t\t\tId: {brick['id']}\n"
        f"\t\t\tPath: {brick['path']}\n"
        f"\t\t\tSize (GiB): {texts.gib(brick['size'])}\n"
        f"\t\t\tNode: {brick['node']}\n"
        f"\t\t\tDevice: {brick['device']}\n"
    )


def _node(node: Json) -> str:
    tags = _tags(node.get("tags", {}))
    return (
        f"\n\tNode Id: {node['id']}\n"
        f"\tState: {texts.state(node['state'])}\n"
        f"\tCluster Id: {node['cluster']}\n"
        f"\tZone: {node['zone']}\n"
        f"\tManagement Hostnames: {', '.join(node['hostnames']['manage'])}\n"
        f"\tStorage Hostnames: {', '.join(node['hostnames']['storage'])}\n"
        + (f"\tTags:{tags}\n\n" if tags else "")
        + f"\tDevices:{''.join(map(_device, node['devices']))}\n"
    )


def _device(device: Json) -> str:
    tags = _tags(device.get("tags", {}))
    paths = "".join(f" {path}" for path in device.get("paths") or [device["name"]])
    return (
        f"\n\t\tId:{device['id']:<35}State:{texts.state(device['state']):<10}{texts.sizes(device['storage'])}"
        + (f"\n\t\t\tTags:{tags}\n" if tags else "")
        + f"\n\t\t\tKnown Paths:{paths}\n"
        + f"\n\t\t\tBricks:{''.join(map(_brick_of_device, device['bricks']))}"
    )


def _brick_of_device(brick: Json) -> str:
    return f"\n\t\t\t\tId:{brick['id']:<35}Size (GiB):{texts.gib(brick['size']):<8}Path: {brick['path']}"


def _tags(pairs: dict[str, str]) -> str:
    return "".join(f" {name}:{value}" for name, value in sorted(pairs.items()))
