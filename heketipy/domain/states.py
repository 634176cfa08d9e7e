"""States of nodes and devices, and which changes between them are allowed (rest-api: tables of the state routes)."""

from enum import StrEnum


class State(StrEnum):
    """State of a node or a device."""

    ONLINE = "online"
    """Takes new bricks."""
    OFFLINE = "offline"
    """Takes no new bricks; what it holds keeps working."""
    FAILED = "failed"
    """Its bricks were moved elsewhere; it may be deleted."""


class HealCheck(StrEnum):
    """Whether heal information is consulted before a brick is taken away."""

    ENABLE = "enable"
    DISABLE = "disable"
