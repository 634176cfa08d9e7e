"""Bodies of the routes of the admin mode and of the log level."""

from collections.abc import Mapping

from pydantic import BaseModel, Field

from heketipy.domain.admin import AdminMode
from heketipy.wire import checks
from heketipy.wire.encode import Json


class AdminStatus(BaseModel):
    """The admin mode."""

    state: str = Field(
        default="",
        json_schema_extra={"enum": [*AdminMode]},
        description="`normal`, `read-only` or `local-client`. Required.",
    )

    def check(self) -> None:
        """Raise InvalidRequest where the form is wrong."""
        checks.refuse({"state": checks.one_of(self.state, tuple(AdminMode))})

    def mode(self) -> AdminMode:
        """Return the mode that is asked for."""
        return AdminMode(self.state)


class LogLevelInfo(BaseModel):
    """The level of each logger: `none`, `critical`, `error`, `warning`, `info` or `debug`."""

    loglevel: dict[str, str] = Field(
        default_factory=dict, description="`glusterfs` is the one that is there; others are skipped."
    )


def admin_status(mode: AdminMode) -> Json:
    """Return the members of an AdminStatus."""
    return {"state": mode}


def log_levels(levels: Mapping[str, str]) -> Json:
    """Return the members of a LogLevelInfo."""
    return {"loglevel": dict(levels)}
