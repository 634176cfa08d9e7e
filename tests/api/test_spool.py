"""Long bodies on their way."""

import tempfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from heketipy.api.spool import sent, spooled
from heketipy.domain.errors import StorageFailure

MEBIBYTE = b"x" * (1 << 20)


async def body_of(file: IO[bytes]) -> bytes:
    """Return what is sent of a file to a client that stays."""
    answer = sent(file, media_type="text/plain")
    pieces: list[bytes] = []

    async def send(message: Any) -> None:
        pieces.append(message.get("body", b""))

    async def receive() -> Any:
        raise AssertionError("nothing is waited for")

    await answer({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, send)
    assert answer.headers["content-length"] == str(sum(map(len, pieces)))
    return b"".join(pieces)


@pytest.mark.parametrize("pieces", [[], [b"a", b"bc"], [MEBIBYTE, b"a", MEBIBYTE, b"b"]])
async def test_what_was_written_is_sent_and_then_closed(pieces: list[bytes]) -> None:
    file = spooled(iter(pieces))
    assert await body_of(file) == b"".join(pieces)
    assert file.closed


def test_a_long_body_is_not_kept_in_memory_while_it_is_written() -> None:
    tracemalloc.start()
    try:
        spooled(bytes(1 << 20) for _ in range(64)).close()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


def test_a_body_for_which_there_is_no_room_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    spooled([MEBIBYTE]).close()
    with pytest.raises(StorageFailure, match=r"could not be written to the directory .*: No such file"):
        spooled([MEBIBYTE, b"more"])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a file that is always full")
@pytest.mark.parametrize("size", [1, 700, 5000, 1 << 20])
def test_a_full_disk_is_told_whatever_the_size_of_the_pieces(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Path("/dev/full").open("w+b"))  # noqa: SIM115
    with pytest.raises(StorageFailure, match="No space left on device"):
        spooled(bytes(size) for _ in range(2 * (1 << 20) // size + 1))


def test_what_fails_while_it_is_written_leaves_nothing_open() -> None:
    def pieces() -> Iterator[bytes]:
        yield MEBIBYTE
        yield b"more"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        spooled(pieces())
