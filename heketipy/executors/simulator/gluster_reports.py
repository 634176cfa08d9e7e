"""gluster's reports about volumes: info, list, status, heal info."""

from heketipy.executors.simulator import gluster_bricks, paths, xfs
from heketipy.executors.simulator.gluster_cli import (
    HEAD,
    Call,
    Refusal,
    Xml,
    answer,
    element,
    outcome,
    refused,
)
from heketipy.executors.simulator.state import GlusterVolume, VolumeBrick
from heketipy.executors.transport import Result

STATUS = {"Created": 0, "Started": 1, "Stopped": 2}
NO_VOLUMES = "No volumes present\n"


def type_of(volume: GlusterVolume) -> tuple[int, str]:
    """Return gluster's number and name of a volume's type."""
    spread = volume.sets > 1
    match volume.kind:
        case "replicate":
            return (7, "Distributed-Replicate") if spread else (2, "Replicate")
        case "disperse":
            return (9, "Distributed-Disperse") if spread else (4, "Disperse")
    return 0, "Distribute"


def host_uuid(call: Call, brick: VolumeBrick) -> str:
    """Return the uuid of the peer that has a brick."""
    node = call.host_of(brick)
    return node.uuid if node else "00000000-0000-0000-0000-000000000000"


def snapshots_of(call: Call, name: str) -> list[str]:
    """Return the names of a volume's snapshots."""
    return [snapshot.name for snapshot in call.pool.snapshots.values() if snapshot.origin == name]


def info(call: Call) -> Result:
    """Answer `volume info [NAME|all]`."""
    name = call.words[2] if len(call.words) > 2 else "all"
    if name == "all":
        volumes = [volume for _, volume in sorted(call.pool.volumes.items())]
        if call.xml:
            return volume_info(call, volumes)
        return Result(0, "".join(info_text(call, v) for v in volumes) if volumes else NO_VOLUMES)
    volume = call.pool.volumes.get(name)
    if volume is None:
        if call.xml:
            nothing: Xml = ("volInfo", [("volumes", [("count", "0")])])
            return refused(call, Refusal("Volume does not exist", errno=30806), "", nothing)
        return Result(1, "", f"Volume {name} does not exist\n")
    return volume_info(call, [volume]) if call.xml else Result(0, info_text(call, volume))


def volume_info(call: Call, volumes: list[GlusterVolume]) -> Result:
    """Return volumes in XML."""
    listed = [info_xml(call, volume) for volume in volumes]
    return answer(("volInfo", [("volumes", [*listed, ("count", str(len(volumes)))])]))


def info_xml(call: Call, volume: GlusterVolume) -> Xml:
    """Return a volume in XML."""
    number, text = type_of(volume)
    bricks: list[Xml | str] = []
    for brick in volume.bricks:
        uuid, name = host_uuid(call, brick), f"{brick.host}:{brick.path}"
        bricks.append(
            f'<brick uuid="{uuid}">{name}<name>{name}</name><hostUuid>{uuid}</hostUuid>'
            f"<isArbiter>{int(brick.arbiter)}</isArbiter></brick>"
        )
    options: list[Xml | str] = [
        ("option", [("name", name), ("value", value)]) for name, value in volume.options.items()
    ]
    disperse = volume.kind == "disperse"
    return (
        "volume",
        [
            ("name", volume.name),
            ("id", volume.id),
            ("status", str(STATUS[volume.status])),
            ("statusStr", volume.status),
            ("snapshotCount", str(len(snapshots_of(call, volume.name)))),
            ("brickCount", str(len(volume.bricks))),
            ("distCount", str(volume.sets)),
            ("replicaCount", str(volume.set_size if volume.kind == "replicate" else 1)),
            ("arbiterCount", str(volume.arbiter)),
            ("disperseCount", str(volume.set_size if disperse else 0)),
            ("redundancyCount", str(volume.redundancy)),
            ("type", str(number)),
            ("typeStr", text),
            ("transport", "0"),
            ("bricks", bricks),
            ("optCount", str(len(volume.options))),
            ("options", options),
        ],
    )


def info_text(call: Call, volume: GlusterVolume) -> str:
    """Return a volume as people read it."""
    size, sets = volume.set_size, volume.sets
    number = f"{sets} x {size} = {size * sets}"
    if volume.arbiter:
        number = f"{sets} x ({size - 1} + 1) = {size * sets}"
    if volume.redundancy:
        number = f"{sets} x ({size - volume.redundancy} + {volume.redundancy}) = {size * sets}"
    lines = [
        "",
        f"Volume Name: {volume.name}",
        f"Type: {type_of(volume)[1]}",
        f"Volume ID: {volume.id}",
        f"Status: {volume.status}",
        f"Snapshot Count: {len(snapshots_of(call, volume.name))}",
        f"Number of Bricks: {number if size > 1 else sets}",
        "Transport-type: tcp",
        "Bricks:",
        *(
            f"Brick{at}: {brick.host}:{brick.path}{' (arbiter)' if brick.arbiter else ''}"
            for at, brick in enumerate(volume.bricks, start=1)
        ),
        "Options Reconfigured:",
        *(f"{name}: {value}" for name, value in volume.options.items()),
    ]
    return "".join(f"{line}\n" for line in lines)


def volume_list(call: Call) -> Result:
    """Answer `volume list`."""
    names = sorted(call.pool.volumes)
    if call.xml:
        return answer(("volList", [("count", str(len(names))), *(("volume", name) for name in names)]))
    return (
        Result(0, "".join(f"{name}\n" for name in names)) if names else Result(0, "", "No volumes present in cluster\n")
    )


def status(call: Call) -> Result:
    """Answer `volume status [NAME|all] [detail]`."""
    name = call.words[2] if len(call.words) > 2 else "all"
    detail = "detail" in call.words[3:]
    try:
        volumes = sorted(call.pool.volumes) if name == "all" else [call.volume(name).name]
        listed: list[Xml | str] = []
        for each in volumes:
            volume = call.volume(each)
            if volume.status == "Started":
                listed.append(status_xml(call, volume, detail=detail))
            elif name != "all":
                raise Refusal(f"Volume {name} is not started")
    except Refusal as refusal:
        return refused(call, refusal, "")
    if call.xml:
        return answer(("volStatus", [("volumes", listed)]))
    return Result(0, "".join(status_text(call, call.volume(each)) for each in volumes))


def process_number(volume: GlusterVolume, brick: VolumeBrick, least: int, span: int) -> int:
    """Return a number that stays the same for a brick: its port, its process id."""
    return least + sum(f"{volume.id}{brick.host}{brick.path}".encode()) % span


def status_xml(call: Call, volume: GlusterVolume, *, detail: bool) -> Xml:
    """Return the processes of a volume in XML: bricks of reachable nodes, then the self-heal daemons."""
    nodes: list[Xml | str] = []
    for brick in volume.bricks:
        host = call.host_of(brick)
        if host is None or not (host.up and host.glusterd):
            continue
        runs = gluster_bricks.online(call, volume, brick)
        port = str(process_number(volume, brick, 49152, 12000)) if runs else "N/A"
        pid = process_number(volume, brick, 1000, 30000) if runs else -1
        nodes.append(
            status_node(brick.host, brick.path, host.uuid, port, pid, detail_xml(call, brick) if detail else [])
        )
    if not detail and volume.kind != "distribute":
        for member in call.pool.members.values():
            node = call.node_of(member)
            if node.up and node.glusterd:
                where = "localhost" if node is call.node else member.hostname
                nodes.append(status_node("Self-heal Daemon", where, node.uuid, "N/A", 1000 + node.boots, []))
    body: list[Xml | str] = [("volName", volume.name), ("nodeCount", str(len(nodes))), *nodes]
    return ("volume", body if detail else [*body, ("tasks", "")])


def status_node(host: str, path: str, uuid: str, port: str, pid: int, more: list[Xml | str]) -> Xml:
    """Return one process in XML."""
    return (
        "node",
        [
            ("hostname", host),
            ("path", path),
            ("peerid", uuid),
            ("status", str(int(pid > 0))),
            ("port", port),
            ("ports", [("tcp", port), ("rdma", "N/A")]),
            ("pid", str(pid)),
            *more,
        ],
    )


def detail_xml(call: Call, brick: VolumeBrick) -> list[Xml | str]:
    """Return what `detail` adds about the file system of a brick."""
    node = call.host_of(brick)
    mount = node.covering(brick.path) if node else None
    device = node.device(mount.device) if node and mount else None
    if node is None or mount is None or device is None:
        return []
    total = (device.size_kib - xfs.log_blocks(device.size_kib // 4) * 4) * 1024
    return [
        ("sizeTotal", str(total)),
        ("sizeFree", str(total * 976 // 1000)),
        ("device", mount.device),
        ("blockSize", "4096"),
        ("mntOptions", ",".join(paths.kernel_options(node, mount))),
        ("fsName", mount.fstype),
        ("inodeSize", mount.fstype),
        ("inodesTotal", str(device.size_kib // 2)),
        ("inodesFree", str(device.size_kib // 2)),
    ]


def status_text(call: Call, volume: GlusterVolume) -> str:
    """Return the processes of a volume as people read them."""
    lines = [
        f"Status of volume: {volume.name}",
        f"{'Gluster process':<45}{'TCP Port':<10}{'RDMA Port':<11}{'Online':<8}Pid",
        "-" * 78,
    ]
    for brick in volume.bricks:
        runs = gluster_bricks.online(call, volume, brick)
        port = process_number(volume, brick, 49152, 12000) if runs else "N/A"
        pid = process_number(volume, brick, 1000, 30000) if runs else "N/A"
        lines.append(
            f"{f'Brick {brick.host}:{brick.path}':<45}{port:<10}{'N/A' if not runs else 0:<11}{'NY'[runs]:<8}{pid}"
        )
    return "".join(f"{line}\n" for line in [*lines, " "])


def heal(call: Call) -> Result:
    """Answer `volume heal NAME [full|info [summary]|enable|disable]`."""
    name = call.words[2] if len(call.words) > 2 else ""
    if "info" in call.words[3:]:
        return heal_info(call, name)
    try:
        volume = call.volume(name)
        if volume.status != "Started":
            raise Refusal(f"Volume {name} is not started.")
        if volume.kind == "distribute":
            raise Refusal(f"Volume {name} is not of type replicate/disperse")
    except Refusal as refusal:
        return refused(
            call,
            refusal,
            f"Launching heal operation to perform index self heal on volume {name} has been unsuccessful:\n",
        )
    for brick in volume.bricks:
        brick.to_heal = 0
    return Result(
        0,
        f"Launching heal operation to perform index self heal on volume {name} has been successful \n"
        f"Use heal info commands to check status.\n",
    )


def heal_info(call: Call, name: str) -> Result:
    """Answer `volume heal NAME info`: unlike the others, a refusal has a status even with --xml."""
    volume = call.pool.volumes.get(name)
    problem: tuple[int, str] | None = None
    if volume is None:
        problem = 2, f"Volume {name} does not exist"
    elif volume.kind == "distribute" and volume.status == "Started":
        only = "This command is supported for only volumes of replicate/disperse type."
        problem = 22, f"{only} Volume {name} is not of type replicate/disperse"
    elif volume.status != "Started":
        problem = 5, f"{name}: Not able to fetch volfile from glusterd"
    if volume is None or problem is not None:
        errno, text = problem or (2, "")
        body: list[Xml | str] = [("healInfo", [("bricks", "")]), *outcome(ret=-1, errno=errno, errstr=text)]
        return Result(256 - errno, HEAD + element(("cliOutput", body)) if call.xml else f"{text}\n")
    bricks: list[Xml | str] = []
    text = ""
    for brick in volume.bricks:
        node = call.host_of(brick)
        reached = gluster_bricks.online(call, volume, brick)
        files: list[Xml | str] = [
            f'<file gfid="00000000-0000-0000-0000-{at:012x}">/f{at}</file>'
            for at in range(brick.to_heal if reached else 0)
        ]
        state = "Connected" if reached else "Transport endpoint is not connected"
        entries = str(brick.to_heal) if reached else "-"
        bricks.append(
            (
                f'brick hostUuid="{node.uuid if node and reached else "-"}"',
                [("name", f"{brick.host}:{brick.path}"), *files, ("status", state), ("numberOfEntries", entries)],
            )
        )
        text += f"Brick {brick.host}:{brick.path}\nStatus: {state}\nNumber of entries: {entries}\n\n"
    if not call.xml:
        return Result(0, text)
    return Result(0, HEAD + element(("cliOutput", [("healInfo", [("bricks", bricks)]), *outcome()])))
