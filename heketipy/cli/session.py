"""What a command works with: the global flags, where it prints, and the client of the server."""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TextIO

import httpx

from heketipy.client import Client, ClientError
from heketipy.wire.encode import encode

DEFAULT_SERVER: Final = "http://localhost:8080"


class CommandError(Exception):
    """A command failed. `str()` is what stands behind `Error: `."""


@dataclass(frozen=True, slots=True)
class Streams:
    """Where a command prints, and what stands for the network, if anything does."""

    out: TextIO
    err: TextIO
    transport: httpx.AsyncBaseTransport | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One run of the program."""

    streams: Streams
    server: str
    user: str
    secret: str
    json: bool
    insecure_tls: bool
    tls_cert: tuple[str, ...]

    @classmethod
    def of(cls, streams: Streams, flags: Mapping[str, Any], environment: Mapping[str, str]) -> "Session":
        """Take what the flags say; where one is empty or not given, the environment."""
        return cls(
            streams,
            server=flags["server"] or environment.get("HEKETI_CLI_SERVER") or DEFAULT_SERVER,
            user=flags["user"] or environment.get("HEKETI_CLI_USER", ""),
            secret=flags["secret"] or environment.get("HEKETI_CLI_KEY", ""),
            json=flags.get("json") is True,
            insecure_tls=flags["insecure_tls"],
            tls_cert=tuple(flags["tls_cert"]),
        )

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """Give a client of the server. Its errors become CommandErrors."""
        try:
            async with Client(
                self.server,
                user=self.user,
                secret=self.secret,
                verify=self._verify(),
                transport=self.streams.transport,
            ) as client:
                yield client
        except ClientError as error:
            raise CommandError(str(error)) from error

    def say(self, text: str) -> None:
        """Print a text as it is. It is seen at once: a line may be about something that takes a while."""
        self.streams.out.write(text)
        self.streams.out.flush()

    def complain(self, text: str) -> None:
        """Print a text on standard error."""
        self.streams.err.write(text)
        self.streams.err.flush()

    def say_json(self, value: Mapping[str, Any]) -> None:
        """Print an object as one line that does not end."""
        self.say(encode(value).decode().removesuffix("\n"))

    def _verify(self) -> ssl.SSLContext:
        if self.insecure_tls:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return context
        if not self.tls_cert:
            return ssl.create_default_context()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        for path in self.tls_cert:
            _trust(context, path)
        return context


def _trust(context: ssl.SSLContext, path: str) -> None:
    try:
        context.load_verify_locations(cafile=path)
    except ssl.SSLError as error:
        raise CommandError(f"failed to load PEM encoded cert from {path}") from error
    except OSError as error:
        cause = (error.strerror or str(error)).lower()
        raise CommandError(f"failed to read cert file {path}: open {path}: {cause}") from error
