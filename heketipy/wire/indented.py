"""Writing JSON with four blanks a level, as heketi's dumps have it, quickly enough for dumps of whole sites.

The standard library writes indented JSON by a slow road; this one writes the text of a record in one piece.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from json.encoder import encode_basestring
from typing import Any, Final

from heketipy.wire.float32 import shortest

_ESCAPES: Final = {character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
_STEP: Final = "    "
_PIECE: Final = 256 * 1024
"""Characters that are encoded at a time."""

_quote: Callable[[str], str] = encode_basestring


def indented(value: Any, *, level: int = 0) -> str:
    """Write a value, whose first line stands in a line that is there already, at a depth of so many levels."""
    return _escaped(_written(value, "\n" + _STEP * level))


def pieces(sections: Iterable[tuple[str, Iterable[tuple[str, Any]]]], *, level: int = 0) -> Iterator[bytes]:
    """Write an object of objects by name, in pieces of handy size. No line feed stands at the end."""
    text: list[str] = []
    length = 0
    for part in _parts(sections, level):
        text.append(part)
        length += len(part)
        if length > _PIECE:
            yield _escaped("".join(text)).encode()
            text, length = [], 0
    yield _escaped("".join(text)).encode()


def _parts(sections: Iterable[tuple[str, Iterable[tuple[str, Any]]]], level: int) -> Iterator[str]:
    outer, inner = "\n" + _STEP * (level + 1), "\n" + _STEP * (level + 2)
    opening = "{"
    for name, members in sections:
        yield f'{opening}{outer}"{name}": '
        opening = ","
        before = "{"
        write = _SHAPES.get(name, _written)
        for key, value in members:
            yield f"{before}{inner}{_quote(key)}: {write(value, inner)}"
            before = ","
        yield "{}" if before == "{" else f"{outer}}}"
    yield "\n" + _STEP * level + "}"


def _written(value: Any, margin: str) -> str:
    """Write a value; `margin` is the line feed and the blanks before the line that it begins in."""
    writer = _WRITERS.get(type(value))
    if writer is not None:
        return writer(value)
    if not value:
        return "{}" if isinstance(value, Mapping) else "[]"
    inside = margin + _STEP
    separator = "," + inside
    # Most of what there is are texts; they are written here, to save a call for each.
    if type(value) is dict or isinstance(value, Mapping):
        members = [
            f"{_quote(key)}: {_quote(item) if type(item) is str else _written(item, inside)}"
            for key, item in value.items()
        ]
        return f"{{{inside}{separator.join(members)}{margin}}}"
    items = [_quote(item) if type(item) is str else _written(item, inside) for item in value]
    return f"[{inside}{separator.join(items)}{margin}]"


def _brick(entry: Mapping[str, Any], margin: str) -> str:
    """Write a brick's record, of which there are more than of all others together, in one go."""
    info, in1, in2 = entry["Info"], margin + _STEP, margin + _STEP * 2
    return (
        f'{{{in1}"Info": {{{in2}"id": {_quote(info["id"])},{in2}"path": {_quote(info["path"])},'
        f'{in2}"device": {_quote(info["device"])},{in2}"node": {_quote(info["node"])},'
        f'{in2}"volume": {_quote(info["volume"])},{in2}"size": {info["size"]}{in1}}},'
        f'{in1}"TpSize": {entry["TpSize"]},{in1}"PoolMetadataSize": {entry["PoolMetadataSize"]},'
        f'{in1}"Pending": {{{in2}"Id": {_quote(entry["Pending"]["Id"])}{in1}}},'
        f'{in1}"LvmThinPool": {_quote(entry["LvmThinPool"])},{in1}"LvmLv": {_quote(entry["LvmLv"])},'
        f'{in1}"SubType": {entry["SubType"]}{margin}}}'
    )


def _escaped(text: str) -> str:
    """Escape what heketi escapes. These characters can only stand inside texts, so they are replaced everywhere."""
    for character, escape in _ESCAPES.items():
        if character in text:
            text = text.replace(character, escape)
    return text


_WRITERS: Final[Mapping[type, Callable[[Any], str]]] = {
    str: _quote,
    int: str,
    bool: lambda value: "true" if value else "false",
    float: lambda value: str(shortest(value)),
    type(None): lambda _: "null",
}

_SHAPES: Final[Mapping[str, Callable[[Any, str], str]]] = {"brickentries": _brick}
"""Sections whose records all have the same members."""
