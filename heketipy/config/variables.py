"""How heketi reads its environment variables: nearly every kind of value has rules of its own.

A setting names its variable beside its type. A parser gets the text of a variable that is set and not empty
(an empty one counts as unset) and returns the value, or raises ValueError with what would be right.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

IGNORED: Final = object()
"""What an unparsable text means unless a variable says otherwise: as if it were not set, with a warning."""

UNLIMITED: Final = 2**63 - 1

_TRUE: Final = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "FALSE", "false", "False"})


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable that overrides a setting. `otherwise` is what an unparsable text means."""

    name: str
    parse: Callable[[str], object] = str
    otherwise: object = IGNORED


def boolean(text: str) -> bool:
    """Read one of the twelve spellings that heketi knows."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError("true or false")


def any_text(text: str) -> bool:
    """Every text switches the setting on, also `false`."""
    return bool(text)


def exactly_true(text: str) -> bool:
    """Only `true` in just this spelling switches the setting on; any other text switches it off."""
    return text == "true"


def first_letter(text: str) -> bool:
    """Read yes or no by the first letter: y, Y, 1 or n, N, 0."""
    match text[0]:
        case "y" | "Y" | "1":
            return True
        case "n" | "N" | "0":
            return False
        case _:
            raise ValueError("y or n")


def integer(text: str) -> int:
    """Read a decimal whole number, which may be negative."""
    digits = text[1:] if text[0] in "+-" else text
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError("a whole number")
    return int(text)


def natural(text: str) -> int:
    """Read a decimal whole number of 0 or more."""
    value = integer(text)
    if value < 0 or text[0] in "+-":
        raise ValueError("a whole number of 0 or more")
    return value


def positive(text: str) -> int:
    """Read a decimal whole number of 1 or more."""
    value = natural(text)
    if value < 1:
        raise ValueError("a whole number of 1 or more")
    return value


def limit(text: str) -> int:
    """Read a whole number; a negative one means practically no limit."""
    value = integer(text)
    return value if value >= 0 else UNLIMITED


def seconds(text: str) -> float:
    """Read a number of seconds, fractions allowed."""
    try:
        value = float(text)
    except ValueError:
        raise ValueError("a number of seconds") from None
    if not 0 <= value < float("inf"):
        raise ValueError("a number of seconds of 0 or more")
    return value
