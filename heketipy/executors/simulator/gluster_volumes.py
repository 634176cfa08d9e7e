"""gluster's commands that change volumes: create, add-brick, set, start, stop, delete, rebalance, replace-brick."""

import re
from collections.abc import Mapping, Sequence

from heketipy.executors.simulator import gluster_bricks, gluster_options
from heketipy.executors.simulator.gluster_cli import Call, Refusal, answer, refused
from heketipy.executors.simulator.gluster_reports import snapshots_of
from heketipy.executors.simulator.state import GlusterVolume, VolumeBrick
from heketipy.executors.transport import Result

CREATE_USAGE = (
    "\nUsage:\nvolume create <NEW-VOLNAME> [[replica <COUNT> [arbiter <COUNT>]]|[replica 2 thin-arbiter 1]] [disperse"
    " [<COUNT>]] [disperse-data <COUNT>] [redundancy <COUNT>] [transport <tcp|rdma|tcp,rdma>] <NEW-BRICK> <TA-BRICK>..."
    " [force]\n\n"
)
SET_USAGE = "\nUsage:\nvolume set <VOLNAME> group <GROUP>\n\n"
ADD_USAGE = "\nUsage:\nvolume add-brick <VOLNAME> [<replica> <COUNT> [arbiter <COUNT>]] <NEW-BRICK> ... [force]\n\n"


def create(call: Call) -> Result:
    """Answer `volume create NAME [layout] BRICK… [force]`."""
    words = call.words[2:]
    name = words[0] if words else ""
    if bad := re.search(r"[^A-Za-z0-9_-]", name):
        return Result(
            1,
            "",
            f'Volume name should not contain "{bad[0]}" character.\n'
            f"Volume names can onlycontain alphanumeric, '-' and '_' characters.\n{CREATE_USAGE}",
        )
    layout, rest, force = read_layout(words[1:])
    if not name or not rest:
        return Result(1, "", CREATE_USAGE)
    try:
        bricks = gluster_bricks.parse(rest)
        if name in call.pool.volumes:
            raise Refusal(f"Volume {name} already exists")
        volume = wanted_volume(call, name, layout, bricks)
        gluster_bricks.validate(call, bricks, volume, force=force)
        refuse_layout(volume, layout)
    except Refusal as refusal:
        return refused(call, refusal, f"volume create: {name}: failed: ")
    call.pool.volumes[name] = volume
    if call.xml:
        return answer(("volCreate", [("volume", [("name", name), ("id", volume.id)])]))
    return Result(0, f"volume create: {name}: success: please start the volume to access data\n")


def read_layout(words: Sequence[str]) -> tuple[dict[str, int], list[str], bool]:
    """Split `replica 3 arbiter 1 transport tcp BRICK… force` into counts, bricks and force."""
    counts: dict[str, int] = {}
    rest = list(words)
    force = rest[-1:] == ["force"]
    if force:
        rest.pop()
    while rest and rest[0] in {"replica", "arbiter", "disperse", "disperse-data", "redundancy", "transport", "stripe"}:
        key = rest.pop(0)
        if key == "transport":
            rest = rest[1:]
        elif rest and rest[0].isdecimal():
            counts[key] = int(rest.pop(0))
        else:
            counts[key] = 0
    return counts, rest, force


def wanted_volume(call: Call, name: str, layout: dict[str, int], bricks: list[VolumeBrick]) -> GlusterVolume:
    """Return the volume that was asked for, not yet in the pool."""
    kind, size, redundancy = "distribute", 1, 0
    arbiter = layout.get("arbiter", 0)
    if "replica" in layout:
        kind, size = "replicate", layout["replica"]
    elif layout.keys() & {"disperse", "disperse-data", "redundancy"}:
        kind = "disperse"
        redundancy = layout.get("redundancy", 0)
        size = layout.get("disperse", 0) or layout.get("disperse-data", 0) + redundancy or len(bricks)
        redundancy = redundancy or size - layout.get("disperse-data", size - 1)
    for at, brick in enumerate(bricks):
        brick.arbiter = bool(arbiter) and at % size == size - 1
    return GlusterVolume(
        name=name,
        id=call.context.world.uuid(),
        kind=kind,
        set_size=max(size, 1),
        arbiter=arbiter,
        redundancy=redundancy,
        bricks=bricks,
        options=gluster_options.initial(kind),
    )


def refuse_layout(volume: GlusterVolume, layout: dict[str, int]) -> None:
    """Refuse counts which make no volume. Glusterd finds out late: the bricks are marked by then, and stay so."""
    if volume.arbiter and volume.set_size != 3:
        raise Refusal("Failed to create volume files")
    if volume.kind == "disperse" and volume.redundancy * 2 >= volume.set_size:
        raise Refusal("Failed to create volume files")
    if len(volume.bricks) % volume.set_size:
        count = "disperse" if volume.kind == "disperse" else "replica"
        raise Refusal(f"number of bricks is not a multiple of {count} count")
    if layout.get("replica") in {0, 1}:
        raise Refusal("replica count should be greater than 1")


def add_brick(call: Call) -> Result:
    """Answer `volume add-brick NAME BRICK… [force]`."""
    words = call.words[2:]
    name = words[0] if words else ""
    layout, rest, force = read_layout(words[1:])
    if not rest:
        return Result(1, "", ADD_USAGE)
    try:
        volume = call.volume(name)
        bricks = gluster_bricks.parse(rest)
        changed = layout.get("replica", volume.set_size) != volume.set_size
        if len(bricks) % volume.set_size or changed:
            raise Refusal(f"Incorrect number of bricks supplied {len(bricks)} with count {volume.set_size}")
        gluster_bricks.validate(call, bricks, volume, force=force)
    except Refusal as refusal:
        return refused(call, refusal, "volume add-brick: failed: ")
    for at, brick in enumerate(bricks):
        brick.arbiter = bool(volume.arbiter) and at % volume.set_size == volume.set_size - 1
    volume.bricks += bricks
    if call.xml:
        return answer(("volAddBrick", [("volume", [("name", name), ("id", volume.id)])]))
    return Result(0, "volume add-brick: success\n")


def set_options(call: Call) -> Result:
    """Answer `volume set NAME OPTION VALUE …`."""
    words = call.words[2:]
    name = words[0] if words else ""
    pairs = words[1:]
    if not pairs or len(pairs) % 2:
        return Result(1, "", SET_USAGE)
    wanted: dict[str, str] = {}
    for option, value in zip(pairs[::2], pairs[1::2], strict=True):
        if option == "group":
            group = gluster_options.group_options(value)
            if group is None:
                path = f"/var/lib/glusterd/groups/{value}"
                return Result(1, "", f"Unable to open file '{path}'. Error: No such file or directory\n")
            wanted |= group
        else:
            wanted[option] = value
    try:
        volume = call.volume(name)
        for option in wanted:
            if not gluster_options.known(option):
                raise Refusal(f"option : {option} does not exist")
        if volume.kind != "distribute" and volume.status == "Created" and gluster_bricks.of_snapshot(volume):
            # Its volfile for the self-heal daemon is first written when it starts.
            raise Refusal("Commit failed on localhost. Please check the log file for more details.")
    except Refusal as refusal:
        return refused(call, refusal, "volume set: failed: ")
    for option, value in wanted.items():
        volume.options = gluster_options.put(volume.options, option, value)
    return answer() if call.xml else Result(0, "volume set: success\n")


def reset_options(call: Call) -> Result:
    """Answer `volume reset NAME [OPTION] [force]`."""
    words = [word for word in call.words[2:] if word != "force"]
    name = words[0] if words else ""
    try:
        volume = call.volume(name)
    except Refusal as refusal:
        return refused(call, refusal, "volume reset: failed: ")
    initial = gluster_options.initial(volume.kind)
    if len(words) > 1:
        volume.options.pop(words[1], None)
        volume.options |= {key: value for key, value in initial.items() if key == words[1]}
    else:
        volume.options = initial
    return answer() if call.xml else Result(0, "volume reset: success: reset volume successful\n")


def get_option(call: Call) -> Result:
    """Answer `volume get NAME OPTION|all`."""
    words = [*call.words[2:], "", ""]
    name, option = words[0], words[1]
    if (name, option) == ("all", "cluster.op-version"):
        return option_table({option: str(call.node.op_version)})
    try:
        volume = call.volume(name)
        if option != "all" and option not in volume.options and not gluster_options.known(option):
            raise Refusal(f"option : {option} does not exist")
    except Refusal as refusal:
        return refused(call, refusal, "volume get option: failed: ")
    options = volume.options if option == "all" else {option: volume.options.get(option, "(null)")}
    return option_table(options)


def option_table(options: Mapping[str, str]) -> Result:
    """Return options as a table."""
    rows = "".join(f"{key:<40}{value:<40}\n" for key, value in options.items())
    return Result(0, f"{'Option':<40}{'Value':<40}\n{'------':<40}{'-----':<40}\n{rows}")


def start(call: Call) -> Result:
    """Answer `volume start NAME [force]`."""
    name = call.words[2] if len(call.words) > 2 else ""
    try:
        volume = call.volume(name)
        if volume.status == "Started" and "force" not in call.words[3:]:
            raise Refusal(f"Volume {name} already started")
        if "force" not in call.words[3:]:
            gluster_bricks.refuse_absent(call, volume)
    except Refusal as refusal:
        return refused(call, refusal, f"volume start: {name}: failed: ")
    volume.status = "Started"
    if call.xml:
        return answer(("volStart", [("volume", [("name", name), ("id", volume.id)])]))
    return Result(0, f"volume start: {name}: success\n")


def stop(call: Call) -> Result:
    """Answer `volume stop NAME [force]`."""
    name = call.words[2] if len(call.words) > 2 else ""
    try:
        volume = call.volume(name)
        if volume.status != "Started" and "force" not in call.words[3:]:
            raise Refusal(f"Volume {name} is not in the started state")
    except Refusal as refusal:
        return refused(call, refusal, f"volume stop: {name}: failed: ")
    if volume.status == "Started":
        volume.status = "Stopped"
    volume.rebalance = ""
    if call.xml:
        return answer(("volStop", [("volume", [("name", name), ("id", volume.id)])]))
    return Result(0, f"volume stop: {name}: success\n")


def delete(call: Call) -> Result:
    """Answer `volume delete NAME`. Directories of bricks keep their mark; mounts and LVs of clones stay."""
    name = call.words[2] if len(call.words) > 2 else ""
    try:
        volume = call.volume(name)
        if volume.status == "Started":
            raise Refusal(f"Volume {name} has been started.Volume needs to be stopped before deletion.")
        count = len(snapshots_of(call, name))
        if count:
            raise Refusal(
                f"Cannot delete Volume {name} ,as it has {count} snapshots. To delete the volume, first delete all the"
                " snapshots under it."
            )
        if not all(call.connected(member) for member in call.pool.members.values()):
            raise Refusal("Some of the peers are down")
    except Refusal as refusal:
        return refused(call, refusal, f"volume delete: {name}: failed: ")
    del call.pool.volumes[name]
    if call.xml:
        return answer(("volDelete", [("volume", [("name", name), ("id", volume.id)])]))
    return Result(0, f"volume delete: {name}: success\n")


def rebalance(call: Call) -> Result:
    """Answer `volume rebalance NAME start|stop|status`; a rebalance is over as soon as it has begun."""
    words = [*call.words[2:], "", ""]
    name, verb = words[0], words[1] if words[1] != "fix-layout" else words[2]
    verb = verb or "start"
    try:
        volume = call.volume(name)
        if volume.status != "Started":
            raise Refusal(f"Volume {name} needs to be started to perform rebalance")
        if volume.sets < 2:
            raise Refusal(
                f"Volume {name} is not a distribute volume or contains only 1 brick.\nNot performing rebalance"
            )
        if verb in {"status", "stop"} and not volume.rebalance:
            raise Refusal(f"Rebalance not started for volume {name}.")
    except Refusal as refusal:
        return refused(call, refusal, f"volume rebalance: {name}: failed: ")
    if verb == "start":
        volume.rebalance = call.context.world.uuid()
        text = f"Rebalance on {name} has been started successfully. Use rebalance status command to check status of the"
        if call.xml:
            return answer(("volRebalance", [("task-id", volume.rebalance), ("op", "1")]))
        return Result(0, f"volume rebalance: {name}: success: {text} rebalance process.\nID: {volume.rebalance}\n")
    if call.xml:
        return answer(
            ("volRebalance", [("task-id", volume.rebalance), ("op", "3"), ("aggregate", [("statusStr", "completed")])])
        )
    return Result(0, f"volume rebalance: {name}: success\n")


def replace_brick(call: Call) -> Result:
    """Answer `volume replace-brick NAME OLD NEW commit force`."""
    words = call.words[2:]
    name = words[0] if words else ""
    if len(words) < 3 or words[3:] != ["commit", "force"]:
        return Result(
            1,
            "",
            "\nUsage:\nvolume replace-brick <VOLNAME> <SOURCE-BRICK> <NEW-BRICK> {commit force}\n\n",
        )
    try:
        volume = call.volume(name)
        old, new = gluster_bricks.parse(words[1:3])
        at = next(
            (n for n, b in enumerate(volume.bricks) if (b.path, call.host_of(b)) == (old.path, call.host_of(old))), None
        )
        if at is None:
            raise Refusal(f"brick: {words[1]} does not exist in volume: {name}")
        if volume.kind == "distribute":
            raise Refusal("replace-brick is not supported on distribute volumes. Use add-brick and remove-brick")
        node = gluster_bricks.host_of_new_brick(call, new)
        where = "" if node is call.node else f"Pre Validation failed on {new.host}. "
        try:
            gluster_bricks.refuse_overlap(call, [new])
            gluster_bricks.claim(node, new, volume.id, force=True)
        except Refusal as refusal:
            raise Refusal(f"{where}{refusal.text}") from refusal
    except Refusal as refusal:
        return refused(call, refusal, "volume replace-brick: failed: ")
    new.arbiter = volume.bricks[at].arbiter
    volume.bricks[at] = new
    if call.xml:
        return answer(("volReplaceBrick", ""))
    return Result(0, "volume replace-brick: success: replace-brick commit force operation successful\n")
