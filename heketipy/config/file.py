"""heketi.json, read by heketi's rules: keys in any case, comments, and unset values that Go programs write.

The result is a tree with the model's own keys, not yet validated.
"""

import difflib
import json
from dataclasses import dataclass, field
from typing import Any, NoReturn

from pydantic import BaseModel

from heketipy.config.keys import Key, group_of, item_of

_COMMENT = "_"


class NotJsonError(ValueError):
    """The file is no JSON object. `str()` says where and why."""


@dataclass(slots=True)
class FileTree:
    """What a file sets, by the model's keys, and what was odd about it."""

    values: dict[str, Any]
    warnings: list[str] = field(default_factory=list)


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as it was written, doubles included."""


def read_file(text: str, model: type[BaseModel]) -> FileTree:
    """Read the first JSON value of a text; what follows is ignored, as heketi does. Raises NotJsonError."""
    value = _decode(text)
    if value is None:
        return FileTree({})
    if not isinstance(value, _Pairs):
        raise NotJsonError(f"expected an object {{ … }}, found {kind_of(value)}")
    tree = FileTree({})
    tree.values = _fold(model, value, (), tree.warnings)
    return tree


def kind_of(value: object) -> str:
    """Name a JSON value's kind."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return "a text"
        case int() | float():
            return "a number"
        case None:
            return "null"
        case _Pairs() | dict():
            return "an object"
        case _:
            return "a list"


def _decode(text: str) -> Any:
    start = len(text) - len(text.lstrip(" \t\r\n"))
    if start == len(text):
        raise NotJsonError("EOF: the file is empty")
    decoder = json.JSONDecoder(object_pairs_hook=_Pairs, parse_constant=_no_number)
    try:
        return decoder.raw_decode(text, start)[0]
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()):
            raise NotJsonError("unexpected EOF: the file ends in the middle") from None
        raise NotJsonError(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except (RecursionError, ValueError) as error:
        raise NotJsonError(str(error)) from None


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number in JSON")


def _fold(model: type[BaseModel], pairs: _Pairs, above: tuple[str, ...], warnings: list[str]) -> dict[str, Any]:
    """Give the pairs the model's keys. A later double wins; of doubled objects each key does."""
    folded: dict[str, Any] = {}
    for written, value in pairs:
        name = written.lower()
        info = model.model_fields.get(name)
        if info is None:
            if not written.startswith(_COMMENT):
                warnings.append(_unknown(written, model, above))
            continue
        group = group_of(info)
        if value is None:
            continue
        if group is not None and isinstance(value, _Pairs):
            folded[name] = {**_as_dict(folded.get(name)), **_fold(group, value, (*above, name), warnings)}
        elif (item := item_of(info)) is not None and isinstance(value, list) and not isinstance(value, _Pairs):
            folded[name] = [
                _plain(one)
                if one is not None and not isinstance(one, _Pairs)
                else _fold(item, one or _Pairs(), (*above, f"{name}[{number}]"), warnings)
                for number, one in enumerate(value)
            ]
        elif _is_unset(value) and not Key((*above, name), info).ours:
            folded.pop(name, None)
        else:
            folded[name] = _plain(value)
    return folded


def _as_dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_unset(value: object) -> bool:
    return value == "" or (value == 0 and value is not False)


def _plain(value: Any) -> Any:
    match value:
        case _Pairs():
            return {key: _plain(item) for key, item in value}
        case list():
            return [_plain(item) for item in value]
        case _:
            return value


def _unknown(written: str, model: type[BaseModel], above: tuple[str, ...]) -> str:
    where = ".".join((*above, written))
    near = difflib.get_close_matches(written.lower(), model.model_fields, n=1)
    hint = f"; did you mean {'.'.join((*above, near[0]))}?" if near else ""
    return f"unknown setting {where} is ignored{hint}"
