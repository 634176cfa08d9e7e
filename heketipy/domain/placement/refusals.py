"""Why placement refuses. What is tried elsewhere (another cluster) and what ends the request is a matter of
the class.

CannotAllocate
  NoSpace
    NoRoom               no size of bricks that may be tried has room
    NoClusterFits        several clusters were tried, each refused
  NoCandidates           the cluster has nothing to place on
  InvalidTagRule         the volume's tag rule cannot be read
  FilesLargerThanBricks  the arbiter brick cannot be sized
  NotEligible            the cluster does not take this volume
    NoClusterEligible    none of several clusters does
  NoReplacement          no device may take the place of another
"""

from collections.abc import Sequence

from heketipy.domain.errors import CannotAllocate, NoSpace

MAXIMUM_BRICKS = "Maximum number of bricks reached."
MINIMUM_BRICK_SIZE = "Minimum brick size limit reached.  Out of space."
NO_REPLACEMENT = "No Replacement was found for resource requested to be removed"
NO_NODES = "No nodes in cluster"
NO_ONLINE_STORAGE = "No online storage devices in cluster"


class NoRoom(NoSpace):
    """No size that may be tried has room. `reason` is which limit ended the trying: the text that expand
    shows.
    """

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class NoCandidates(CannotAllocate):
    """The cluster has no node, or no device that takes new bricks."""


class InvalidTagRule(CannotAllocate):
    """The volume's tag rule cannot be read. No other cluster would do better."""

    def __init__(self, text: str) -> None:
        super().__init__(f"Invalid tag matching rule: {text}")


class FilesLargerThanBricks(CannotAllocate):
    """An average file would not fit a data brick, so that no arbiter brick can be sized."""

    def __init__(self, *, average_kib: int, brick_kib: int) -> None:
        super().__init__(f"Average file size ({average_kib}) is greater than Brick size ({brick_kib})")


class NotEligible(CannotAllocate):
    """The cluster does not take this volume, whatever its space."""


class NoClusterEligible(NotEligible):
    """Several clusters, and none of them takes this volume. `refusals` says which one refused why."""

    def __init__(self, refusals: Sequence[tuple[str, CannotAllocate]]) -> None:
        super().__init__(_lines("No eligible cluster for volume", refusals))
        self.refusals = tuple(refusals)


class NoClusterFits(NoSpace):
    """Several clusters were tried, and each refused. `refusals` says which one refused why."""

    def __init__(self, refusals: Sequence[tuple[str, CannotAllocate]]) -> None:
        super().__init__(_lines("Unable to create volume on any cluster:", refusals))
        self.refusals = tuple(refusals)


class NoReplacement(CannotAllocate):
    """No device may take the place of the one that is to be given up. `reasons`, if there are any, follow heketi's text
    on lines of their own.
    """

    def __init__(self, reasons: str = "") -> None:
        super().__init__(f"{NO_REPLACEMENT}\n{reasons}".rstrip())


def _lines(headline: str, refusals: Sequence[tuple[str, CannotAllocate]]) -> str:
    return "\n".join([headline, *(f"Cluster {cluster}: {error}" for cluster, error in refusals)])
