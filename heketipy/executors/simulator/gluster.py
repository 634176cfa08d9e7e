"""The gluster command: its dispatch, and peers."""

import re

from heketipy.executors.simulator import gluster_reports, gluster_snapshots, gluster_volumes
from heketipy.executors.simulator.context import Context, Tool
from heketipy.executors.simulator.gluster_cli import NO_DAEMON, Call, Refusal, Xml, answer, refused
from heketipy.executors.simulator.state import Member
from heketipy.executors.transport import Result

STATES = {"Peer in Cluster": 3, "Peer Rejected": 6, "Accepted peer request": 4, "Probe Sent to Peer": 2}


def gluster(context: Context) -> Result:
    """Run one gluster command."""
    words = []
    xml = False
    for word in context.args:
        if word == "--xml":
            xml = True
        elif word in {"--version", "-V"}:
            return Result(0, "glusterfs 10.3\nRepository revision: git://git.gluster.org/glusterfs.git\n")
        elif re.match(r"--(mode|timeout|log-level|log-file|remote-host)=|--nolog$", word):
            continue
        else:
            words.append(word)
    if not context.node.glusterd:
        return Result(1, NO_DAEMON)
    call = Call(context, words, xml)
    command = COMMANDS.get(" ".join(words[:2]))
    if command is None:
        return Result(1, "", f"unrecognized word: {words[0] if words else ''} (position 0)\n")
    if " ".join(words[:2]) in TRANSACTIONS and (silence := waiting(call)):
        return silence
    return command(call)


def waiting(call: Call) -> Result | None:
    """Answer as a command for the whole pool does while a peer is silent that counts as connected: the first one waits
    until its time is over, and holds the locks that the next ones ask for. The waiting itself is not simulated."""
    if not call.waits_for():
        call.pool.locked = False
        return None
    if not call.pool.locked:
        call.pool.locked = True
        return Result(1, "", "Error : Request timed out\n")
    name = call.words[2] if len(call.words) > 2 else ""
    text = f"Another transaction is in progress for {name}. Please try again after some time."
    return refused(call, Refusal(text), f"{' '.join(call.words[:2])}: {name}: failed: ")


def probe(call: Call) -> Result:
    """Answer `peer probe HOST`."""
    hostname = call.words[2] if len(call.words) > 2 else ""
    state = call.context.world.state
    target = call.context.world.by_storage(hostname)
    if target is call.node or hostname in {"localhost", "127.0.0.1"}:
        return success(call, "peer probe: Probe on localhost not needed\n")
    if call.member(hostname) is not None:
        return success(call, f"peer probe: Host {hostname} port 24007 already in peer list\n")
    try:
        if target is None or not target.serves:
            raise Refusal("Probe returned with Transport endpoint is not connected", errno=107)
        theirs = state.pool_of(target.manage)
        if len(theirs.members) > 1 or theirs.volumes:
            raise Refusal(f"{hostname} is either already part of another cluster or having volumes configured", errno=3)
    except Refusal as refusal:
        return refused(call, refusal, "peer probe: failed: ")
    pool = call.pool
    for key, other in list(state.pools.items()):
        if other is theirs and other is not pool:
            del state.pools[key]
    pool.members[target.manage] = Member(node=target.manage, hostname=hostname)
    return success(call, "peer probe: success\n")


def detach(call: Call) -> Result:
    """Answer `peer detach HOST [force]`."""
    hostname = call.words[2] if len(call.words) > 2 else ""
    force = "force" in call.words[3:]
    try:
        member = call.member(hostname)
        if member is None:
            raise Refusal(f"{hostname} is not part of cluster", errno=107)
        node = call.node_of(member)
        if node is call.node:
            raise Refusal(f"{hostname} is localhost", errno=1)
        if any(call.host_of(brick) is node for volume in call.pool.volumes.values() for brick in volume.bricks):
            raise Refusal(
                f"Peer {hostname} hosts one or more bricks. If the peer is in not recoverable state then use either"
                " replace-brick or remove-brick command with force to remove all bricks from the peer and attempt the"
                " peer detach again.",
                status=255,
            )
        if not force and not all(call.connected(m) for m in call.pool.members.values() if m is not member):
            raise Refusal("One of the peers is probably down. Check with 'peer status'", errno=107)
    except Refusal as refusal:
        return refused(call, refusal, "peer detach: failed: ")
    del call.pool.members[member.node]
    return success(call, "peer detach: success\n")


def success(call: Call, text: str) -> Result:
    """Return a success: text, or in XML with the text in an element."""
    return answer(("output", text.strip().rpartition(": ")[2])) if call.xml else Result(0, text)


def peer_xml(call: Call, member: Member) -> Xml:
    """Return a peer in XML."""
    return (
        "peer",
        [
            ("uuid", member.uuid or call.node_of(member).uuid),
            ("hostname", member.hostname),
            ("hostnames", [("hostname", member.hostname)]),
            ("connected", str(int(call.connected(member)))),
            ("state", str(STATES.get(member.state, 3))),
            ("stateStr", member.state),
        ],
    )


def others(call: Call) -> list[Member]:
    """Return the peers of the node on which the command runs."""
    return [member for member in call.pool.members.values() if call.node_of(member) is not call.node]


def peer_status(call: Call) -> Result:
    """Answer `peer status`."""
    peers = others(call)
    if call.xml:
        return answer(("peerStatus", [peer_xml(call, peer) for peer in peers]))
    text = f"Number of Peers: {len(peers)}\n"
    for peer in peers:
        connected = "Connected" if call.connected(peer) else "Disconnected"
        text += f"\nHostname: {peer.hostname}\nUuid: {call.node_of(peer).uuid}\nState: {peer.state} ({connected})\n"
    return Result(0, text)


def pool_list(call: Call) -> Result:
    """Answer `pool list`: the peers, and localhost."""
    peers = others(call)
    if call.xml:
        local: Xml = ("peer", [("uuid", call.node.uuid), ("hostname", "localhost"), ("connected", "1")])
        return answer(("peerStatus", [*(peer_xml(call, peer) for peer in peers), local]))
    rows = [(call.node_of(p).uuid, p.hostname, "Connected" if call.connected(p) else "Disconnected") for p in peers]
    rows.append((call.node.uuid, "localhost", "Connected"))
    return Result(0, "UUID\t\t\t\t\tHostname\tState\n" + "".join(f"{u}\t{h:<9}\t{s} \n" for u, h, s in rows))


def system_uuid(call: Call) -> Result:
    """Answer `system:: uuid get`."""
    if call.xml:
        return answer(("uuidGenerate", [("uuid", call.node.uuid)]))
    return Result(0, f"UUID: {call.node.uuid}\n")


COMMANDS = {
    "peer probe": probe,
    "peer detach": detach,
    "peer status": peer_status,
    "pool list": pool_list,
    "system:: uuid": system_uuid,
    "volume create": gluster_volumes.create,
    "volume add-brick": gluster_volumes.add_brick,
    "volume set": gluster_volumes.set_options,
    "volume reset": gluster_volumes.reset_options,
    "volume get": gluster_volumes.get_option,
    "volume start": gluster_volumes.start,
    "volume stop": gluster_volumes.stop,
    "volume delete": gluster_volumes.delete,
    "volume rebalance": gluster_volumes.rebalance,
    "volume replace-brick": gluster_volumes.replace_brick,
    "volume info": gluster_reports.info,
    "volume list": gluster_reports.volume_list,
    "volume status": gluster_reports.status,
    "volume heal": gluster_reports.heal,
    "snapshot create": gluster_snapshots.create,
    "snapshot activate": gluster_snapshots.activate,
    "snapshot deactivate": gluster_snapshots.deactivate,
    "snapshot clone": gluster_snapshots.clone,
    "snapshot delete": gluster_snapshots.delete,
    "snapshot list": gluster_snapshots.snapshot_list,
    "snapshot info": gluster_snapshots.info,
    "snapshot config": gluster_snapshots.config,
}

TRANSACTIONS = frozenset(
    word
    for word in COMMANDS
    if word.startswith(("volume", "snapshot"))
    and word not in {"volume info", "volume list", "volume get", "volume heal", "snapshot list", "snapshot info"}
)
"""Commands that every peer takes part in, under locks."""

TOOLS: dict[str, Tool] = {"gluster": gluster}
