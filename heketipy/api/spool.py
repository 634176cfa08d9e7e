"""Long bodies: written on another thread into a file without a name, and sent from there.

A dump of a large site is larger than all else that its server holds in memory. What is short never reaches a file.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from typing import IO, Final

from starlette.responses import Response, StreamingResponse

from heketipy.domain.errors import StorageFailure

_SHORT: Final = 1024 * 1024
_PIECE: Final = 256 * 1024


def spooled(pieces: Iterable[bytes]) -> IO[bytes]:
    """Write pieces one by one, and return the whole, open. Blocks. Raises StorageFailure if there is no room for it."""
    file: IO[bytes] = tempfile.SpooledTemporaryFile(_SHORT, prefix="heketipy-answer-")  # noqa: SIM115 - handed on
    try:
        for piece in pieces:
            file.write(piece)
        file.flush()
    except BaseException as error:
        with suppress(OSError):
            file.close()
        if isinstance(error, OSError):
            text = f"The answer could not be written to the directory for temporary files: {error.strerror}"
            raise StorageFailure(text) from error
        raise
    return file


def sent(file: IO[bytes], *, media_type: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer with all that is in a file, which is closed when it was sent."""
    length = file.seek(0, os.SEEK_END)
    file.seek(0)
    return StreamingResponse(
        _contents(file), headers={**(headers or {}), "Content-Length": str(length)}, media_type=media_type
    )


async def _contents(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece
