"""A server that only looks at its database."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from heketipy.db.database import Database
from heketipy.domain.errors import StorageFailure
from tests.api.fake_services import UNKNOWN
from tests.api.test_whole_server import finished, furnished

Server = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]

READ_ONLY = {"db_read_only": True}


async def test_everything_is_shown_and_nothing_is_changed(server: Server) -> None:
    async with server() as client:
        cluster, node, device = await furnished(client)
        made = await finished(client, await client.post("/volumes", json={"size": 1}))
        volume = made.headers["location"]
        paths = ["/clusters", f"/clusters/{cluster}", f"/nodes/{node}", f"/devices/{device}", "/volumes", volume]
        paths += ["/db/dump", "/db/check", "/operations", "/operations/pending", "/admin"]
        before = [(await client.get(path)).text for path in paths]
    changes: list[tuple[str, str, Any]] = [
        ("POST", "/clusters", {}),
        ("POST", f"/clusters/{cluster}/flags", {}),
        ("DELETE", f"/clusters/{cluster}", None),
        ("POST", "/devices", {"node": node, "name": "/dev/sdz"}),
        ("POST", f"/devices/{device}/tags", {"change_type": "set"}),
        ("POST", f"/nodes/{node}/tags", {"change_type": "set"}),
        ("POST", f"/nodes/{node}/state", {"state": "offline"}),
        ("GET", f"/devices/{device}/resync", None),
        ("POST", "/volumes", {"size": 1}),
        ("POST", f"{volume}/expand", {"expand_size": 1}),
        ("DELETE", volume, None),
        ("POST", "/operations/pending/cleanup", {}),
    ]
    async with server(config=READ_ONLY) as client:
        assert [(await client.get(path)).text for path in paths] == before
        assert "heketi_up 1" in (await client.get("/metrics")).text
        for method, path, body in changes:
            answer = await client.request(method, path, json=body)
            assert (answer.status_code, answer.text) == (500, "database is in read-only mode\n"), path
        assert (await client.post("/volumes", json={"size": 0})).status_code == 400
        assert (await client.get(f"/volumes/{UNKNOWN}")).status_code == 404
        assert (await client.post("/admin", json={"state": "local-client"})).status_code == 204
    async with server() as client:
        assert [(await client.get(path)).text for path in paths] == before


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
async def test_a_server_may_look_while_another_one_works(server: Server, where: str) -> None:
    async with server() as working:
        await furnished(working)
        looking = Database.open(where, read_only=True)
        await finished(working, await working.post("/volumes", json={"size": 1}))
        assert len(await looking.read(lambda tx: tx.volumes.ids())) == 1
        with pytest.raises(StorageFailure, match="database is in read-only mode"):
            await looking.write(lambda tx: tx.meta.raise_epoch())
        looking.close()


def test_what_is_not_there_or_too_old_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StorageFailure, match="no such file or directory"):
        Database.open(tmp_path / "absent.db", read_only=True)
    empty = tmp_path / "empty.db"
    empty.touch()
    with pytest.raises(StorageFailure, match="older version"):
        Database.open(empty, read_only=True)
    assert empty.stat().st_size == 0
    assert sorted(tmp_path.iterdir()) == [empty]
