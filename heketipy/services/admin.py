"""The admin mode, in memory only: a restart begins with the configured one, the signal USR2 sets the normal one."""

import structlog

from heketipy.domain.admin import AdminMode

log = structlog.get_logger(__name__)


class Admin:
    """Holds the mode. Running operations and the cleaner do not care about it."""

    def __init__(self, mode: AdminMode) -> None:
        self._mode = mode

    @property
    def mode(self) -> AdminMode:
        """The mode in force."""
        return self._mode

    def set(self, mode: AdminMode) -> None:
        """Change the mode."""
        self._mode = mode
        log.info("the admin mode is set", mode=mode)

    def reset(self) -> None:
        """Go back to normal: the one way out of the read-only mode but for a restart."""
        self.set(AdminMode.NORMAL)
