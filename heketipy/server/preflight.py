"""What makes a start pointless, found before anything heavy is imported or opened.

Tools look after a few tenths of a second whether a server that must refuse is gone.
"""

from pathlib import Path

from heketipy.config import ConfigurationError, ExecutorName, Settings
from heketipy.db.glance import fact
from heketipy.domain.admin import AdminMode
from heketipy.domain.errors import StorageFailure
from heketipy.services.interchange.attributes import ATTRIBUTES_FACT, refuse_newer

_EXECUTORS = {
    "ssh": ExecutorName.SSH,
    "kube": ExecutorName.KUBERNETES,
    "kubernetes": ExecutorName.KUBERNETES,
    "mock": ExecutorName.SIMULATOR,
    "inject/ssh": ExecutorName.SSH,
    "inject/mock": ExecutorName.SIMULATOR,
}
_ADMIN_MODES = frozenset({"", *AdminMode})


def executor_of(settings: Settings, *, default: ExecutorName | None) -> ExecutorName:
    """Return how nodes are reached. `default` stands for a key that is not set; None refuses that.

    Raises ConfigurationError.
    """
    name = settings.glusterfs.executor
    if not name:
        if default is not None:
            return default
        raise ConfigurationError(
            'Unable to start application: no executor is set: put "executor": "ssh" (with sshexec.keyfile) into '
            'the section "glusterfs" of the configuration, or set HEKETI_EXECUTOR=ssh. "mock" is a simulator '
            "that stores nothing"
        )
    executor = _EXECUTORS.get(name)
    if executor is None:
        raise ConfigurationError(f"Unable to start application: invalid executor: {name}")
    if executor is ExecutorName.KUBERNETES:
        raise ConfigurationError(f"Unable to start application: executor {name} is not supported yet")
    return executor


def check(settings: Settings, executor: ExecutorName, *, authenticate: bool) -> None:
    """Refuse a configuration that cannot work. Raises ConfigurationError."""
    check_nodes(settings, executor)
    jwt = settings.jwt
    if authenticate and not (jwt.admin.key.get_secret_value() and jwt.user.key.get_secret_value()):
        raise ConfigurationError(
            "Missing JWT information in config file\nSet jwt.admin.key and jwt.user.key, or give --disable-auth"
        )
    if settings.default_state not in _ADMIN_MODES:
        raise ConfigurationError(f"unable to set admin state: unknown admin state name: {settings.default_state}")
    check_books(settings.glusterfs.db)


def check_books(database: str) -> None:
    """Refuse a file with the database of a newer heketi, as far as a quick look shows it. Raises ConfigurationError."""
    if "://" in database:
        return
    try:
        refuse_newer(fact(Path(database), ATTRIBUTES_FACT))
    except StorageFailure as error:
        raise ConfigurationError(f"Unable to start application: {error}") from error


def check_nodes(settings: Settings, executor: ExecutorName) -> None:
    """Refuse a configuration by which no node can be reached. Raises ConfigurationError."""
    if executor is ExecutorName.SSH:
        _check_key(settings.glusterfs.sshexec.keyfile)


def _check_key(keyfile: str) -> None:
    if not keyfile:
        raise ConfigurationError(
            "Unable to start application: Missing ssh private key file in configuration "
            "(glusterfs.sshexec.keyfile or HEKETI_SSH_KEYFILE)"
        )
    try:
        with Path(keyfile).open("rb") as file:
            file.read(1)
    except OSError as error:
        cause = (error.strerror or str(error)).lower()
        raise ConfigurationError(
            f"Unable to start application: Unable to read private key file: open {keyfile}: {cause}"
        ) from None
