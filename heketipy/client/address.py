"""The server's address, and what is wrong with it, told in the words of Go's HTTP client."""

import re
from typing import Final

import httpx

from heketipy.client.errors import ClientError, UnansweredError

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_AUTHORITY: Final = re.compile(r"//(?:[^/?#@]*@)?(?P<host>\[[^\]/?#]*\]|[^:/?#]*)(?P<port>:[^/?#]*)?")
_PORTS: Final = 65535


class BadAddressError(ClientError):
    """The address is no URL."""

    def __init__(self, url: str, wrong: str) -> None:
        super().__init__(f'parse "{url}": {wrong}')


def trimmed(server: str) -> str:
    """Return an address behind which a path can be put.

    heketi's client keeps a trailing slash, and then takes redirects for success.
    """
    return server.rstrip("/") if "://" in server.rstrip("/") else server


def parsed(method: str, url: str) -> httpx.URL:
    """Return a URL that a request can go to. Raises BadAddressError and UnansweredError."""
    _check(method, url)
    try:
        address = httpx.URL(url)
        _ = address.host  # a wrong international name is found only when it is looked at
    except (httpx.InvalidURL, UnicodeError) as error:
        raise BadAddressError(url, str(error)) from error
    return address


def _check(method: str, url: str) -> None:
    scheme = _SCHEME.match(url)
    if scheme is None:
        if ":" in url.partition("/")[0]:
            raise BadAddressError(url, "first path segment in URL cannot contain colon")
        raise UnansweredError(method, url, 'unsupported protocol scheme ""')
    name = scheme.group()[:-1].lower()
    if name not in ("http", "https"):
        raise UnansweredError(method, url, f'unsupported protocol scheme "{name}"')
    authority = _AUTHORITY.match(url, scheme.end())
    if authority is None or not authority["host"]:
        raise UnansweredError(method, url, "http: no Host in request URL")
    port = (authority["port"] or "")[1:]
    if port and not (port.isascii() and port.isdigit()):
        raise BadAddressError(url, f'invalid port ":{port}" after host')
    if port and int(port) > _PORTS:
        raise UnansweredError(method, url, f"dial tcp: address {port}: invalid port")
