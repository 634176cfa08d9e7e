"""What gluster's command line makes of an outcome: text on two streams, or XML with status 0.

With `--xml` a refusal of a volume or snapshot command is told inside the XML, and the status is 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from heketipy.executors.simulator.context import Context
from heketipy.executors.simulator.state import REJECTED, GlusterVolume, Member, Node, Pool, VolumeBrick
from heketipy.executors.transport import Result

NO_DAEMON = "Connection failed. Please check if gluster daemon is operational.\n"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

Xml = tuple[str, "str | Sequence[Xml | str]"]
"""An element: its tag (attributes included), and its text, or its children; a child that is text is raw XML."""


class Refusal(Exception):
    """Glusterd says no."""

    def __init__(self, text: str, *, errno: int = 30800, status: int = 1, errstr: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.errno = errno
        self.status = status
        self.errstr = text if errstr is None else errstr


@dataclass(slots=True)
class Call:
    """One gluster command: where it runs, its words without options, whether XML was asked for."""

    context: Context
    words: list[str]
    xml: bool

    @property
    def node(self) -> Node:
        """The node on which the command runs."""
        return self.context.node

    @property
    def pool(self) -> Pool:
        """The trusted pool of that node."""
        return self.context.world.state.pool_of(self.node.manage)

    def volume(self, name: str) -> GlusterVolume:
        """Return a volume, or refuse."""
        found = self.pool.volumes.get(name)
        if found is None:
            raise Refusal(f"Volume {name} does not exist", errno=30806)
        return found

    def member(self, hostname: str) -> Member | None:
        """Return the peer of a name; the node itself included."""
        state = self.context.world.state
        for member in self.pool.members.values():
            if hostname in (member.hostname, member.node) or hostname == state.nodes[member.node].storage:
                return member
        if hostname in {"localhost", "127.0.0.1"}:
            return self.pool.members[self.node.manage]
        return None

    def node_of(self, member: Member) -> Node:
        """Return the machine of a peer."""
        return self.context.world.state.nodes[member.node]

    def connected(self, member: Member) -> bool:
        """Return whether glusterd of a peer answers, as far as the others know."""
        node = self.node_of(member)
        return node is self.node or node.serves or not node.noticed

    def waits_for(self) -> list[Member]:
        """Return the peers whose answer a command for the whole pool would wait for in vain."""
        members = self.pool.members.values()
        return [m for m in members if self.connected(m) and m.state != REJECTED and not self._answers(m)]

    def _answers(self, member: Member) -> bool:
        node = self.node_of(member)
        return node is self.node or node.serves

    def host_of(self, brick: VolumeBrick) -> Node | None:
        """Return the machine of a brick."""
        member = self.member(brick.host)
        return self.node_of(member) if member else None


def element(item: Xml | str, depth: int = 0) -> str:
    """Return XML in gluster's layout: two blanks a level, each element on its lines."""
    indent = "  " * depth
    if isinstance(item, str):
        return f"{indent}{item}\n"
    tag, content = item
    if isinstance(content, str):
        if not content:
            return f"{indent}<{tag}/>\n"
        return f"{indent}<{tag}>{escape(content)}</{tag.split(' ')[0]}>\n"
    if not content:
        return f"{indent}<{tag}/>\n"
    inside = "".join(element(child, depth + 1) for child in content)
    return f"{indent}<{tag}>\n{inside}{indent}</{tag.split(' ')[0]}>\n"


def outcome(*, ret: int = 0, errno: int = 0, errstr: str = "") -> list[Xml | str]:
    """Return the three elements which tell how it went."""
    return [("opRet", str(ret)), ("opErrno", str(errno)), ("opErrstr", errstr)]


def answer(*body: Xml | str) -> Result:
    """Return a success in XML."""
    return Result(0, HEAD + element(("cliOutput", [*outcome(), *body])))


def refused(call: Call, refusal: Refusal, prefix: str, *body: Xml | str) -> Result:
    """Return a refusal: after a prefix on stderr, or in XML with status 0."""
    if call.xml:
        told = outcome(ret=-1, errno=refusal.errno, errstr=refusal.errstr)
        return Result(0, HEAD + element(("cliOutput", [*told, *body])))
    return Result(refusal.status, "", f"{prefix}{refusal.text}\n")
