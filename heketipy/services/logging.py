"""The level of the log, which can be changed while the server runs. There is one logger that heketi lets be changed."""

from collections.abc import Mapping

import structlog

from heketipy.domain.errors import Unprocessable
from heketipy.telemetry.logging import LEVELS, Threshold

LOGGER = "glusterfs"
"""The name of that logger."""

log = structlog.get_logger(__name__)


class Logging:
    """Use cases about the log."""

    def __init__(self, threshold: Threshold) -> None:
        self._threshold = threshold

    def levels(self) -> dict[str, str]:
        """Return the level of each logger."""
        return {LOGGER: self._threshold.name}

    def set(self, levels: Mapping[str, str]) -> None:
        """Change the level; an empty one stays what it is. Raises Unprocessable."""
        level = levels.get(LOGGER)
        if level is None:
            raise Unprocessable(f'Only "{LOGGER}" logger may be modified')
        if level and level not in LEVELS:
            raise Unprocessable(f"invalid log level: {level}")
        if level:
            self._threshold.set(level)
            log.info("the log level is set", level=level)
