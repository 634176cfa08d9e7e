"""Admin modes: what requests are let through (operations §7)."""

from enum import StrEnum
from typing import Final

READING: Final = frozenset({"GET", "HEAD"})
LOCAL: Final = frozenset({"127.0.0.1", "::1"})


class AdminMode(StrEnum):
    """What a server lets through."""

    NORMAL = "normal"
    """Everything."""
    READ_ONLY = "read-only"
    """GET and HEAD alone; so no request leads out of this mode."""
    LOCAL_CLIENT = "local-client"
    """GET and HEAD, and from the server's own host everything."""

    def lets_through(self, method: str, peer: str) -> bool:
        """Judge a request by its method and the address that its connection comes from."""
        if method in READING or self is AdminMode.NORMAL:
            return True
        return self is AdminMode.LOCAL_CLIENT and peer in LOCAL
