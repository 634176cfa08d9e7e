"""Where texts stand in what clients send, by JSON schema: a member that is new is found by itself."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any, Final

ITEM: Final = "[]"
"""Any item of a list."""
NAME: Final = "{name}"
"""Any name in a map."""
VALUE: Final = "{}"
"""Any value in a map."""

Where = tuple[str, ...]
"""Names of members from the outside in, ITEM, NAME and VALUE among them."""


def text_members(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[Where]:
    """Find all texts in a body. References are resolved in `root`."""
    if "$ref" in schema:
        below: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            below = below[part]
        yield from text_members(below, root)
        return
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from text_members(choice, root)
    match schema.get("type"):
        case "string":
            yield ()
        case "array":
            yield from ((ITEM, *where) for where in text_members(schema["items"], root))
        case "object":
            for name, member in schema.get("properties", {}).items():
                yield from ((name, *where) for where in text_members(member, root))
            if isinstance(more := schema.get("additionalProperties"), dict):
                yield (NAME,)
                yield from ((VALUE, *where) for where in text_members(more, root))


def with_text(body: Any, where: Where, text: str) -> Any:
    """Return a body with another text at one place. What is on the way there and missing is made."""
    if not where:
        return text
    first, *rest = where
    match first:
        case "[]":
            items = copy.deepcopy(body) if isinstance(body, list) else []
            return [with_text(items[0] if items else None, tuple(rest), text), *items[1:]]
        case "{name}":
            return {**(body or {}), text: "value"}
        case "{}":
            return {**(body or {}), "name": with_text(None, tuple(rest), text)}
    members = dict(body) if isinstance(body, dict) else {}
    return {**members, first: with_text(members.get(first), tuple(rest), text)}
