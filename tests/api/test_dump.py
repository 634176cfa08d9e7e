"""The dump of everything, its check, and the database's file, on the whole server."""

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.test_whole_server import finished, furnished

Server = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]

RECORDED: dict[str, Any] = json.loads((Path(__file__).parents[1] / "wire" / "golden" / "dump.json").read_text())


def shape(value: Any) -> Any:
    """Return the names of a record's members in their order, without its values."""
    match value:
        case dict():
            return [(name, shape(member)) for name, member in value.items()]
        case list():
            return [shape(item) for item in value[:1]]
        case _:
            return type(value)


async def test_a_dump_has_heketis_members_in_heketis_order(server: Server) -> None:
    async with server() as client:
        _, _, device = await furnished(client)
        tags = {"change_type": "set", "tags": {"tier": "ssd"}}
        await client.post(f"/devices/{device}/tags", json=tags)
        made = await finished(client, await client.post("/volumes", json={"size": 1, "name": "appvol"}))
        volume = (await client.get(made.headers["location"])).json()
        answer = await client.get("/db/dump")
        assert answer.headers["content-type"] == "application/json; charset=UTF-8"
        assert answer.headers["content-length"] == str(len(answer.content))
        dump = answer.json()
        assert answer.text == json.dumps(dump, indent=4) + "\n"
        assert list(dump) == list(RECORDED)
        for section, recorded in RECORDED.items():
            ours = [shape(one) for one in dump[section].values()]
            assert ours == [shape(one) for one in recorded.values()], section
        assert {name: one["Value"] for name, one in dump["dbattributeentries"].items() if "GENERATION" not in name} == {
            name: "yes" for name in RECORDED["dbattributeentries"] if "GENERATION" not in name
        }
        entry = dump["volumeentries"][volume["id"]]
        assert entry["Info"]["mount"] == volume["mount"]
        assert entry["GlusterVolumeOptions"] == volume["glustervolumeoptions"]
        assert entry["Bricks"] == [brick["id"] for brick in volume["bricks"]]


async def test_a_dump_shows_what_is_pending(server: Server) -> None:
    async with server(config={"simulator": {"latency_ms": 50}}) as client:
        await furnished(client)
        started = await client.post("/volumes", json={"size": 1})
        dump = (await client.get("/db/dump")).json()
        ((operation, record),) = dump["pendingoperations"].items()
        assert (record["Id"], record["Type"], record["Status"]) == (operation, 1, "")
        assert [(action["Change"], action["Delta"]) for action in record["Actions"]] == [(1, None), (2, None)]
        assert abs(record["Timestamp"] - time.time()) < 60
        for section in ("volumeentries", "brickentries"):
            assert [one["Pending"]["Id"] for one in dump[section].values()] == [operation]
        assert (await client.get("/db/check")).json()["volumes"]["pending"] == 1
        await finished(client, started)


async def test_a_check_of_our_own_books_finds_nothing(server: Server) -> None:
    async with server() as client:
        await furnished(client)
        await finished(client, await client.post("/volumes", json={"size": 1}))
        answer = await client.get("/db/check")
        assert answer.headers["content-type"] == "application/json; charset=UTF-8"
        report = answer.json()
        assert answer.text == json.dumps(report, indent=4) + "\n"
        assert report["totalinconsistencies"] == 0
        for kind in ("clusters", "nodes", "devices", "volumes", "bricks"):
            assert report[kind] == {"total": 1, "pending": 0, "ok": 1, "notok": 0, "inconsistencies": None}
        for kind in ("blockvolumes", "dbattributes", "pendingoperations"):
            assert report[kind] == {"total": 0, "pending": 0, "ok": 0, "notok": 0, "inconsistencies": None}


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
async def test_a_backup_is_the_database_as_a_whole(server: Server, tmp_path: Path) -> None:
    async with server() as client:
        cluster, _, _ = await furnished(client)
        answer = await client.get("/backup/db")
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"] == 'attachment; filename="heketi.db"'
        assert answer.headers["content-length"] == str(len(answer.content))
    copy = tmp_path / "copy.db"
    copy.write_bytes(answer.content)
    with sqlite3.connect(copy) as connection:
        assert connection.execute("SELECT id FROM clusters").fetchall() == [(cluster,)]
    connection.close()


@pytest.mark.parametrize("where", ["postgresql"], indirect=True)
async def test_postgresql_has_tools_of_its_own(server: Server) -> None:
    async with server() as client:
        answer = await client.get("/backup/db")
        assert answer.status_code == 500
        assert "pg_dump" in answer.text
