"""The attributes of a database of heketi: those that its last version knows, and we."""

import json
from collections.abc import Iterable
from typing import Final

from heketipy.domain.errors import StorageFailure
from heketipy.services.interchange.entries import KNOWN_ATTRIBUTES

ATTRIBUTES_FACT: Final = "heketi attributes"
"""Where the books keep the attributes of a database that was taken over, until they are opened first; as JSON."""

NEWER: Final = "Unable to initialize db, unknown attributes are present (db from a newer version of heketi?)"


def refuse_unknown(names: Iterable[str]) -> None:
    """Raise StorageFailure for attributes of a newer heketi."""
    if unknown := sorted(set(names) - KNOWN_ATTRIBUTES):
        raise StorageFailure(f"{NEWER}: {', '.join(unknown)}")


def refuse_newer(fact: str | None) -> None:
    """The same for what the books keep of them."""
    refuse_unknown(json.loads(fact) if fact else ())
