"""The host keys of nodes: where those that were trusted at first use are kept."""

from typing import Protocol


class HostKeys(Protocol):
    """Remembers one key a host. Keys are texts in OpenSSH's form, `ssh-ed25519 AAAA…`."""

    async def get(self, host: str) -> str | None:
        """Return the key of a host, None for a host that was never reached."""
        ...

    async def pin(self, host: str, key: str) -> None:
        """Remember the key of a host that was reached for the first time."""
        ...


class RememberedKeys:
    """Host keys that are remembered so long as this process lives."""

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}

    async def get(self, host: str) -> str | None:
        """Return the key of a host."""
        return self._keys.get(host)

    async def pin(self, host: str, key: str) -> None:
        """Remember the key of a host."""
        self._keys[host] = key
