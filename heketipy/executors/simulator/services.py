"""systemctl, and the few commands that ask a machine about itself."""

from heketipy.executors.simulator.context import Context, Tool, done, failed
from heketipy.executors.transport import Result

UNIT = "glusterd.service - GlusterFS, a clustered file-system server"
LOADED = "     Loaded: loaded (/lib/systemd/system/glusterd.service; enabled; preset: enabled)\n"


def systemctl(context: Context) -> Result:
    """Answer status, is-active, start, stop and restart of glusterd."""
    words = [word for word in context.args if not word.startswith("-")]
    verb, unit = [*words, "", ""][:2]
    if (verb, unit) == ("status", "gluster-blockd"):
        return done() if context.node.blockd else failed(3, "", "inactive (dead)\n")
    if unit.removesuffix(".service") != "glusterd":
        return failed(4, f"Unit {unit}.service could not be found.\n")
    match verb:
        case "start" | "restart":
            context.node.glusterd = True
            return done()
        case "stop":
            context.node.glusterd = False
            return done()
        case "is-active":
            return done("active\n") if context.node.glusterd else failed(3, "", "inactive\n")
        case "is-enabled":
            return done("enabled\n")
        case "status":
            return status(context)
    return failed(1, f"Unknown command verb {verb}.\n")


def status(context: Context) -> Result:
    """Describe glusterd: status 0 if it runs, 3 if not."""
    since = f"{context.world.now():%a %Y-%m-%d %H:%M:%S} UTC; 24s ago\n"
    if context.node.glusterd:
        return done(
            f"● {UNIT}\n{LOADED}     Active: active (running) since {since}       Docs: man:glusterd(8)\n"
            f"   Main PID: {250 + context.node.boots} (glusterd)\n"
        )
    return failed(3, "", f"○ {UNIT}\n{LOADED}     Active: inactive (dead) since {since}       Docs: man:glusterd(8)\n")


def uname(context: Context) -> Result:
    """Name the kernel, or with -n the machine."""
    if "-n" in context.args:
        return done(f"{context.node.manage}\n")
    return done("6.1.0-50-cloud-amd64\n" if "-r" in context.args else "Linux\n")


def hostname(context: Context) -> Result:
    """Name the machine."""
    return done(f"{context.node.manage}\n")


def nproc(_: Context) -> Result:
    """Count its processors."""
    return done("2\n")


def user(context: Context) -> Result:
    """Tell as whom commands run: as root."""
    return done("0\n" if "-u" in context.args else "uid=0(root) gid=0(root) groups=0(root)\n")


def date(context: Context) -> Result:
    """Tell the time by the node's own clock: `+%s` and `+%s.%N` are known."""
    now = context.world.now().timestamp() + context.node.clock_ahead
    if context.args == ("+%s.%N",):
        return done(f"{now:.9f}\n")
    return done(f"{int(now)}\n")


def modprobe(context: Context) -> Result:
    """Say whether a kernel module is there; all are loaded already that are."""
    names = [word for word in context.args if not word.startswith("-")]
    missing = [name for name in names if name in context.node.missing]
    if not missing:
        return done()
    quiet = {"-q", "--quiet"} & set(context.args)
    return failed(1, "" if quiet else f"modprobe: FATAL: Module {missing[0]} not found in directory /lib/modules\n")


def thin_check(_: Context) -> Result:
    """Say which version it is."""
    return done("0.9.0\n")


TOOLS: dict[str, Tool] = {
    "systemctl": systemctl,
    "uname": uname,
    "hostname": hostname,
    "nproc": nproc,
    "id": user,
    "date": date,
    "modprobe": modprobe,
    "thin_check": thin_check,
}
