"""Reaching a node's sshd: name, TCP, handshake, host key. Error texts are those that heketi's users know, Go's
(commands §5.1)."""

import asyncio
import errno
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncssh
from asyncssh.known_hosts import KnownHostsArg

from heketipy.domain.errors import HeketipyError, NodeUnreachable
from heketipy.domain.model import NodeAddress
from heketipy.executors.hostkeys import HostKeys
from heketipy.executors.options import SshOptions

_REASONS: Mapping[int, str] = {
    errno.ECONNREFUSED: "connection refused",
    errno.EHOSTUNREACH: "no route to host",
    errno.ENETUNREACH: "network is unreachable",
    errno.ETIMEDOUT: "connection timed out",
    errno.ECONNRESET: "connection reset by peer",
}
_HANDSHAKE = "ssh: handshake failed: "
_NOT_ACCEPTED = "ssh: unable to authenticate, attempted methods [none publickey], no supported methods remain"
_ATTEMPTS = 2


class _HandshakeError(Exception):
    """The handshake failed; the text says how. `again` tells whether another attempt may go better, `refused` whether
    one of the two keys was not accepted."""

    def __init__(self, text: str, *, again: bool = False, refused: bool = False) -> None:
        super().__init__(f"{_HANDSHAKE}{text}")
        self.again = again
        self.refused = refused


class _RefusedError(OSError):
    """A machine answers, and nobody listens on the port."""


@dataclass(frozen=True, slots=True)
class Dialer:
    """Opens connections with one key. Nothing but this key is offered: no agent, no password, no files of the user."""

    options: SshOptions
    key: asyncssh.SSHKey
    host_keys: HostKeys
    known_hosts: asyncssh.SSHKnownHosts | None = None

    async def dial(self, node: NodeAddress) -> asyncssh.SSHClientConnection:
        """Open a connection to a node's manage host.

        Raises NodeUnreachable, with `sent` false, for whatever goes wrong; a handshake that was cut off is tried again.
        """
        try:
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    return await self._handshake(node.manage, await self._connect(node.manage))
                except _HandshakeError as error:
                    if not error.again or attempt == _ATTEMPTS:
                        raise
        except (OSError, _HandshakeError) as error:
            refused = isinstance(error, _RefusedError) or (isinstance(error, _HandshakeError) and error.refused)
            raise NodeUnreachable(str(error), node=node.id, sent=False, refused=refused) from error
        raise AssertionError("an attempt ends in a connection or an error")

    async def _connect(self, host: str) -> socket.socket:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.options.connect_timeout):
                found = await loop.getaddrinfo(host, self.options.port, type=socket.SOCK_STREAM)
        except (socket.gaierror, TimeoutError) as error:
            raise OSError(f"dial tcp: lookup {host}: no such host") from error
        first: OSError | None = None
        for family, kind, protocol, _, address in found:
            connection = socket.socket(family, kind, protocol)
            connection.setblocking(False)
            try:
                async with asyncio.timeout(self.options.connect_timeout):
                    await loop.sock_connect(connection, address)
            except OSError as error:
                connection.close()
                failure = _RefusedError if error.errno == errno.ECONNREFUSED else OSError
                first = first or failure(f"dial tcp {_endpoint(address)}: connect: {_reason(error)}")
            except BaseException:
                connection.close()
                raise
            else:
                return connection
        raise first or OSError(f"dial tcp: lookup {host}: no such host")

    async def _handshake(self, host: str, connection: socket.socket) -> asyncssh.SSHClientConnection:
        """Make an ssh connection of a TCP connection, which is closed if that fails."""
        ssh: asyncssh.SSHClientConnection | None = None
        try:
            pinned = None if self.known_hosts is not None else await self.host_keys.get(host)
            ssh = await self._greet(host, connection, pinned)
            if self.known_hosts is None and pinned is None:
                await self._pin(host, ssh)
        except BaseException:
            if ssh is not None:
                ssh.abort()
            connection.close()
            raise
        return ssh

    async def _greet(self, host: str, connection: socket.socket, pinned: str | None) -> asyncssh.SSHClientConnection:
        try:
            async with asyncio.timeout(self.options.handshake_timeout):
                return await asyncssh.connect(
                    host,
                    self.options.port,
                    sock=connection,
                    config=None,
                    username=self.options.user,
                    client_keys=[self.key],
                    agent_path=None,
                    preferred_auth="publickey",
                    known_hosts=self._trusted(pinned),
                    keepalive_interval=self.options.keepalive_interval,
                    keepalive_count_max=self.options.keepalive_count,
                    login_timeout=0,
                )
        except TimeoutError as error:
            raise _HandshakeError("i/o timeout") from error
        except asyncssh.PermissionDenied as error:
            raise _HandshakeError(_NOT_ACCEPTED, refused=True) from error
        except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed) as error:
            raise _HandshakeError(self._about_key(host, pinned, error), refused=True) from error
        except (asyncssh.ConnectionLost, ConnectionError) as error:
            raise _HandshakeError("EOF", again=True) from error
        except (asyncssh.Error, asyncssh.KeyImportError, OSError) as error:
            raise _HandshakeError(str(error)) from error

    def _trusted(self, pinned: str | None) -> KnownHostsArg:
        if self.known_hosts is not None:
            return self.known_hosts
        return ([asyncssh.import_public_key(pinned)], [], [], [], [], [], []) if pinned else None

    def _about_key(self, host: str, pinned: str | None, error: asyncssh.Error) -> str:
        if pinned:
            return (
                f"knownhosts: key mismatch: the host key of {host} is not the one that was trusted at first use"
                " (if the node was set up anew, let its key be forgotten)"
            )
        if isinstance(error, asyncssh.HostKeyNotVerifiable) and self.known_hosts is not None:
            known = any(self.known_hosts.match(host, "", self.options.port)[:2])
            return "knownhosts: key mismatch" if known else "knownhosts: key is unknown"
        return str(error)

    async def _pin(self, host: str, ssh: asyncssh.SSHClientConnection) -> None:
        key = ssh.get_server_host_key()
        if key is not None:
            await self.host_keys.pin(host, key.export_public_key().decode().strip())


def _endpoint(address: tuple[object, ...]) -> str:
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"


def _reason(error: OSError) -> str:
    if isinstance(error, TimeoutError) and error.errno is None:
        return _REASONS[errno.ETIMEDOUT]
    return _REASONS.get(error.errno or 0, (error.strerror or str(error)).lower())


def read_key(path: str) -> asyncssh.SSHKey:
    """Read the private key that opens all nodes. Raises HeketipyError with heketi's start-up texts."""
    if not path:
        raise HeketipyError("Missing ssh private key file in configuration")
    try:
        return asyncssh.read_private_key(path)
    except (OSError, asyncssh.KeyImportError) as error:
        raise HeketipyError("Unable to read private key file") from error


def read_known_hosts(paths: str) -> asyncssh.SSHKnownHosts | None:
    """Read known_hosts files, separated by `:`; None for an empty list. Raises HeketipyError with heketi's text."""
    if not paths:
        return None
    try:
        texts = [Path(path).read_text(encoding="utf-8") for path in paths.split(":") if path]
        return asyncssh.import_known_hosts("\n".join(texts))
    except (OSError, ValueError) as error:
        raise HeketipyError(f'error parsing SSH_KNOWN_HOSTS "{paths}": {error}') from error
