"""The whole server in this process, on the simulator and a database of its own, without a socket."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from heketipy.config import ExecutorName
from heketipy.config.load import load
from heketipy.server.options import ServerOptions
from heketipy.server.wiring import put_together
from tests.support.openapi_check import OpenApiCheck


@asynccontextmanager
async def whole_server(
    folder: Path,
    *,
    config: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    database: str = "",
    **top_level: Any,
) -> AsyncIterator[httpx.AsyncClient]:
    """Start a server and give a client whose every answer is compared with the OpenAPI document.

    `config` are members of the section `glusterfs`, `top_level` ones beside it. Tokens are asked for if there are
    keys (`jwt=…`). `database` is the name of an empty one; by default it is a new file.
    """
    file = folder / "heketi.json"
    section = {"executor": "mock", "db": database or str(folder / "heketi.db"), **(config or {})}
    file.write_text(json.dumps({"glusterfs": section, **top_level}))
    settings = load(str(file), environment or {}).settings
    options = ServerOptions(settings, ExecutorName.SIMULATOR, authenticate="jwt" in top_level)
    async with put_together(options) as parts:
        await parts.services.cleaner.take_over()
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(parts.app),
            base_url="http://server",
            timeout=60,
            event_hooks={"response": [OpenApiCheck().hook]},
        ) as client:
            yield client
