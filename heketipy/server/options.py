"""What a command line asks of a server."""

from dataclasses import dataclass

from heketipy.config import ExecutorName, Settings


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
        return (jwt.admin.key.get_secret_value(), jwt.user.key.get_secret_value(), *self._database_password())

    def _database_password(self) -> tuple[str, ...]:
        authority = self.settings.glusterfs.db.partition("://")[2].partition("/")[0]
        login, at, _host = authority.rpartition("@")
        return (login.partition(":")[2],) if at else ()
