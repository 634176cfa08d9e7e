"""Names of logical volumes in quarantine: they say of what, from when on and until when, so that one rename does it all
and a server with other books can read it.

LVM takes 85 letters for the name of a volume in a group of ours; these have 72.
"""

import re
from dataclasses import dataclass
from typing import Final

_NAME: Final = re.compile(
    r"quarantined_(?P<since>[0-9]{1,12})_(?P<until>[0-9]{1,12})_(?P<former>(?:brick|tp)_[0-9a-f]{32})"
)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A volume in quarantine: its former name, and when that began and is over, in seconds since 1970."""

    former: str
    since: int
    until: int

    @property
    def name(self) -> str:
        """What it is called meanwhile."""
        return f"quarantined_{self.since}_{self.until}_{self.former}"


def read_quarantined(name: str) -> Quarantined | None:
    """Read the name of a logical volume; None for one that is in no quarantine."""
    found = _NAME.fullmatch(name)
    return None if found is None else Quarantined(found["former"], int(found["since"]), int(found["until"]))
