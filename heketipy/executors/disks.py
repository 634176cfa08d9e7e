"""What is on a disk and who uses it, as lsblk and wipefs tell: asked when LVM has refused a disk. Only looks."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

_COLUMNS = "NAME,TYPE,SIZE,FSTYPE,LABEL,UUID,PTTYPE,MOUNTPOINT"
_BYTES_PER_KIB = 1024


@dataclass(frozen=True, slots=True)
class BlockDevice:
    """A disk, a partition, a logical volume or the like, and what is made of it. `content` is what blkid calls it
    (`xfs`, `LVM2_member`), `table` the kind of its partition table, `mount_point` where it is mounted; "" for none.
    """

    name: str
    type: str
    size_kib: int
    content: str = ""
    label: str = ""
    uuid: str = ""
    table: str = ""
    mount_point: str = ""
    children: tuple["BlockDevice", ...] = field(default_factory=tuple)

    def below(self) -> Iterator["BlockDevice"]:
        """Yield all that is made of it, each before what is made of that."""
        for child in self.children:
            yield child
            yield from child.below()


@dataclass(frozen=True, slots=True)
class Signature:
    """Bytes by which something is known to be on a device."""

    type: str
    label: str = ""


def tree(path: str = "") -> tuple[str, ...]:
    """Ask for a block device and all that is made of it, or for all of the node; read the answer with `read_tree`."""
    return ("lsblk", "--json", "--paths", "--bytes", "--output", _COLUMNS, *([path] if path else []))


def signatures(path: str) -> tuple[str, ...]:
    """Ask for the signatures on a device, and erase none; read the answer with `read_signatures`."""
    return ("wipefs", "--json", path)


def read_tree(text: str) -> tuple[BlockDevice, ...]:
    """Read what lsblk lists. Raises ValueError."""
    return tuple(_device(row) for row in _rows(text, "blockdevices"))


def read_signatures(text: str) -> tuple[Signature, ...]:
    """Read the signatures that wipefs lists; of none it may print nothing at all. Raises ValueError."""
    if not text.strip():
        return ()
    return tuple(Signature(_text(row, "type"), _text(row, "label")) for row in _rows(text, "signatures"))


def _rows(text: str, member: str) -> Sequence[dict[str, Any]]:
    document = json.loads(text)
    rows = document.get(member) if isinstance(document, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"no list of {member}")
    return rows


def _device(row: Any) -> BlockDevice:
    if not isinstance(row, dict):
        raise ValueError("a block device that is no object")
    return BlockDevice(
        name=_text(row, "name"),
        type=_text(row, "type"),
        # Numbers are texts in lsblk's JSON before util-linux 2.33.
        size_kib=int(row.get("size") or 0) // _BYTES_PER_KIB,
        content=_text(row, "fstype"),
        label=_text(row, "label"),
        uuid=_text(row, "uuid"),
        table=_text(row, "pttype"),
        mount_point=_text(row, "mountpoint"),
        children=tuple(_device(child) for child in row.get("children") or ()),
    )


def _text(row: dict[str, Any], member: str) -> str:
    return str(row.get(member) or "")
