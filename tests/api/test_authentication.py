"""Tokens: what is accepted, and what is said of what is not. One case for each row of the rules."""

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from heketipy.api.application import create_api
from heketipy.api.auth import Authenticator, Keys, duration
from tests.api.conftest import client_of
from tests.api.fake_services import CLUSTER, UNKNOWN, VOLUME, FakeServices
from tests.support.secrets import secret

ADMIN, USER = (secret(name).encode() for name in ("admin-key", "user-key"))
NOW = 1_795_425_434

HASHES = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


def segment(value: bytes | object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def qsh(method: str, path: str) -> str:
    return hashlib.sha256(f"{method}&{path}".encode()).hexdigest()


def token(claims: object, key: bytes = ADMIN, header: object = None) -> str:
    header = {"alg": "HS256", "typ": "JWT"} if header is None else header
    signed = f"{segment(header)}.{segment(claims)}"
    name = header.get("alg") if isinstance(header, dict) else None
    digest = HASHES.get(name, hashlib.sha256) if isinstance(name, str) else hashlib.sha256
    return f"{signed}.{segment(hmac.new(key, signed.encode(), digest).digest())}"


def claims(method: str = "GET", path: str = "/clusters", **changes: Any) -> dict[str, Any]:
    given = {"iss": "admin", "iat": NOW, "exp": NOW + 300, "qsh": qsh(method, path), **changes}
    return {name: value for name, value in given.items() if value is not ...}


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


@pytest.fixture
async def client(services: FakeServices) -> AsyncIterator[httpx.AsyncClient]:
    authenticator = Authenticator(Keys(admin=ADMIN, user=USER), clock=lambda: NOW + 0.999)
    async with client_of(create_api(services, authenticator=authenticator)) as client:
        yield client


async def ask(client: httpx.AsyncClient, text: str) -> tuple[int, str]:
    response = await client.get("/clusters", headers=bearer(text))
    return response.status_code, response.text


ACCEPTED = {
    "plain": claims(),
    "the very second of its expiry": claims(exp=NOW),
    "for one second": claims(exp=NOW + 1),
    "for seven days": claims(exp=NOW + 7 * 86400),
    "no iat": claims(iat=...),
    "iat null": claims(iat=None),
    "iat at the end of the leeway": claims(iat=NOW + 120),
    "nbf now": claims(nbf=NOW),
    "nbf zero": claims(nbf=0),
    "claims nobody reads": claims(aud="a", jti="j", sub="s", more={"x": [1.5]}),
    "names in other cases": {"ISS": "admin", "Exp": NOW + 1, "QSH": qsh("GET", "/clusters")},
}


@pytest.mark.parametrize("given", ACCEPTED.values(), ids=ACCEPTED)
async def test_a_good_token_is_accepted(client: httpx.AsyncClient, given: object) -> None:
    assert (await ask(client, token(given)))[0] == 200


@pytest.mark.parametrize("algorithm", HASHES)
async def test_every_hmac_is_accepted(client: httpx.AsyncClient, algorithm: str) -> None:
    assert (await ask(client, token(claims(), header={"alg": algorithm})))[0] == 200


async def test_of_equal_claims_the_last_one_counts(client: httpx.AsyncClient) -> None:
    text = json.dumps(claims())[:-1] + ',"iss":"user","ISS":"admin"}'
    assert (await ask(client, token(text.encode())))[0] == 200


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER \t {}", "  bearer {}"])
async def test_the_scheme_is_read_without_regard_to_case_and_blanks(client: httpx.AsyncClient, form: str) -> None:
    response = await client.get("/clusters", headers={"Authorization": form.format(token(claims()))})
    assert response.status_code == 200


async def test_of_two_headers_the_first_counts(client: httpx.AsyncClient) -> None:
    good, bad = f"Bearer {token(claims())}", "Bearer x"
    response = await client.get("/clusters", headers=[("Authorization", good), ("Authorization", bad)])
    assert response.status_code == 200
    response = await client.get("/clusters", headers=[("Authorization", bad), ("Authorization", good)])
    assert response.status_code == 401


@pytest.mark.parametrize("header", ["x", "Bearer", "Bearer a b", "Basic YTpi", "Token a.b.c", "Bearer a.b.c d"])
async def test_a_header_of_another_form_is_a_400(client: httpx.AsyncClient, header: str) -> None:
    response = await client.get("/clusters", headers={"Authorization": header})
    assert (response.status_code, response.text) == (400, "Authorization header format must be Bearer {token}\n")


@pytest.mark.parametrize("headers", [{}, {"Authorization": ""}])
async def test_no_header_is_a_401(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    response = await client.get("/clusters", headers=headers)
    assert (response.status_code, response.text) == (401, "Required authorization token not found\n")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["x-content-type-options"] == "nosniff"


SIGNATURE = "signature is invalid (client and server secrets may not match)"
BEFORE = "Token used before issued (client and server clocks may differ)"

REFUSED = {
    "one part": ("abc", "token contains an invalid number of segments"),
    "four parts": ("a.b.c.d", "token contains an invalid number of segments"),
    "alg missing": (token(claims(), header={"typ": "JWT"}), "signing method (alg) is unspecified."),
    "alg no text": (token(claims(), header={"alg": 1}), "signing method (alg) is unspecified."),
    "alg in capitals": (token(claims(), header={"ALG": "HS256"}), "signing method (alg) is unspecified."),
    "header null": (token(claims(), header=b"null"), "signing method (alg) is unspecified."),
    "alg unknown": (token(claims(), header={"alg": "HS1"}), "signing method (alg) is unavailable."),
    "alg RS256": (token(claims(), header={"alg": "RS256"}), "Unexpected signing method: RS256"),
    "alg PS512": (token(claims(), header={"alg": "PS512"}), "Unexpected signing method: PS512"),
    "alg ES384": (token(claims(), header={"alg": "ES384"}), "Unexpected signing method: ES384"),
    "alg none": (token(claims(), header={"alg": "none"}), "Unexpected signing method: none"),
    "iss missing": (token(claims(iss=...)), "Token missing iss claim"),
    "iss empty": (token(claims(iss="")), "Token missing iss claim"),
    "no claims": (token({}), "Token missing iss claim"),
    "claims null": (token(b"null"), "Token missing iss claim"),
    "iss unknown": (token(claims(iss="root")), "Unknown user"),
    "iss in capitals": (token(claims(iss="Admin")), "Unknown user"),
    "expired": (token(claims(exp=NOW - 1)), "Token is expired by 1s"),
    "expired for an hour": (token(claims(exp=NOW - 3600)), "Token is expired by 1h0m0s"),
    "exp missing": (token(claims(exp=...)), f"Token is expired by {duration(NOW)}"),
    "iat beyond the leeway": (token(claims(iat=NOW + 121)), BEFORE),
    "nbf": (token(claims(nbf=NOW + 1)), "token is not valid yet"),
    "wrong key": (token(claims(), key=b"other"), SIGNATURE),
    "the other's key": (token(claims(), key=USER), SIGNATURE),
    "empty signature": (token(claims()).rpartition(".")[0] + ".", SIGNATURE),
    "signature no base64": (token(claims()).rpartition(".")[0] + ".ab=", "illegal base64 data at input byte 2"),
    "last failure of exp and iat": (token(claims(exp=NOW - 1, iat=NOW + 999)), BEFORE),
    "last failure of iat and nbf": (token(claims(iat=NOW + 999, nbf=NOW + 1)), "token is not valid yet"),
    "last failure of all": (token(claims(exp=1, iat=NOW + 999, nbf=NOW + 1), key=b"x"), SIGNATURE),
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=REFUSED)
async def test_a_bad_token_is_refused_with_its_reason(client: httpx.AsyncClient, text: str, reason: str) -> None:
    assert await ask(client, text) == (401, f"Invalid JWT token: {reason}\n")


MALFORMED = {
    "header no base64": "$." + segment(claims()) + ".x",
    "padded header": segment({"alg": "HS256"}) + "==." + segment(claims()) + ".x",
    "header no json": token(claims(), header=b"nope"),
    "header no object": token(claims(), header=b"[]"),
    "claims no base64": segment({"alg": "HS256"}) + ".#.x",
    "claims no json": token(b"nope"),
    "claims no object": token(b"[]"),
    "exp a float": token(json.dumps(claims()).replace(str(NOW + 300), f"{NOW}.0").encode()),
    "exp a text": token(claims(exp=str(NOW))),
    "exp too large": token(claims(exp=2**63)),
    "aud a list": token(claims(aud=["a"])),
    "jti a number": token(claims(jti=1)),
    "sub a bool": token(claims(sub=True)),
    "qsh a number": token(claims(qsh=1)),
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
async def test_a_token_that_cannot_be_read_is_refused(client: httpx.AsyncClient, text: str) -> None:
    status, body = await ask(client, text)
    assert status == 401
    assert body.startswith("Invalid JWT token: ")
    assert body.endswith("\n")


@pytest.mark.parametrize(
    "given",
    [
        claims(qsh=...),
        claims(qsh=""),
        claims(qsh=qsh("GET", "/clusters").upper()),
        claims("POST"),
        claims("GET", "/clusters/"),
        claims("GET", "/clusters?a=b"),
        claims("GET", "clusters"),
    ],
)
async def test_a_token_for_another_request_is_refused(client: httpx.AsyncClient, given: object) -> None:
    assert await ask(client, token(given)) == (401, "Invalid qsh claim in token\n")


@pytest.mark.parametrize(
    ("sent", "signed", "status"),
    [
        ("/clusters?a=b", "/clusters", 200),
        (f"/clusters%2F{CLUSTER}", f"/clusters/{CLUSTER}", 200),
        ("/clust%65rs", "/clusters", 200),
        ("//clusters", "//clusters", 200),
        ("//clusters", "/clusters", 401),
        ("/clusters/", "/clusters/", 301),
        ("/clusters/", "/clusters", 401),
        ("/%ff", "/%ff", 401),
        ("/nothing", "/nothing", 404),
    ],
)
async def test_the_signed_path_is_the_decoded_one_without_the_query(
    client: httpx.AsyncClient, sent: str, signed: str, status: int
) -> None:
    headers = bearer(token(claims(path=signed)))
    assert (await client.get(f"http://server{sent}", headers=headers)).status_code == status


async def test_bytes_that_are_no_utf8_are_signed_as_bytes(client: httpx.AsyncClient) -> None:
    digest = hashlib.sha256(b"GET&/\xff").hexdigest()
    assert (await client.get("/%ff", headers=bearer(token(claims(qsh=digest))))).status_code == 404


async def test_an_unknown_path_without_a_token_is_a_401(client: httpx.AsyncClient) -> None:
    for path in ("/nothing", "/hello/", f"/queue/{UNKNOWN}", "/openapi.json"):
        assert (await client.get(path)).status_code == 401
    assert (await client.post("/hello")).status_code == 401


async def test_a_path_with_dots_is_redirected_before_authentication(client: httpx.AsyncClient) -> None:
    assert (await client.get("/clusters/%2e")).status_code == 301


async def test_hello_needs_no_token_and_looks_at_none(client: httpx.AsyncClient) -> None:
    assert (await client.get("/hello", headers={"Authorization": "garbage"})).status_code == 200


async def test_without_authentication_no_header_is_looked_at(services: FakeServices) -> None:
    async with client_of(create_api(services, authenticator=None)) as client:
        for header in ("garbage", "bearer a.b.c", f"bearer {token(claims(iss=''), key=b'x')}"):
            assert (await client.get("/clusters", headers={"Authorization": header})).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/volumes", 200),
        ("POST", "/volumes", 422),
        ("PUT", "/volumes", 405),
        ("GET", "/volumes?a=b", 200),
        ("GET", f"/volumes/{VOLUME}", 200),
        ("GET", f"/volumes/{UNKNOWN}", 404),
        ("GET", f"/queue/{UNKNOWN}", 404),
        ("DELETE", f"/volumes/{VOLUME}", 401),
        ("POST", f"/volumes/{VOLUME}/expand", 401),
        ("GET", "/volumes/", 401),
        ("GET", "/clusters", 401),
        ("GET", f"/clusters/{CLUSTER}", 200),
        ("POST", "/nodes", 401),
        ("GET", "/topology", 401),
        ("GET", "/nothing", 401),
    ],
)
async def test_what_the_user_may_do(client: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    given = claims(method, path.partition("?")[0], iss="user")
    response = await client.request(method, path, headers=bearer(token(given, key=USER)))
    assert response.status_code == status
    if status == 401:
        assert response.text == "Administrator access required\n"


async def test_the_leeway_of_iat_is_a_setting(services: FakeServices) -> None:
    authenticator = Authenticator(Keys(ADMIN, USER), iat_leeway=0, clock=lambda: float(NOW))
    async with client_of(create_api(services, authenticator=authenticator)) as client:
        assert (await ask(client, token(claims(iat=NOW))))[0] == 200
        assert (await ask(client, token(claims(iat=NOW + 1))))[0] == 401


async def test_a_key_of_any_form_works(services: FakeServices) -> None:
    for key in (b"x", b"-----BEGIN PUBLIC KEY-----\nx", b'{"kty":"oct"}', b"ssh-rsa AAAA", "schlüssel".encode()):
        authenticator = Authenticator(Keys(admin=key, user=USER), clock=lambda: float(NOW))
        async with client_of(create_api(services, authenticator=authenticator)) as client:
            assert (await ask(client, token(claims(), key=key)))[0] == 200


async def test_neither_keys_nor_tokens_are_logged(
    client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    good = token(claims())
    await ask(client, good)
    await ask(client, token(claims(), key=b"other"))
    written = capsys.readouterr().out + caplog.text
    assert "request" in written
    for hidden in (ADMIN.decode(), USER.decode(), good, good.rpartition(".")[2]):
        assert hidden not in written
    assert "secret" not in repr(Keys(b"secret", b"secret"))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (59, "59s"),
        (60, "1m0s"),
        (3599, "59m59s"),
        (3600, "1h0m0s"),
        (86400, "24h0m0s"),
        (1_795_425_424, "498729h17m4s"),
        (9_223_372_037, "2562047h47m16.854775807s"),
    ],
)
def test_durations_are_written_as_heketi_writes_them(seconds: int, text: str) -> None:
    assert duration(seconds) == text
