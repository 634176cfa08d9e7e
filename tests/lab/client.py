"""A client of a volume: the glusterfs mount on nodes of the lab, and what is read through it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from machines import Node

MOUNT = "/mnt/lab"
_WRITER = "/run/lab-writer"


@contextmanager
def mounted(volume: Mapping[str, Any], nodes: Sequence[Node], where: str = MOUNT) -> Iterator[None]:
    """Mount a volume on nodes with the server's own mount data."""
    source = volume["mount"]["glusterfs"]
    # heketi joins them by commas, which divide options in a mount command; there it wants colons.
    backups = source["options"]["backup-volfile-servers"].replace(",", ":")
    for node in nodes:
        node.ssh(
            f"mkdir -p {where} && mount -t glusterfs -o backup-volfile-servers={backups} {source['device']} {where}"
        )
    try:
        yield
    finally:
        for node in nodes:
            node.ssh(f"umount {where} || umount -l {where}; rmdir {where}", check=False)


@contextmanager
def writing(node: Node) -> Iterator[None]:
    """Go on writing files through a mount, and note their checksums beside it; `check_written` compares."""
    loop = (
        f"rm -rf {_WRITER}; mkdir {_WRITER}; cd {MOUNT} && number=0; while [ ! -e {_WRITER}/stop ]; do"
        " number=$((number + 1)); dd if=/dev/urandom of=w$number bs=16k count=8 conv=fsync status=none"
        f" && sha256sum w$number >>{_WRITER}/sums || echo w$number >>{_WRITER}/failed; sleep 0.5; done;"
        f" touch {_WRITER}/ended"
    )
    node.ssh(f"setsid sh -c '{loop}' >/dev/null 2>&1 </dev/null &")
    try:
        yield
    finally:
        node.ssh(f"touch {_WRITER}/stop; until [ -e {_WRITER}/ended ]; do sleep 0.1; done", timeout=120)


def check_written(writer: Node, reader: Node) -> int:
    """Compare what one node wrote with what another one reads; return how many files that were."""
    assert writer.out(f"cat {_WRITER}/failed 2>/dev/null; true") == ""
    sums = writer.out(f"cat {_WRITER}/sums")
    assert reader.out(f"cd {MOUNT} && echo '{sums}' | sha256sum -c --quiet 2>&1; true") == ""
    return len(sums.splitlines())


def checksum(node: Node, name: str, where: str = MOUNT) -> str:
    """What a client on that node reads."""
    return node.out(f"sha256sum {where}/{name}").split()[0]


def entries_to_heal(node: Node, volume: str) -> int:
    """How much gluster still has to copy to bricks that were away; bricks that are away count as one entry."""
    text = node.out(f"gluster --mode=script volume heal {volume} info | grep '^Number of entries'")
    return sum(int(count) if (count := line.split(": ")[1]).isdigit() else 1 for line in text.splitlines())
