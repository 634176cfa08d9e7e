"""Options of volumes: the list that is stored and set on gluster, and the few keys that heketipy itself reads
(§5.3).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from heketipy.domain.durability import Durability, DurabilityType

ARBITER = "user.heketi.arbiter"
AVERAGE_FILE_SIZE = "user.heketi.average-file-size"
ZONE_CHECKING = "user.heketi.zone-checking"
TAG_MATCH = "user.heketi.device-tag-match"

_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_UINT64_MAX = 2**64 - 1


@dataclass(frozen=True, slots=True)
class ParsedOptions:
    """What a volume's options say to placement. `tag_rule` is the text of the rule, which may be no valid
    rule.
    """

    arbiter: bool = False
    average_file_size_kib: int = 0
    """0: the server's default."""
    zone_checking: str = ""
    """Empty: the server's default."""
    tag_rule: str = ""
    """Empty: none."""


def effective_options(pre: str, post: str, block_options: str, request: Iterable[str], block: bool) -> tuple[str, ...]:
    """Return the list that is stored and shown: the server's, the request's, the server's.

    `pre`, `post` and `block_options` are comma-separated settings. An empty setting gives one empty text, and
    so every list holds some: clients see them, gluster does not.
    """
    return (
        *pre.split(","),
        *(block_options.split(",") if block else ()),
        *request,
        *post.split(","),
    )


def split_option(option: str) -> tuple[str, str]:
    """Split an option at its first blank into key and value. Nothing is trimmed; without a blank the value is
    empty.
    """
    key, _, value = option.partition(" ")
    return key, value


def parsed(options: Iterable[str]) -> ParsedOptions:
    """Read the keys that are ours. Later entries override earlier ones."""
    last = dict(split_option(option) for option in options)
    return ParsedOptions(
        arbiter=last.get(ARBITER, "") in _TRUE,
        average_file_size_kib=_uint64(last.get(AVERAGE_FILE_SIZE, "")),
        zone_checking=last.get(ZONE_CHECKING, ""),
        tag_rule=last.get(TAG_MATCH, ""),
    )


def has_arbiter(durability: Durability, options: Iterable[str]) -> bool:
    """Tell whether each set's third brick is an arbiter brick. The option means something for replica 3
    alone.
    """
    return durability.type is DurabilityType.REPLICATE and durability.copies == 3 and parsed(options).arbiter


def _uint64(text: str) -> int:
    """Read a plain decimal number; 0 for whatever else."""
    if not (text.isascii() and text.isdigit()) or len(text.lstrip("0")) > len(str(_UINT64_MAX)):
        return 0
    number = int(text.lstrip("0") or "0")
    return number if number <= _UINT64_MAX else 0
