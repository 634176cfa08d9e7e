"""What heketi's validation demands of a request's members, and the text that lists what fails (rest-api
§0.5).

Each function returns what is wrong with a value, or an empty text.
"""

import ipaddress
import re
from collections.abc import Mapping, Sequence

from pydantic.config import JsonDict

from heketipy.domain.errors import InvalidRequest
from heketipy.domain.ids import is_id
from heketipy.domain.model import Tags
from heketipy.domain.states import HealCheck, State

BLANK = "cannot be blank"
BAD_FORMAT = "must be in a valid format"
BAD_VALUE = "must be a valid value"

MAX_TAGS = 32
MAX_TAG_NAME = 32
MAX_TAG_VALUE = 64
MAX_HOST = 255

ID = "^[0-9a-fA-F]{32}$"
DEVICE = "^/[a-zA-Z0-9_.:/-]+$"
TAGS: JsonDict = {
    "maxProperties": MAX_TAGS,
    "propertyNames": {"pattern": f"^[a-zA-Z0-9_.-]{{1,{MAX_TAG_NAME}}}$"},
    "additionalProperties": {"type": "string", "maxLength": MAX_TAG_VALUE},
}
"""What is checked below, as the OpenAPI document has it."""

_HOST = re.compile(r"([a-zA-Z0-9_][a-zA-Z0-9_-]{0,62})(\.[a-zA-Z0-9_][a-zA-Z0-9_-]{0,62})*[._]?")
_DEVICE = re.compile(r"/[a-zA-Z0-9_.:/-]+")
_TAG = re.compile(r"[a-zA-Z0-9_.-]+")


def refuse(failures: Mapping[str, str]) -> None:
    """Raise InvalidRequest if any member failed."""
    if any(failures.values()):
        raise InvalidRequest(f"validation failed: {listed(failures)}")


def listed(failures: Mapping[str, str]) -> str:
    """Join what failed, in alphabetical order of the members, closed by a period."""
    return "; ".join(f"{name}: {text}" for name, text in sorted(failures.items()) if text) + "."


def nested(failures: Mapping[str, str]) -> str:
    """Return the failures of an object inside an object as the failure of one member."""
    return f"({listed(failures)})" if any(failures.values()) else ""


def positive(number: int) -> str:
    """Demand at least 1; 0 counts as not given."""
    if number == 0:
        return BLANK
    return "must be no less than 1" if number < 1 else ""


def reference(text: str) -> str:
    """Demand an id of 32 hex digits; whether it exists is not asked here."""
    if not text:
        return BLANK
    return "" if is_id(text) else f"{text} is not a valid UUID"


def hosts(names: Sequence[str], *, kind: str) -> str:
    """Demand a non-empty list of addresses and host names. `kind` is manage or storage."""
    if not names:
        return BLANK
    if all(is_host(name) for name in names):
        return ""
    return f"[{' '.join(names)}] is not a valid {kind} hostname"


def is_host(name: str) -> bool:
    """Tell whether a text is an IP address or a host name, by heketi's generous rule."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return len(name.replace(".", "")) <= MAX_HOST and _HOST.fullmatch(name) is not None
    return "%" not in name


def device_name(name: str) -> str:
    """Demand an absolute path of harmless characters."""
    if not name:
        return BLANK
    return "" if _DEVICE.fullmatch(name) else BAD_FORMAT


def one_of(text: str, values: Sequence[str]) -> str:
    """Demand one of some words, exactly."""
    if not text:
        return BLANK
    return "" if text in values else BAD_VALUE


def tags(given: Tags) -> str:
    """Demand few, short and harmless tags."""
    if len(given) > MAX_TAGS:
        return f"too many tags specified ({len(given)}), up to {MAX_TAGS} supported"
    for name, value in given.items():
        if not name:
            return "tag names may not be empty"
        if len(name) > MAX_TAG_NAME:
            return f"tag name {name}: the length must be between 1 and {MAX_TAG_NAME}"
        if len(value) > MAX_TAG_VALUE:
            return f"value of tag {name}: the length must be no more than {MAX_TAG_VALUE}"
        if not _TAG.fullmatch(name):
            return f"invalid characters in tag name {name}"
    return ""


def state(name: str) -> str:
    """Demand the name of a state."""
    if not name:
        return BLANK
    return "" if name in tuple(State) else f"{name} is not valid state"


def heal_check(name: str) -> str:
    """Demand enable, disable, or nothing."""
    return "" if not name or name in tuple(HealCheck) else f"{name} is not valid heal info check"
