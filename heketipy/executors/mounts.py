"""Mounting and unmounting bricks, and what is mounted."""

import re
from dataclasses import dataclass

_MOUNT = re.compile(r"(?P<device>\S+) on (?P<point>.+) type (?P<type>\S+) \((?P<options>[^)]*)\).*")


@dataclass(frozen=True, slots=True)
class Mount:
    """One mounted file system."""

    device: str
    point: str
    type: str


def mount(device: str, point: str, *, options: str) -> tuple[str, ...]:
    """Mount a brick's file system."""
    return ("mount", "-o", options, device, point)


def umount(point: str) -> tuple[str, ...]:
    """Unmount a brick's file system; one in use is refused."""
    return ("umount", point)


def show() -> tuple[str, ...]:
    """List what is mounted; read it with `read`."""
    return ("mount",)


def open_files(point: str) -> tuple[str, ...]:
    """Ask who keeps a file system busy; for people."""
    return ("lsof", point)


def read(text: str) -> list[Mount]:
    """Read the list of what is mounted; lines of another form are passed over."""
    return [
        Mount(device=found["device"], point=found["point"], type=found["type"])
        for row in text.split("\n")
        if (found := _MOUNT.fullmatch(row))
    ]


def is_unmounted(text: str) -> bool:
    """Tell whether umount says that nothing is mounted there."""
    return "not mounted" in text or "no mount point specified" in text
