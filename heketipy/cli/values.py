"""Types of flags: what values they take, and the complaints about others, as Go's library words them.

`name` is the type's word in a usage text.
"""

import csv
import re
from collections.abc import Mapping
from typing import Any, Final

import click

_ESCAPES: Final[Mapping[str, str]] = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_TRUE: Final = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_INTEGER: Final = re.compile(
    r"(?P<sign>[+-]?)(?:0[xX](?P<hex>(?:_?[0-9a-fA-F])+)|0[bB](?P<binary>(?:_?[01])+)"
    r"|0[oO]?(?P<octal>(?:_?[0-7])+)|(?P<decimal>0|[1-9](?:_?[0-9])*))",
    re.ASCII,
)
_BASES: Final = {"hex": 16, "binary": 2, "octal": 8, "decimal": 10}
_FLOAT: Final = re.compile(
    r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf|infinity)|nan", re.ASCII | re.IGNORECASE
)


class BadValueError(Exception):
    """A flag's value is not of its type."""

    def __init__(self, function: str, text: str, wrong: str = "invalid syntax") -> None:
        super().__init__(f"strconv.{function}: parsing {quoted(text)}: {wrong}")


def quoted(text: str) -> str:
    """Write a text in double quotes as Go does."""
    return '"' + "".join(_ESCAPES.get(letter, letter) for letter in text) + '"'


def boolean(text: str) -> bool:
    """Read a truth value. Raises BadValueError."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise BadValueError("ParseBool", text)


class FlagType(click.ParamType):  # type: ignore[type-arg]  # generic only since click 8.3
    """A type, as click knows it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value


class Text(FlagType):
    """Any text."""

    name = "string"


class Boolean(FlagType):
    """A truth value; without one the flag means true."""

    name = ""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bool:
        return boolean(value)


class Integer(FlagType):
    """A number of 64 bits, also hexadecimal, octal or binary."""

    name = "int"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        match = _INTEGER.fullmatch(value)
        if match is None:
            raise BadValueError("ParseInt", value)
        form = str(match.lastgroup)
        number = int(match["sign"] + match[form].replace("_", ""), _BASES[form])
        if not -(2**63) <= number < 2**63:
            raise BadValueError("ParseInt", value, "value out of range")
        return number


class Float(FlagType):
    """A number with a fraction."""

    name = "float"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if not _FLOAT.fullmatch(value):
            raise BadValueError("ParseFloat", value)
        number = float(value)
        if number in (float("inf"), float("-inf")) and "inf" not in value.lower():
            raise BadValueError("ParseFloat", value, "value out of range")
        return number


class Texts(FlagType):
    """Texts separated by commas; every further flag adds more."""

    name = "strings"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        return next(csv.reader([value]), [])


TEXT: Final = Text()
BOOLEAN: Final = Boolean()
INTEGER: Final = Integer()
FLOAT: Final = Float()
TEXTS: Final = Texts()
