"""Durability: how a volume's data is spread over a set of bricks (placement §5.1)."""

from dataclasses import dataclass
from enum import StrEnum

DEFAULT_REPLICA = 2
DEFAULT_DISPERSE = (4, 2)
ALLOWED_DISPERSE = frozenset({(2, 1), (4, 2), (8, 3), (8, 4)})
MAX_REPLICA = 3


class DurabilityType(StrEnum):
    """The three kinds. `none` spreads files over single bricks."""

    NONE = "none"
    REPLICATE = "replicate"
    DISPERSE = "disperse"


@dataclass(frozen=True, slots=True)
class Durability:
    """As requested: a number of 0 means the default, and is shown as it was asked for (heketi echoes no default)."""

    type: DurabilityType = DurabilityType.NONE
    replica: int = 0
    data: int = 0
    redundancy: int = 0

    @property
    def copies(self) -> int:
        """Replica count in force; 1 where the type is not replicate."""
        return (self.replica or DEFAULT_REPLICA) if self.type is DurabilityType.REPLICATE else 1

    @property
    def dispersion(self) -> tuple[int, int]:
        """Data and redundancy counts in force for the type disperse."""
        return (self.data, self.redundancy) if self.data or self.redundancy else DEFAULT_DISPERSE

    @property
    def set_size(self) -> int:
        """Bricks in one set."""
        match self.type:
            case DurabilityType.NONE:
                return 1
            case DurabilityType.REPLICATE:
                return self.copies
            case DurabilityType.DISPERSE:
                return sum(self.dispersion)

    @property
    def data_count(self) -> int:
        """By how much a set's usable size is divided to give the brick size."""
        return self.dispersion[0] if self.type is DurabilityType.DISPERSE else 1
