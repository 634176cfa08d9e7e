"""Whether Kubernetes could use a node's storage name: its Endpoints take IP addresses and nothing else (K11, K23).

A storage name that is a host name is legal without Kubernetes, and leaks volumes with it: the volume is made, and then
the provisioner fails at its endpoints, again and again.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import lru_cache

import structlog

from heketipy.domain.errors import InvalidRequest
from heketipy.domain.model import Node

log = structlog.get_logger(__name__)


class Strictness(StrEnum):
    """What to do about storage names that Kubernetes cannot use."""

    OFF = "off"
    WARN = "warn"
    STRICT = "strict"


class EndpointCheck:
    """Looks at storage names when a node is added, and again before a volume is made."""

    def __init__(self, strictness: Strictness) -> None:
        self._strictness = strictness

    def check_storage_names(self, names: Sequence[str]) -> None:
        """Look at the storage names of a new node. Raises InvalidRequest when strict."""
        if len(names) == 1 and _is_address(names[0]):
            return
        self._complain(
            f"storage hostnames {list(names)} are not one IP address: Kubernetes cannot use volumes of this node"
        )

    def check_cluster(self, nodes: Iterable[Node]) -> None:
        """Look at the nodes whose addresses clients of a new volume will get. Raises InvalidRequest when strict."""
        if self._strictness is Strictness.OFF:
            return
        bad = [node.storage[0] for node in nodes if not _is_address(node.storage[0])]
        if bad:
            self._complain(f"storage hostnames {bad} are no IP addresses: Kubernetes cannot use this volume")

    def _complain(self, text: str) -> None:
        match self._strictness:
            case Strictness.STRICT:
                raise InvalidRequest(text)
            case Strictness.WARN:
                log.warning(text)
            case Strictness.OFF:
                pass


@lru_cache(4096)
def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
