"""Tokens, judged by the server's own judge."""

import pytest

from heketipy.api.auth import Authenticator, InvalidToken, Keys, Role, Unauthorized
from heketipy.client.token import token
from tests.support.secrets import secret

NOW = 1_800_000_000.9
ADMIN, USER = secret("admin-key"), secret("user") + "ü"
KEYS = Keys(admin=ADMIN.encode(), user=USER.encode())


def judge(bearer: str, *, now: float = NOW, method: str = "GET", path: bytes = b"/clusters") -> Role:
    return Authenticator(KEYS, clock=lambda: now).role(f"bearer {bearer}", method, path)


def made(user: str = "admin", secret: str = ADMIN, method: str = "GET", path: str = "/clusters") -> str:
    return token(user=user, secret=secret, method=method, path=path, now=NOW)


def test_the_server_knows_who_asks() -> None:
    assert judge(made()) is Role.ADMIN
    assert judge(made("user", USER)) is Role.USER


def test_a_token_is_good_for_five_minutes() -> None:
    assert judge(made(), now=NOW + 300) is Role.ADMIN
    with pytest.raises(InvalidToken, match="Token is expired by 1s"):
        judge(made(), now=NOW + 301)


def test_a_token_is_good_for_one_method_and_path() -> None:
    assert judge(made(path="/a b/ä"), path="/a b/ä".encode()) is Role.ADMIN
    with pytest.raises(Unauthorized, match="Invalid qsh claim"):
        judge(made(method="DELETE"))
    with pytest.raises(Unauthorized, match="Invalid qsh claim"):
        judge(made(path="/volumes"))


@pytest.mark.parametrize(
    ("user", "secret", "reason"),
    [
        ("", "", "Token missing iss claim"),
        ("nobody", "adminkey", "Unknown user"),
        ("admin", "", "signature is invalid"),
        ("admin", USER, "signature is invalid"),
        ("admin", "\udcff", "signature is invalid"),
    ],
)
def test_a_token_is_made_of_anything(user: str, secret: str, reason: str) -> None:
    with pytest.raises(InvalidToken, match=reason):
        judge(made(user, secret))
