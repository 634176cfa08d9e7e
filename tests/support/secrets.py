"""Secrets of the tests: all are made here, and carry a marker by which they are found wherever they leak."""

from hashlib import sha256

MARKER = "hidden-from-all"


def secret(name: str) -> str:
    """Return a secret of a good length, the same for the same name; nothing that URLs, JSON or a shell would change."""
    return f"{MARKER}-{name}-{sha256(name.encode()).hexdigest()[:24]}"
