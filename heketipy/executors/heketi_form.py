"""Our commands as heketi would write them: text for its shell. Regular expressions of its users look for that.

Nothing here is ever run.
"""

from collections.abc import Sequence
from itertools import pairwise

from heketipy.executors import fstab

_QUOTING = frozenset({"pvcreate", "pvremove"})


def heketi_form(argv: Sequence[str]) -> tuple[str, ...]:
    """Return the text of a command: several where heketi sends several commands for what is one of ours. What heketi
    has no command for is its words, with blanks between them."""
    if (appended := fstab.appended(argv)) is not None:
        line, file = appended
        return (f'awk "BEGIN {{print \\"{line}\\" >> \\"{file}\\"}}"',)
    if (removed := fstab.removed(argv)) is not None:
        mount_points, file = removed
        return tuple(f'sed -i.save "/{point.rpartition("/")[2]}/d" {file}' for point in mount_points)
    text = " ".join(argv)
    match argv:
        case ("gluster", _, _, "volume", "create" | "add-brick", *_):
            return (f"{text} ",)
        case ("gluster-block", "modify", volume, *rest):
            return (f"gluster-block modify {volume}  {' '.join(rest)}",)
        case (*_, device) if _quotes(argv):
            return (f"{text.removesuffix(device)}'{device}'",)
    return (text,)


def _quotes(argv: Sequence[str]) -> bool:
    return any(program.endswith("lvm") and verb in _QUOTING for program, verb in pairwise(argv))
