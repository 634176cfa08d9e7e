"""What a command line asks of a server."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from heketipy.config import ExecutorName, Settings

_PASSWORDS: Final = ("password", "sslpassword")


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """One run of the server.

    `executor` is resolved already. `topology` is the path of a topology file to load at the start, or empty.
    `drop_in` keeps heketi's exit status 0 when the port cannot be had.
    """

    settings: Settings
    executor: ExecutorName
    warnings: tuple[str, ...] = ()
    authenticate: bool = True
    topology: str = ""
    drop_in: bool = False

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be seen in a log."""
        jwt = self.settings.jwt
        return (jwt.admin.key.get_secret_value(), jwt.user.key.get_secret_value(), *self._database_passwords())

    def _database_passwords(self) -> set[str]:
        """Return the passwords in the database's URL, as they are written and as they are meant."""
        _, is_url, rest = self.settings.glusterfs.db.partition("://")
        if not is_url:
            return set()
        where, _, query = rest.partition("?")
        login, at, _host = where.partition("/")[0].rpartition("@")
        parameters = dict(part.partition("=")[::2] for part in query.split("&"))
        written = {login.partition(":")[2] if at else "", *(parameters.get(name, "") for name in _PASSWORDS)} - {""}
        return written | {unquote(password) for password in written}
