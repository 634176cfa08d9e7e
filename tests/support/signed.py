"""Tokens for the requests of tests: each is signed for its own method and path, as heketi's clients do."""

import time
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes, urlsplit

import httpx
import requests
import requests.auth

from heketipy.client.token import token
from tests.support.secrets import secret

KEYS = {"admin": secret("admin-key"), "user": secret("user-key")}
JWT = {role: {"key": key} for role, key in KEYS.items()}
"""The section `jwt` of a server's configuration with these keys."""


def authorization(method: str, url: str, *, role: str = "admin") -> str:
    """Return the header for a request; of the URL the path counts, as it was sent."""
    path = unquote_to_bytes(urlsplit(url).path).decode("utf-8", "surrogateescape")
    return "bearer " + token(user=role, secret=KEYS[role], method=method, path=path, now=time.time())


class Signed(httpx.Auth):
    """Signs what httpx sends."""

    def __init__(self, role: str = "admin") -> None:
        self._role = role

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:
        request.headers["Authorization"] = authorization(request.method, str(request.url), role=self._role)
        yield request


class SignedForRequests(requests.auth.AuthBase):
    """Signs what `requests` sends."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        assert request.method is not None
        assert request.url is not None
        request.headers["Authorization"] = authorization(request.method, request.url)
        return request
