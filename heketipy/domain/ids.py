"""Ids: 16 random bytes as 32 lower-case hex digits. Where they come from is decided above: chance is no part of the
domain."""

import re
from collections.abc import Callable

IdSource = Callable[[], str]
"""Gives a fresh id at each call. Placement asks it in a fixed order, so a given stream gives a given plan."""

_ID = re.compile(r"[0-9a-fA-F]{32}")


def is_id(text: str) -> bool:
    """Tell whether a text has the form of an id (either case, as heketi's validation has it)."""
    return _ID.fullmatch(text) is not None
