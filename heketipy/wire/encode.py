"""Writing JSON as heketi writes it: compact, members in the order given, one line feed at the end.

`<`, `>`, `&` and the two Unicode line separators are escaped inside texts, all other characters are plain
UTF-8. Whole floats must come as integers (`shortest`), since nothing here may print `1.0`.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

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
