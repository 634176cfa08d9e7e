"""Bearer tokens by heketi's rules: who signed, when, and for which request (the `qsh` claim).

PyJWT does the cryptography. Its own checks of claims are not used, since they differ: heketi's expiry is
inclusive, its leeway is for `iat` alone, and of several failures the last one names the reason.
"""

import hmac
import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import Final

from jwt.algorithms import HMACAlgorithm

from heketipy.domain.errors import HeketipyError, InvalidRequest
from heketipy.wire.decode import WrongTypeError, read
from heketipy.wire.json_text import NotJsonError, Object, parse
from heketipy.wire.token import TokenClaims

IAT_LEEWAY: Final = 120

_HMAC: Final = {
    "HS256": HMACAlgorithm(HMACAlgorithm.SHA256),
    "HS384": HMACAlgorithm(HMACAlgorithm.SHA384),
    "HS512": HMACAlgorithm(HMACAlgorithm.SHA512),
}
_KNOWN: Final = frozenset(
    {"none", "EdDSA", *(f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512))}
)
_NOT_BASE64: Final = re.compile(r"[^A-Za-z0-9_-]")
_SIGNED_64_BITS_OF_SECONDS: Final = 9223372036
_USERS_OWN: Final = re.compile(r"/(?:queue|volumes|clusters|nodes)/[A-Fa-f0-9]+")


class Role(StrEnum):
    """Who is asking."""

    ADMIN = "admin"
    USER = "user"


class MalformedHeader(InvalidRequest):
    """The Authorization header is not `Bearer <token>`."""

    code = "malformed-authorization"

    def __init__(self) -> None:
        super().__init__("Authorization header format must be Bearer {token}")


class Unauthorized(HeketipyError):
    """There is no token, or not one that allows the request."""

    code = "unauthorized"


class InvalidToken(Unauthorized):
    """The token is no good. The text names the reason as heketi does."""

    code = "invalid-token"

    def __init__(self, reason: str) -> None:
        super().__init__(f"Invalid JWT token: {reason}")


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets of the two roles. They never appear in a text, not even this object's."""

    admin: bytes
    user: bytes

    def __repr__(self) -> str:
        return "Keys(…)"

    def of(self, issuer: str) -> bytes:
        """Return the key of whoever claims to have issued a token. Raises InvalidToken."""
        match issuer:
            case Role.ADMIN:
                return self.admin
            case Role.USER:
                return self.user
            case "":
                raise InvalidToken("Token missing iss claim")
        raise InvalidToken("Unknown user")


class Authenticator:
    """Judges the Authorization header of requests."""

    def __init__(self, keys: Keys, *, iat_leeway: int = IAT_LEEWAY, clock: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._iat_leeway = iat_leeway
        self._clock = clock

    def role(self, header: str | None, method: str, path: bytes) -> Role:
        """Say who is asking. The path is the one that was sent, percent-decoded, without the query.

        Raises MalformedHeader and Unauthorized, the latter with the reason.
        """
        claims = self._claims(_token(header))
        asked = sha256(method.encode() + b"&" + path).hexdigest()
        if not hmac.compare_digest(claims.qsh.encode(), asked.encode()):
            raise Unauthorized("Invalid qsh claim in token")
        return Role(claims.iss)

    def _claims(self, token: str) -> TokenClaims:
        parts = token.split(".")
        if len(parts) != 3:
            raise InvalidToken("token contains an invalid number of segments")
        header, payload, signature = parts
        algorithm_name = _algorithm(header)
        try:
            claims = read(TokenClaims, parse(_base64(payload)))
        except (NotJsonError, WrongTypeError) as error:
            raise InvalidToken(str(error)) from error
        algorithm = _hmac(algorithm_name)
        key = self._keys.of(claims.iss)
        failure = self._untimely(claims)
        signed = f"{header}.{payload}".encode("latin-1")
        if not algorithm.verify(signed, key, _base64(signature)):
            failure = "signature is invalid (client and server secrets may not match)"
        if failure:
            raise InvalidToken(failure)
        return claims

    def _untimely(self, claims: TokenClaims) -> str:
        """Return why the token is not valid now: the last reason of several, or an empty text."""
        now = int(self._clock())
        failure = ""
        if now > claims.exp:
            failure = f"Token is expired by {duration(now - claims.exp)}"
        if claims.iat and now < claims.iat - self._iat_leeway:
            failure = "Token used before issued (client and server clocks may differ)"
        if claims.nbf and now < claims.nbf:
            failure = "token is not valid yet"
        return failure


def demand_access(role: Role, method: str, path: str) -> None:
    """Raise Unauthorized where the user's role does not reach.

    heketi lets the user do no more than list and create volumes, and so never learn what became of one;
    here the user may also read jobs and volumes, and what the provisioner of Kubernetes asks for next: clusters, nodes.
    """
    if role is Role.ADMIN or path == "/volumes":
        return
    if method == "GET" and _USERS_OWN.fullmatch(path):
        return
    raise Unauthorized("Administrator access required")


def duration(seconds: int) -> str:
    """Write a duration as `1h0m5s`. Hours are not bounded, but by the 64 bits in which heketi counts nanoseconds."""
    if seconds > _SIGNED_64_BITS_OF_SECONDS:
        return "2562047h47m16.854775807s"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def _token(header: str | None) -> str:
    if header is None or not header:
        raise Unauthorized("Required authorization token not found")
    fields = header.split()
    if len(fields) != 2 or fields[0].lower() != "bearer":
        raise MalformedHeader
    return fields[1]


@lru_cache(maxsize=64)
def _algorithm(header: str) -> str:
    """Return the `alg` of an encoded token header, or an empty text. Clients send the same few headers."""
    try:
        fields = parse(_base64(header))
    except NotJsonError as error:
        raise InvalidToken(str(error)) from error
    if fields is None:
        return ""
    if not isinstance(fields, Object):
        raise InvalidToken("the header is no object")
    name = dict(fields.members).get("alg")
    return name if isinstance(name, str) else ""


def _hmac(name: str) -> HMACAlgorithm:
    if algorithm := _HMAC.get(name):
        return algorithm
    if not name:
        raise InvalidToken("signing method (alg) is unspecified.")
    if name in _KNOWN:
        raise InvalidToken(f"Unexpected signing method: {name}")
    raise InvalidToken("signing method (alg) is unavailable.")


def _base64(text: str) -> bytes:
    """Decode unpadded base64url. Python's own decoder skips what it does not know; here that is an error."""
    if wrong := _NOT_BASE64.search(text):
        raise InvalidToken(f"illegal base64 data at input byte {wrong.start()}")
    if len(text) % 4 == 1:
        raise InvalidToken(f"illegal base64 data at input byte {len(text) - 1}")
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
