"""A JSON reader that accepts exactly what heketi accepts, and is not recursive.

It differs from the standard library's: objects keep all their members in order, since later members win *or
merge* depending on the type they are read into; numbers stay as written, since `1.0` is no integer; nesting
is limited to 10,000 levels instead of to what is left of the stack; what is no UTF-8, and lone surrogates,
become U+FFFD.
"""

import codecs
import re
from dataclasses import dataclass
from json import JSONDecoder
from json.decoder import scanstring  # type: ignore[attr-defined]

MAX_DEPTH = 10_000

_FEW = 200
"""Brackets that the standard library's recursion can bear whatever else is on the stack."""

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LITERALS = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}


class NotJsonError(ValueError):
    """The text is no JSON. `str()` says what is wrong and where."""

    def __init__(self, text: str, *, offset: int) -> None:
        super().__init__(f"{text} at character {offset}")
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written."""

    text: str


@dataclass(frozen=True, slots=True)
class Object:
    """An object with its members in order, repeated names included."""

    members: list[tuple[str, "Value"]]


Value = None | bool | str | Number | Object | list["Value"]


def _one_byte_at_a_time(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\ufffd", error.start + 1


codecs.register_error("heketipy-replace", _one_byte_at_a_time)


def to_text(body: bytes) -> str:
    """Decode UTF-8; every byte that belongs to no character becomes U+FFFD, as heketi has it."""
    return body.decode("utf-8", "heketipy-replace")


def parse(body: bytes | str, *, allow_more: bool = False) -> Value:
    """Read one JSON value. Anything but white space after it is an error unless `allow_more`. Raises
    NotJsonError.
    """
    text = body if isinstance(body, str) else to_text(body)
    if (found := _quickly(text)) is None:
        found = _value(text)
    value, end = found
    if not allow_more and (end := _skip(text, end)) < len(text):
        raise NotJsonError(f"unexpected {text[end]!r} after the value", offset=end)
    return value


def parse_shallow(text: str) -> Value:
    """Read one JSON value that is not nested deeply, however long it is, and skip what follows. Escapes of surrogates
    stay what they are. Raises NotJsonError."""
    try:
        value: Value
        value, _ = _quick.raw_decode(text, _skip(text, 0))
    except (ValueError, RecursionError):
        return parse(text, allow_more=True)
    return value


def _no_constant(name: str) -> Value:
    raise ValueError(name)


_quick = JSONDecoder(object_pairs_hook=Object, parse_int=Number, parse_float=Number, parse_constant=_no_constant)


def _quickly(text: str) -> tuple[Value, int] | None:
    """Read a value with the standard library, which is many times faster, where its result is the same.

    Returns None where that is not certain: for errors, for what may hold surrogates, and for what may be nested so
    deeply that its recursion ends.
    """
    if "\\u" in text or text.count("[") + text.count("{") > _FEW:
        return None
    try:
        value: Value
        value, end = _quick.raw_decode(text, _skip(text, 0))
    except ValueError:
        return None
    return value, end


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _value(text: str) -> tuple[Value, int]:
    """Read one value without recursion: `open_` holds the containers that are not yet closed."""
    open_: list[Object | list[Value]] = []
    names: list[str] = []
    position = _skip(text, 0)
    while True:
        value: Value
        character = text[position : position + 1]
        if character in ("{", "["):
            if len(open_) >= MAX_DEPTH:
                raise NotJsonError("nesting is too deep", offset=position)
            opened: Object | list[Value] = Object([]) if character == "{" else []
            position = _skip(text, position + 1)
            if text[position : position + 1] != ("}" if character == "{" else "]"):
                open_.append(opened)
                if isinstance(opened, Object):
                    name, position = _name(text, position)
                    names.append(name)
                continue
            value, position = opened, position + 1
        else:
            value, position = _scalar(text, position)

        while open_:
            container = open_[-1]
            position = _skip(text, position)
            separator = text[position : position + 1]
            if isinstance(container, Object):
                container.members.append((names.pop(), value))
            else:
                container.append(value)
            if separator == ",":
                position = _skip(text, position + 1)
                if isinstance(container, Object):
                    name, position = _name(text, position)
                    names.append(name)
                break
            if separator != ("}" if isinstance(container, Object) else "]"):
                raise _unexpected(text, position)
            value = open_.pop()
            position += 1
        else:
            return value, position


def _name(text: str, position: int) -> tuple[str, int]:
    if text[position : position + 1] != '"':
        raise _unexpected(text, position)
    name, position = _string(text, position)
    position = _skip(text, position)
    if text[position : position + 1] != ":":
        raise _unexpected(text, position)
    return name, _skip(text, position + 1)


def _scalar(text: str, position: int) -> tuple[Value, int]:
    character = text[position : position + 1]
    if character == '"':
        return _string(text, position)
    if character in _LITERALS:
        word, value = _LITERALS[character]
        if text.startswith(word, position):
            return value, position + len(word)
    elif match := _NUMBER.match(text, position):
        return Number(match.group()), match.end()
    raise _unexpected(text, position)


def _string(text: str, position: int) -> tuple[str, int]:
    try:
        value, end = scanstring(text, position + 1, True)
    except ValueError as error:
        raise NotJsonError("this text is not well-formed", offset=position) from error
    return _SURROGATE.sub("\ufffd", value), end


def _unexpected(text: str, position: int) -> NotJsonError:
    if position >= len(text):
        return NotJsonError("unexpected end", offset=position)
    return NotJsonError(f"unexpected {text[position]!r}", offset=position)
