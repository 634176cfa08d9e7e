"""Writing JSON as heketi writes it: compact, members in the order given, one line feed at the end.

`<`, `>`, `&` and the two Unicode line separators are escaped inside texts, all other characters are plain
UTF-8. Whole floats must come as integers (`shortest`), since nothing here may print `1.0`.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from heketipy.wire.decode import to_float32

Json = Mapping[str, Any]

_ESCAPES = {character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
_write = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def encode(value: Json | Sequence[Any]) -> bytes:
    """Write a value as one line."""
    text = _write(value)
    for character, escape in _ESCAPES.items():
        # They can only stand inside texts, so replacing them everywhere is right. To look first is many times faster.
        if character in text:
            text = text.replace(character, escape)
    return (text + "\n").encode()


def shortest(number: float) -> int | float:
    """Return what prints as the shortest decimal of a float of 32 bits; an integer where it is whole."""
    if number.is_integer():
        return int(number)
    for digits in range(1, 9):
        candidate = float(f"{number:.{digits}g}")
        if to_float32(candidate) == number:
            return candidate
    return float(f"{number:.9g}")
