"""gluster-block: argv of what we ask of it, and what its answers mean (commands §2.7).

It answers in JSON, whose exit status is not to be relied on, on stdout or, for some failures, on stderr. Where a
password may be in an answer, no part of that answer gets into a text.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from heketipy.domain.model import BlockTarget
from heketipy.executors.options import NodeOptions
from heketipy.executors.transport import Result

IQN_PREFIX = "iqn.2016-12.org.gluster-block:"
DEFAULT_PREALLOC = "full"
WITHHELD = "(not shown, since it may hold a password)"

_PREALLOC = re.compile(r"[a-zA-Z0-9-_]+")
_DAEMON_AWAY = "Please check if gluster-block daemon is operational"
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([A-Z].*)")
_GIB = {unit + end: 1024**power for power, unit in enumerate("GTPE") for end in ("", "B", "IB")}

_OUTCOME: Mapping[str, type] = {"RESULT": str, "errCode": int, "errMsg": str}
_CREATED: Mapping[str, type] = {"IQN": str, "USERNAME": str, "PASSWORD": str, "PORTAL(S)": list, **_OUTCOME}
_RESIZED: Mapping[str, type] = {
    "IQN": str,
    "SIZE": str,
    "SUCCESSFUL ON": list,
    "FAILED ON": list,
    "SKIPPED ON": list,
    **_OUTCOME,
}
_INFO: Mapping[str, type] = {
    "NAME": str,
    "VOLUME": str,
    "GBID": str,
    "SIZE": str,
    "HA": int,
    "PASSWORD": str,
    "EXPORTED ON": list,
    "RESIZE FAILED ON": dict,
    **_OUTCOME,
}
_LIST: Mapping[str, type] = {"blocks": list, **_OUTCOME}


@dataclass(frozen=True, slots=True)
class BlockVolumeLayout:
    """What gluster-block has to know to make a block volume. `hosts` are the storage names that are to export it."""

    hosting_volume: str
    name: str
    hosts: tuple[str, ...]
    size_gib: int
    auth: bool = False


@dataclass(frozen=True, slots=True)
class BlockVolumeReading:
    """A block volume as gluster-block knows it. `usable_gib` is what the host with the least provides after a resize
    that some of them refused, else 0."""

    iqn: str
    size_gib: int
    usable_gib: int = 0
    hosts: tuple[str, ...] = ()
    username: str = ""
    password: str = field(default="", repr=False)

    @property
    def target(self) -> BlockTarget:
        """How an initiator reaches it."""
        return BlockTarget(self.hosts, self.iqn, self.username, self.password)


@dataclass(frozen=True, slots=True)
class Block:
    """Builds the argv of gluster-block commands with the site's options."""

    options: NodeOptions

    def create(self, layout: BlockVolumeLayout) -> tuple[str, ...]:
        """Make a block volume, and export it from its hosts."""
        prealloc = self.options.block_prealloc
        return (
            *("gluster-block", "create", f"{layout.hosting_volume}/{layout.name}"),
            *("ha", str(len(layout.hosts))),
            *("auth", "enable" if layout.auth else "disable"),
            *("prealloc", prealloc if _PREALLOC.fullmatch(prealloc) else DEFAULT_PREALLOC),
            ",".join(layout.hosts),
            f"{layout.size_gib}GiB",
            "--json",
        )

    def delete(self, hosting_volume: str, name: str) -> tuple[str, ...]:
        """Delete a block volume with everything in it."""
        return ("gluster-block", "delete", f"{hosting_volume}/{name}", "--json")

    def modify(self, hosting_volume: str, name: str, *, size_gib: int) -> tuple[str, ...]:
        """Let a block volume grow to a size. heketi sends two blanks before `size`, which are no word of their own."""
        return ("gluster-block", "modify", f"{hosting_volume}/{name}", "size", f"{size_gib}GiB", "--json")

    def info(self, hosting_volume: str, name: str) -> tuple[str, ...]:
        """Ask for a block volume. The answer may hold a password."""
        return ("gluster-block", "info", f"{hosting_volume}/{name}", "--json")

    def list(self, hosting_volume: str) -> tuple[str, ...]:
        """Ask for the names of all block volumes on a hosting volume."""
        return ("gluster-block", "list", hosting_volume, "--json")


def read_created(result: Result, layout: BlockVolumeLayout) -> BlockTarget:
    """Return how a new block volume is reached. Its hosts are those that were asked for. Raises ValueError."""
    text = result.stdout or result.stderr
    try:
        answer = _read(text, _CREATED)
    except ValueError:
        raise ValueError(f"Unparsable error during block volume create: {_shown(text)}") from None
    _demand(result, answer, "Failed to create block volume")
    return BlockTarget(
        hosts=layout.hosts,
        iqn=answer.get("IQN", ""),
        username=answer.get("USERNAME", ""),
        password=answer.get("PASSWORD", ""),
    )


def read_deleted(result: Result, hosting_volume: str, name: str) -> None:
    """Make sure that a block volume is gone: one that did not exist is. Raises ValueError."""
    text = result.stderr or result.stdout
    if not text:
        if not result.ok:
            raise ValueError(result.text)
        return
    try:
        answer = _read(text, _OUTCOME)
    except ValueError as error:
        if not result.ok:
            raise ValueError(result.ending) from None
        raise ValueError(f"Unable to parse output from block volume delete: {error}") from None
    if answer.get("RESULT") == "FAIL":
        reason = answer.get("errMsg", "")
        if not _is_missing(reason, hosting_volume, name):
            raise ValueError(reason or result.ending)
    elif not result.ok:
        raise ValueError(result.ending)


def read_resized(result: Result) -> None:
    """Make sure that a block volume has its new size everywhere. Raises ValueError."""
    text = result.stdout or result.stderr
    try:
        answer = _read(text, _RESIZED)
    except ValueError:
        raise ValueError(f"Unparsable error during block volume expand: {_shown(text)}") from None
    if answer.get("RESULT") == "FAIL":
        reason = answer.get("errMsg", "")
        colon = f": {reason}" if reason else ""
        raise ValueError(f"Failed to expand block volume{colon} (see logs for details, and retry the operation)")
    _demand(result, answer, "Failed to expand block volume")


def read_info(result: Result, hosting_volume: str, name: str) -> BlockVolumeReading | None:
    """Return a block volume; None where there is none. Raises ValueError."""
    text = result.stdout or result.stderr
    prefix = f"unable to get info of blockvolume {name} on block hosting volume {hosting_volume} : "
    try:
        answer = _read(text, _INFO)
    except ValueError:
        if not result.ok:
            raise ValueError(prefix + (_shown(result.stderr) or result.ending)) from None
        raise ValueError(f"Unparsable error during block volume info: {_shown(text)}") from None
    if not result.ok or answer.get("RESULT") == "FAIL":
        reason = answer.get("errMsg", "")
        if _is_missing(reason, hosting_volume, name):
            return None
        raise ValueError(prefix + (reason or result.ending))
    if not answer.get("GBID"):
        raise ValueError(f"{prefix}the answer names no GBID")
    password = answer.get("PASSWORD", "")
    return BlockVolumeReading(
        iqn=IQN_PREFIX + answer["GBID"],
        size_gib=read_size(answer.get("SIZE", "")),
        usable_gib=min(map(read_size, answer.get("RESIZE FAILED ON", {}).values()), default=0),
        hosts=tuple(answer.get("EXPORTED ON", ())),
        username=answer["GBID"] if password else "",
        password=password,
    )


def read_list(result: Result, hosting_volume: str) -> list[str]:
    """Return the names of the block volumes on a hosting volume; none where that does not exist. Raises ValueError."""
    text = result.stdout or result.stderr
    refused = f"unable to list blockvolumes on block hosting volume {hosting_volume} : "
    try:
        answer = _read(text, _LIST)
    except ValueError as error:
        if not result.ok:
            raise ValueError(refused + result.text) from None
        raise ValueError(
            f"Unable to get the block volume list for block hosting volume {hosting_volume} : {error}"
        ) from None
    if not result.ok or answer.get("RESULT") == "FAIL":
        reason = answer.get("errMsg", "")
        if _is_missing(reason, hosting_volume, hosting_volume):
            return []
        raise ValueError(refused + (reason or result.ending))
    if not answer:
        raise ValueError(f"{refused}the answer says nothing")
    return list(answer.get("blocks", ()))


def read_size(text: str) -> int:
    """Return a size as gluster-block prints it (`2.0 GiB`) in whole GiB. Raises ValueError."""
    found = _SIZE.fullmatch(text.replace(" ", "").upper())
    if found is None or found[2] not in _GIB:
        raise ValueError("Not a valid Size")
    return int(float(found[1]) * _GIB[found[2]])


def already_exists(result: Result, name: str) -> bool:
    """Tell whether a create failed since there is a block volume of that name."""
    reason = _reason(result.stdout or result.stderr)
    return "already exist" in reason.lower() and name in reason


def is_daemon_away(result: Result) -> bool:
    """Tell whether the command found no running gluster-block daemon; nothing was done then."""
    return not result.ok and _DAEMON_AWAY in result.stdout + result.stderr


def proves(iqn: str) -> bool:
    """Tell whether the name of a target is one that gluster-block gave, so that it can be compared."""
    return len(iqn) > len(IQN_PREFIX) and iqn.startswith(IQN_PREFIX)


def _demand(result: Result, answer: Mapping[str, Any], prefix: str) -> None:
    if answer.get("RESULT") == "FAIL":
        raise ValueError(f"{prefix}: {answer.get('errMsg', '')}")
    if not result.ok:
        raise ValueError(f"{prefix}: {result.ending}")


def _reason(text: str) -> str:
    try:
        return str(_read(text, _OUTCOME).get("errMsg", ""))
    except ValueError:
        return ""


def _is_missing(reason: str, hosting_volume: str, name: str) -> bool:
    return ("doesn't exist" in reason and name in reason) or ("does not exist" in reason and hosting_volume in reason)


def _shown(text: str) -> str:
    return WITHHELD if "password" in text.lower() else text


def _read(text: str, members: Mapping[str, type]) -> dict[str, Any]:
    """Read a JSON object as leniently as heketi: names match in any case (better in the right one), members that are
    not asked for are skipped, null is as good as absent; values of wrong types are refused. Raises ValueError."""
    try:
        pairs = json.loads(text, object_pairs_hook=_Pairs, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("exceeded max depth") from None
    if pairs is None:
        return {}
    if not isinstance(pairs, _Pairs):
        raise ValueError("no JSON object")
    folded = {name.lower(): name for name in members}
    found: dict[str, Any] = {}
    for given, value in pairs:
        name = given if given in members else folded.get(given.lower(), "")
        if name and value is not None:
            found[name] = _typed(name, value, members[name])
    return found


class _Pairs(list[tuple[str, Any]]):
    """The members of a JSON object, in their order."""


def _refuse(constant: str) -> Any:
    raise ValueError(f"invalid character in {constant}")


def _typed(name: str, value: Any, kind: type) -> Any:
    if kind is dict and isinstance(value, _Pairs):
        if all(isinstance(item, str) for _, item in value):
            return dict(value)
    elif kind is list and isinstance(value, list) and not isinstance(value, _Pairs):
        if _are_texts(value):
            return value
    elif kind in (str, int) and isinstance(value, kind) and not isinstance(value, bool):
        return value
    raise ValueError(f"{name} is of a wrong type")


def _are_texts(values: Iterable[Any]) -> bool:
    return all(isinstance(value, str) for value in values)
