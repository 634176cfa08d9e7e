"""Secrets of the tests: all are made here, and carry a marker by which they are found wherever they leak."""

from hashlib import sha256

from heketipy.executors.simulator.gluster_block import PASSWORDS_BEGIN

MARKER = "hidden-from-all"
CHAP_MARKER = PASSWORDS_BEGIN
"""Before passwords of block volumes, which are shown where the API says so, and kept in books."""


def secret(name: str) -> str:
    """Return a secret of a good length, the same for the same name; nothing that URLs, JSON or a shell would change."""
    return f"{MARKER}-{name}-{sha256(name.encode()).hexdigest()[:24]}"


def chap_password(number: int = 1) -> str:
    """Return the password of a block volume."""
    return f"{CHAP_MARKER}-0000-4000-8000-{number:012x}"
