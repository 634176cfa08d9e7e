"""Putting what a recorded run and a run of ours print into one form: labels for ids, an order that ids do not decide.

The rules are those of `vectors/README.md`.
"""

import json
import re
from typing import Any

import httpx

_ID = re.compile(r"[0-9a-f]{32}")
_LABEL = re.compile(r"<8 of (?P<short>[^>]+)>|<[^>]+>")
_SORTED = {"clusters", "nodes", "volumes", "blockvolumes", "devices", "bricks", "blockvolume", "subsets"}
_MOUNT = re.compile(r"Mount: [^:\n]+:")
_BRICK_OF_VOLUME = r"\n\t\t\tId: "
_BRICK_OF_DEVICE = r"\n\t\t\t\tId:"
_BACKUPS = re.compile(r"backup-volfile-servers=([^\n\"]*)")


class Labels:
    """Names for the objects of a server, learned by looking at it after each command."""

    def __init__(self) -> None:
        self._label: dict[str, str] = {}
        self._nodes: dict[str, str] = {}
        self._made: dict[tuple[str, str], list[str]] = {}

    async def look(self, http: httpx.AsyncClient) -> None:
        """Learn the names of all that is there now. Clusters get theirs from what was printed."""
        for cluster in (await http.get("/clusters")).json()["clusters"]:
            for node_id in (await http.get(f"/clusters/{cluster}")).json()["nodes"]:
                node = (await http.get(f"/nodes/{node_id}")).json()
                name = self._nodes[node_id] = node["hostnames"]["manage"][0]
                self._label[node_id] = f"<node {name}>"
                for device in node["devices"]:
                    self._label[device["id"]] = f"<device {name} {device['name']}>"
        for volume_id in (await http.get("/volumes")).json()["volumes"]:
            volume = (await http.get(f"/volumes/{volume_id}")).json()
            self._label[volume_id] = f"<volume {volume['name']}>"
            for brick in volume["bricks"]:
                self._look_at_brick(volume["name"], brick)

    def _look_at_brick(self, volume: str, brick: dict[str, str]) -> None:
        made = self._made.setdefault((volume, brick["node"]), [])
        if brick["id"] not in made:
            made.append(brick["id"])
            number = f" {len(made)}" if len(made) > 1 else ""
            self._label[brick["id"]] = f"<brick {volume} {self._nodes[brick['node']]}{number}>"

    async def look_at_clusters(self, printed: str, http: httpx.AsyncClient) -> None:
        """Number what was printed and has no name yet: clusters, and ids of nothing."""
        clusters = (await http.get("/clusters")).json()["clusters"]
        for id in _ID.findall(printed):
            if id not in self._label:
                kind = "cluster" if id in clusters else "id"
                number = 1 + sum(label.startswith(f"<{kind} ") for label in self._label.values())
                self._label[id] = f"<{kind} {number}>"

    def ids(self, text: str) -> str:
        """Replace labels by ids."""
        known = {label: id for id, label in self._label.items()}

        def id_of(match: re.Match[str]) -> str:
            short = match["short"]
            return known[f"<{short}>"][:8] if short else known.get(match.group(), match.group())

        return _LABEL.sub(id_of, text)

    def labelled(self, printed: str) -> str:
        """Replace ids by labels, and order what ids ordered."""
        text = re.sub(
            r"glusterfs-([0-9a-f]{8})(?=\")",
            lambda match: f"glusterfs-<8 of {self._beginning_with(match[1])}>",
            printed,
        )
        text = _ID.sub(lambda match: self._label.get(match.group(), match.group()), text)
        if text.startswith("{") and not text.startswith("{\n"):
            return _of_json(text)
        text = _MOUNT.sub("Mount: <host>:", text)
        text = _BACKUPS.sub(_counted, text)
        text = re.sub(r"(?<=Known Paths: )[^\n]+", "<paths>", text)
        text = re.sub(r"(?<=Physical Volume UUID: )[^\n]+", "", text)
        return _of_topology(text) if "\nCluster Id: " in text and "    Nodes:" in text else _of_lines(text)

    def _beginning_with(self, start: str) -> str:
        return next(label[1:-1] for id, label in self._label.items() if id.startswith(start))


def recorded(text: str) -> str:
    """Put a recorded output into the form of `Labels.labelled`: our devices have paths, heketi's mock's have none."""
    if "Known Paths: " in text:
        text = re.sub(r"(?<=Known Paths: )[^\n]+", "<paths>", text)
        text = text.replace("Known Paths: \n", "Known Paths: <paths>\n")
    return text


def _counted(match: re.Match[str]) -> str:
    hosts = [host for host in match[1].split(",") if host]
    assert len(set(hosts)) == len(hosts)
    return f"backup-volfile-servers=<{len(hosts)} hosts>"


def _of_lines(text: str) -> str:
    """Sort neighbouring lines that start with `Id:<`, and ones that are only an id."""
    lines = text.splitlines(keepends=True)
    kinds = [_kind(line) for line in lines]
    result: list[str] = []
    start = 0
    for index in range(len(lines) + 1):
        if index == len(lines) or kinds[index] != kinds[start]:
            run = lines[start:index]
            result += sorted(run) if run and kinds[start] else run
            start = index
    return "".join(result)


def _kind(line: str) -> str:
    if line.startswith("Id:<"):
        return "entry"
    return "id" if re.fullmatch(r"<[^>]+>\n", line) else ""


def _of_topology(text: str) -> str:
    """Sort the blocks of volumes, nodes, devices and bricks."""
    clusters = _blocks(text.removesuffix("\n"), r"\nCluster Id: ")
    return "".join(sorted(map(_of_cluster, clusters))) + "\n"


def _of_cluster(text: str) -> str:
    head, volumes_and_nodes = text.split("    Volumes:\n")
    volumes, nodes = volumes_and_nodes.split("\n\n    Nodes:\n")
    sorted_volumes = "".join(sorted(map(_of_volume, _blocks(volumes, r"\n\tName: "))))
    sorted_nodes = "".join(sorted(map(_of_node, _blocks(nodes, r"\n\tNode Id: "))))
    return f"{head}    Volumes:\n{sorted_volumes}\n\n    Nodes:\n{sorted_nodes}"


def _of_volume(text: str) -> str:
    head, bricks = text.split("\t\tBricks:")
    ordered = sorted(_blocks(bricks.removesuffix("\n"), _BRICK_OF_VOLUME))
    return f"{head}\t\tBricks:{''.join(ordered)}\n"


def _of_node(text: str) -> str:
    head, devices = text.split("\tDevices:")
    ordered = sorted(map(_of_device, _blocks(devices.removesuffix("\n"), r"\n\t\tId:")))
    return f"{head}\tDevices:{''.join(ordered)}\n"


def _of_device(text: str) -> str:
    head, bricks = text.split("\t\t\tBricks:")
    return f"{head}\t\t\tBricks:{''.join(sorted(_blocks(bricks, _BRICK_OF_DEVICE)))}"


def _blocks(text: str, start: str) -> list[str]:
    return [block for block in re.split(f"(?={start})", text) if block]


def _of_json(text: str) -> str:
    """Order the lists of a compact JSON text; what heketi's mock does not show is left out."""
    return json.dumps(_value(json.loads(text), ""), separators=(",", ":"), ensure_ascii=False).replace(
        '{"subsets":[', '{"subsets": ['
    )


def _value(value: Any, name: str) -> Any:
    if isinstance(value, list):
        if name == "hosts":
            assert len(set(value)) == len(value)
            return [f"<{len(value)} hosts>"]
        items = [_value(item, "") for item in value]
        return sorted(items, key=json.dumps) if name in _SORTED else items
    if isinstance(value, dict):
        members = {key: _value(item, key) for key, item in value.items() if key not in ("paths", "pv_uuid")}
        if "device" in members and "options" in members:
            members["device"] = "<host>:" + members["device"].partition(":")[2]
            servers = members["options"]["backup-volfile-servers"]
            members["options"] = {"backup-volfile-servers": f"<{len([s for s in servers.split(',') if s])} hosts>"}
        return members
    return value
