"""The bearer token of one request, as heketi's own client makes it.

Signed by hand: it is one HMAC, while PyJWT warns of every key below 32 bytes (heketi's sample key is shorter)
and refuses the empty one, with which heketi's client signs where none was given.
"""

import hmac
import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Final

LIFETIME: Final = 300
"""Seconds."""


def token(*, user: str, secret: str, method: str, path: str, now: float) -> str:
    """Return a token for a method (in capitals) and a path (percent-decoded, without the query).

    `now` is in seconds since the epoch.
    """
    issued = int(now)
    asked = f"{method}&{path}".encode("utf-8", "surrogateescape")
    claims: dict[str, str | int] = {
        "iss": user,
        "iat": issued,
        "exp": issued + LIFETIME,
        "qsh": sha256(asked).hexdigest(),
    }
    signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
    signature = hmac.digest(secret.encode("utf-8", "surrogateescape"), signed.encode(), "sha256")
    return f"{signed}.{_base64(signature)}"


def _part(members: dict[str, str | int]) -> str:
    return _base64(json.dumps(members, separators=(",", ":")).encode())


def _base64(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
