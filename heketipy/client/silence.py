"""Why no answer came, in the words of Go's network library, for which scripts look."""

import os
import re
import socket
import ssl
from collections.abc import Iterator
from typing import Final

import httpx

_TRIED: Final = re.compile(r"\('(?P<host>[^']+)', (?P<port>\d+)")


def reason(error: Exception, url: httpx.URL) -> str:
    """Say why a request got no answer."""
    causes = list(_causes(error))
    if wrong := _tls(causes):
        return wrong
    if any(isinstance(cause, socket.gaierror | UnicodeError) for cause in causes):
        return f"dial tcp: lookup {url.host}: no such host"
    connecting = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
    where = f"{'dial' if connecting else 'read'} tcp {_tried(causes) or _netloc(url)}"
    if isinstance(error, httpx.TimeoutException):
        return f"{where}: i/o timeout"
    system = next((cause for cause in causes if isinstance(cause, OSError) and cause.errno), None)
    if system is not None:
        call = "connect" if connecting else "read"
        return f"{where}: {call}: {_strerror(system)}"
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
        return "EOF"
    return str(error) or type(error).__name__


def _tls(causes: list[BaseException]) -> str:
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"tls: failed to verify certificate: x509: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            if cause.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"):
                return "http: server gave HTTP response to HTTPS client"
            return f"tls: {(cause.reason or str(cause)).replace('_', ' ').lower()}"
    return ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk from an error to what caused it; where several attempts failed, the first one's cause comes first."""
    yield error
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _causes(part)
    elif (cause := error.__cause__ or error.__context__) is not None:
        yield from _causes(cause)


def _tried(causes: list[BaseException]) -> str:
    """Return the address that was tried, which only the text of asyncio's error tells."""
    for cause in causes:
        if isinstance(cause, OSError) and (found := _TRIED.search(str(cause))):
            host = found["host"]
            return f"[{host}]:{found['port']}" if ":" in host else f"{host}:{found['port']}"
    return ""


def _netloc(url: httpx.URL) -> str:
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{host}:{url.port or (443 if url.scheme == 'https' else 80)}"


def _strerror(error: OSError) -> str:
    return os.strerror(error.errno or 0).lower()
