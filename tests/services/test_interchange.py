"""Databases of heketi taken over, and given back: nothing is lost, and what was pending is settled."""

import copy
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from heketipy.db.database import Database, Tx
from heketipy.domain.errors import Conflict, InvalidRequest, StorageFailure
from heketipy.services.interchange.opening import open_books
from heketipy.services.interchange.sections import sections
from heketipy.services.interchange.taking_over import take_over
from heketipy.wire.dump import dumped
from heketipy.wire.heketi_database import read_database
from tests.api.test_whole_server import finished
from tests.services.test_consistency import REPORTS, database
from tests.support.whole_server import whole_server

VECTORS = Path(__file__).parent / "vectors" / "db"
GENERATION = "1234" * 8
CLONE_OF_STALE = "0455bd95c2cbc83ad3c88b45881b98ac"

Server = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
async def books(where: str) -> AsyncIterator[Database]:
    opened = Database.open(where)
    yield opened
    opened.close()


@pytest.fixture
def server(tmp_path: Path, where: str) -> Server:
    return partial(whole_server, tmp_path, database=where)


async def imported(books: Database, content: bytes) -> None:
    database = read_database(content)
    await books.write(lambda tx: take_over(tx, database, generation=GENERATION))


async def exported(books: Database) -> str:
    return (await books.read(lambda tx: b"".join(dumped(sections(tx))))).decode()


def in_bytes(dump: dict[str, Any]) -> bytes:
    return json.dumps(dump).encode()


@pytest.mark.parametrize("name", REPORTS)
async def test_every_sample_comes_out_as_it_went_in_but_for_its_generation(books: Database, name: str) -> None:
    content = (VECTORS / f"{name}.json").read_text()
    old = json.loads(content)["dbattributeentries"]["DB_GENERATION_ID"]["Value"]
    await imported(books, content.encode())
    assert await exported(books) == content.replace(old, GENERATION)


async def test_an_export_can_be_taken_over_again(books: Database, tmp_path: Path) -> None:
    await imported(books, (VECTORS / "pending-stale.json").read_bytes())
    first = await exported(books)
    other = Database.open(tmp_path / "other.db")
    await imported(other, first.encode())
    assert await exported(other) == first
    other.close()


@pytest.mark.parametrize("content", [b"null", b"{}", b'{"clusterentries":null,"more":5} and more'])
async def test_an_empty_database_has_no_attributes_but_its_generation(books: Database, content: bytes) -> None:
    await imported(books, content)
    dump = json.loads(await exported(books))
    assert dump.pop("dbattributeentries") == {"DB_GENERATION_ID": {"Key": "DB_GENERATION_ID", "Value": GENERATION}}
    assert not any(dump.values())


async def test_ids_count_that_records_name_themselves_and_names_match_in_any_case(books: Database) -> None:
    content = b'{"CLUSTERENTRIES":{"whatever":{"info":{"ID":"c1","FILE":true}}}}'
    await imported(books, content)
    assert json.loads(await exported(books))["clusterentries"] == {
        "c1": {"Info": {"id": "c1", "nodes": [], "volumes": [], "block": False, "file": True, "blockvolumes": []}}
    }


def odd_values(dump: dict[str, Any]) -> None:
    """Put in what heketi stores as it is given."""
    next(iter(dump["nodeentries"].values()))["State"] = "weird"
    device = next(iter(dump["deviceentries"].values()))
    device["State"] = "strange"
    device["Info"]["storage"]["total"] += 7
    volume = next(iter(dump["volumeentries"].values()))
    volume["Info"]["mount"]["glusterfs"]["hosts"] = ["long", "gone"]
    volume["Info"]["blockinfo"]["restriction"] = "somehow"
    volume["GlusterVolumeOptions"] = None
    volume["Bricks"].reverse()
    brick = next(iter(dump["brickentries"].values()))
    brick["SubType"] = 9
    dump["dbattributeentries"]["DB_OF_TOMORROW"] = {"Key": "DB_OF_TOMORROW", "Value": "<maybe>"}
    dump["pendingoperations"]["f" * 32] = {
        "Id": "f" * 32,
        "Timestamp": 5,
        "Type": 77,
        "Actions": [{"Change": 99, "Id": "x", "Delta": -3}],
        "Status": "odd",
    }


def nothing_is_there(dump: dict[str, Any]) -> None:
    """Let every reference lead nowhere."""
    dump["clusterentries"].clear()


def two_of_a_name(dump: dict[str, Any]) -> None:
    for volume in dump["volumeentries"].values():
        volume["Info"]["name"] = "same"


@pytest.mark.parametrize("change", [odd_values, nothing_is_there, two_of_a_name])
async def test_what_our_tables_cannot_say_is_kept(books: Database, change: Callable[[dict[str, Any]], None]) -> None:
    dump = database("plain")
    change(dump)
    dump["dbattributeentries"]["DB_GENERATION_ID"]["Value"] = GENERATION
    await imported(books, in_bytes(dump))
    assert json.loads(await exported(books)) == dump


async def test_a_kept_record_gives_way_when_something_changes(books: Database) -> None:
    dump = database("plain")
    odd_values(dump)
    await imported(books, in_bytes(dump))
    volume, entry = next(iter(dump["volumeentries"].items()))
    await books.write(lambda tx: tx.volumes.set_size(volume, 99))
    now = json.loads(await exported(books))["volumeentries"][volume]
    assert now["Info"]["size"] == 99
    assert now["Info"]["mount"]["glusterfs"]["hosts"] != ["long", "gone"]
    assert sorted(now["Bricks"]) == sorted(entry["Bricks"])


@pytest.mark.parametrize(
    ("section", "record", "text"),
    [
        ("volumeentries", {"Info": {"name": "x"}}, "a record of volumeentries has no id"),
        ("dbattributeentries", {"Value": "x"}, "a record of dbattributeentries has no id"),
        ("pendingoperations", {"Id": "f" * 32}, "a pending operation is of no type"),
        (
            "volumeentries",
            {"Info": {"id": "v", "durability": {"type": "mirror"}}},
            "Not a known volume durability type: mirror",
        ),
    ],
)
async def test_what_heketi_does_not_store_either_is_refused(
    books: Database, section: str, record: dict[str, Any], text: str
) -> None:
    with pytest.raises(InvalidRequest, match=text):
        await imported(books, in_bytes({section: {"x": record}}))


async def test_a_brick_that_its_volume_does_not_list_is_kept_and_in_nobodys_way(books: Database) -> None:
    dump = json.loads((VECTORS / "plain.json").read_text())
    volume, entry = next((id_, entry) for id_, entry in dump["volumeentries"].items() if entry["Bricks"])
    stray = entry["Bricks"].pop()
    await imported(books, in_bytes(dump))

    def delete(tx: Tx) -> list[str]:
        tx.bricks.remove([brick.id for brick in tx.bricks.of_volume(volume)])
        tx.volumes.remove(volume)
        return tx.volumes.ids()

    assert volume not in await books.write(delete)
    assert json.loads(await exported(books))["brickentries"][stray] == dump["brickentries"][stray]


async def test_two_nodes_with_one_name_are_refused(books: Database) -> None:
    dump = database("plain")
    first, second = list(dump["nodeentries"].values())[:2]
    second["Info"]["hostnames"] = copy.deepcopy(first["Info"]["hostnames"])
    with pytest.raises(Conflict, match="already used by node"):
        await imported(books, in_bytes(dump))


async def test_records_of_operations_are_invisible_without_the_attribute_that_says_they_are_there(
    books: Database,
) -> None:
    dump = database("failed-ops")
    del dump["dbattributeentries"]["DB_HAS_PENDING_OPS_BUCKET"]
    await imported(books, in_bytes(dump))
    assert json.loads(await exported(books))["pendingoperations"] == {}
    await books.write(open_books, "unused")
    assert json.loads(await exported(books))["pendingoperations"].keys() == dump["pendingoperations"].keys()


async def test_a_database_of_a_newer_heketi_is_not_opened(books: Database) -> None:
    dump = database("plain")
    odd_values(dump)
    await imported(books, in_bytes(dump))
    with pytest.raises(StorageFailure, match="unknown attributes are present"):
        await books.write(open_books, "unused")


async def test_an_old_database_is_upgraded_when_it_is_opened(books: Database) -> None:
    await imported(books, (VECTORS / "legacy.json").read_bytes())
    await books.write(open_books, "unused")
    dump = json.loads(await exported(books))
    assert {name: one["Value"] for name, one in dump["dbattributeentries"].items()} == {
        "DB_BRICK_HAS_SUBTYPE_FIELD": "yes",
        "DB_CLUSTER_HAS_FILE_BLOCK_FLAG": "yes",
        "DB_DEVICE_HAS_ID_META": "yes",
        "DB_GENERATION_ID": GENERATION,
        "DB_HAS_PENDING_OPS_BUCKET": "yes",
    }
    assert all(one["Info"]["file"] and one["Info"]["block"] for one in dump["clusterentries"].values())
    assert all(one["Info"]["volume"] in dump["volumeentries"] for one in dump["brickentries"].values())


async def settled(client: httpx.AsyncClient) -> dict[str, int]:
    """Have everything cleaned up, twice, since one operation may have waited for another; return what is left."""
    for _ in range(2):
        assert (await finished(client, await client.post("/operations/pending/cleanup", json={}))).status_code == 204
    left: dict[str, int] = (await client.get("/operations")).json()
    return left


@pytest.mark.parametrize(("name", "left"), [("failed-ops", 0), ("device-remove", 0), ("pending-stale", 1)])
async def test_what_heketi_had_pending_is_taken_back_or_finished(
    server: Server, where: str, name: str, left: int
) -> None:
    books = Database.open(where)
    await imported(books, (VECTORS / f"{name}.json").read_bytes())
    books.close()
    async with server() as client:
        pending = (await client.get("/operations/pending")).json()["pendingoperations"]
        assert {one["id"] for one in pending} <= database(name)["pendingoperations"].keys()
        assert (await settled(client))["total"] == left
        dump, report = (await client.get("/db/dump")).json(), (await client.get("/db/check")).json()
        volumes = (await client.get("/volumes")).json()["volumes"]
        assert {id for id, one in dump["volumeentries"].items() if not one["Pending"]["Id"]} <= set(volumes)
        for volume in volumes:
            assert (await client.get(f"/volumes/{volume}")).status_code == 200
        if not left:
            assert report["totalinconsistencies"] == 0


async def test_what_nobody_can_clean_up_is_shown_and_in_nobodys_way(server: Server, where: str) -> None:
    books = Database.open(where)
    await imported(books, (VECTORS / "pending-stale.json").read_bytes())
    books.close()
    recorded = database("pending-stale")["pendingoperations"][CLONE_OF_STALE]
    async with server() as client:
        await settled(client)
        shown = (await client.get(f"/operations/pending/{CLONE_OF_STALE}")).json()
        assert (shown["type_name"], shown["status"]) == ("clone-volume", "stale")
        assert [change["id"] for change in shown["changes"]] == [action["Id"] for action in recorded["Actions"]]
        source = recorded["Actions"][0]["Id"]
        assert (await client.get(f"/volumes/{source}")).status_code == 200
        assert (await client.post("/volumes", json={"size": 1})).status_code == 202
        assert CLONE_OF_STALE in (await client.get("/db/dump")).json()["pendingoperations"]
