"""Tags of nodes and devices as placement reads them: the tag rule of a volume and the arbiter role of a
device.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from heketipy.domain.model import Tags

ARBITER_TAG = "arbiter"

# The class of letters runs from "." to "_" by an accident in heketi, which rules may rely on; "-" is not
# in it.
_RULE = re.compile(r"([a-zA-Z0-9.-_]+)(!?=)([a-zA-Z0-9.-_]+)")


class TagRuleError(ValueError):
    """A text that is no tag rule. Its own text is heketi's."""

    def __init__(self, text: str) -> None:
        super().__init__(f"Invalid tag match rule: {text}")


@dataclass(frozen=True, slots=True)
class TagRule:
    """`key=value` or `key!=value`: which devices a volume may use. An absent tag counts as the empty text."""

    key: str
    op: str
    value: str

    @classmethod
    def parse(cls, text: str) -> "TagRule":
        """Read a rule. The key is greedy: the last operator that can split the text does.

        Raises TagRuleError.
        """
        if (match := _RULE.fullmatch(text)) is None:
            raise TagRuleError(text)
        return cls(*match.groups())

    def accepts(self, tags: Tags) -> bool:
        """Tell whether a device with these effective tags may be used."""
        return (tags.get(self.key, "") == self.value) == (self.op == "=")

    def __str__(self) -> str:
        return f"{self.key}{self.op}{self.value}"


class ArbiterRole(StrEnum):
    """What a device may hold of a volume with arbiter bricks. Other volumes do not care."""

    REQUIRED = "required"
    """Arbiter bricks only; preferred for them."""
    SUPPORTED = "supported"
    """Either."""
    DISABLED = "disabled"
    """Data bricks only; preferred for them."""


def effective_tags(node: Tags, device: Tags) -> Tags:
    """Return the tags that count for a device: its node's, overlaid by its own."""
    if not node:
        return device
    return {**node, **device}


def arbiter_role(tags: Tags) -> ArbiterRole:
    """Read the arbiter tag out of effective tags. Absent or any other text means supported."""
    text = tags.get(ARBITER_TAG, "")
    return ArbiterRole(text) if text in tuple(ArbiterRole) else ArbiterRole.SUPPORTED


class TagsChange(StrEnum):
    """What a request does to the tags of a node or device."""

    SET = "set"
    """Replace all."""
    UPDATE = "update"
    """Add those, or overwrite them."""
    DELETE = "delete"
    """Take those names away; their values do not matter, and unknown ones are no error."""


def changed(tags: Tags, change: TagsChange, given: Tags) -> dict[str, str]:
    """Return the tags as they are after a change."""
    match change:
        case TagsChange.SET:
            return dict(given)
        case TagsChange.UPDATE:
            return {**tags, **given}
        case TagsChange.DELETE:
            return {name: value for name, value in tags.items() if name not in given}
