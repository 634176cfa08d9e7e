"""Nothing in a database of heketi that is imported is ever run by the shell of a node: each text in it is attacked, and
what can be imported then is worked with.

Where texts stand is read from what is exported.
"""

import asyncio
import copy
import json
import re
from collections.abc import Iterator, Mapping
from itertools import cycle
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest

from heketipy.domain.errors import StorageFailure
from heketipy.server.database import import_database
from tests.security.conftest import Api, Shell
from tests.support.system_over_ssh import LOOPBACKS, SystemOverSsh

PENDING: Final = Path(__file__).parents[1] / "services" / "vectors" / "db" / "pending-stale.json"
SECTIONS: Final = (
    "clusterentries",
    "volumeentries",
    "brickentries",
    "nodeentries",
    "deviceentries",
    "blockvolumeentries",
    "dbattributeentries",
    "pendingoperations",
)
ID: Final = "{id}"
_ID: Final = re.compile(r"[0-9a-f]{32}")

Place = tuple[str, ...]


def texts(value: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Find the texts in a dump, the ids before objects among them, and where they stand."""
    match value:
        case dict():
            for name, below in value.items():
                is_id = _ID.fullmatch(name) is not None
                if is_id:
                    yield (*place, ID), name
                yield from texts(below, (*place, ID if is_id else name))
        case list():
            for below in value:
                yield from texts(below, (*place, "[]"))
        case str():
            yield place, value


def attacked(dump: str, places: Mapping[Place, str], attack: str) -> str:
    """Return a dump with an attack at the end of texts: of an object's id wherever it stands, so that all fits
    together; of other texts only at these places."""
    for place, text in places.items():
        if place[-1] == ID:
            dump = dump.replace(text, json.dumps(text + attack)[1:-1])
        else:
            dump = json.dumps(_changed(json.loads(dump), place, text, text + attack))
    return dump


def _changed(value: Any, place: Place, old: str, new: str) -> Any:
    if not place:
        return new if value == old else value
    first, *rest = place
    match value:
        case dict():
            return {
                name: _changed(below, tuple(rest), old, new) if first in (name, ID) else below
                for name, below in value.items()
            }
        case list():
            return [_changed(below, tuple(rest), old, new) for below in value]
    return value


def rounds(dump: str, section: str) -> list[Mapping[Place, str]]:
    """Return what is attacked at a time: one place, but all that name other objects, and all attributes, at once."""
    found: dict[Place, str] = {}
    for place, text in texts(json.loads(dump)[section], (section,)):
        if text:
            found.setdefault(place, text)
    together: dict[Place, dict[Place, str]] = {}
    for place, text in found.items():
        names_another = place[-1] != ID and _ID.fullmatch(text) is not None
        key = ("references",) if names_another else place[-1:] if section == "dbattributeentries" else place
        together.setdefault(key, {})[place] = text
    return list(together.values())


async def work_with(api: Api) -> None:
    """Ask for what goes to nodes, of what there is."""
    dump = (await api.ask("GET", "/db/dump")).json()

    def first(section: str) -> list[str]:
        return [quote(id_, safe="") for id_ in list(dump[section])[:1]]

    await api.ask("GET", "/internal/state/examine/gluster")
    await api.ask("POST", "/operations/pending/cleanup", {})
    for brick in first("brickentries"):
        await api.ask("POST", f"/bricks/to-evict/{brick}", {"healcheck": "disable"})
    for device in first("deviceentries"):
        await api.ask("GET", f"/devices/{device}/resync")
    for block_volume in first("blockvolumeentries"):
        await api.ask("POST", f"/blockvolumes/{block_volume}/expand", {"new_size": 2})
        await api.ask("DELETE", f"/blockvolumes/{block_volume}")
    for volume, entry in dump["volumeentries"].items():
        if not entry["Info"].get("block"):
            await api.ask("POST", f"/volumes/{quote(volume, safe='')}/clone", {})
            await api.ask("DELETE", f"/volumes/{quote(volume, safe='')}")


@pytest.mark.parametrize("section", SECTIONS)
async def test_no_imported_text_is_run(shell: Shell, tmp_path: Path, section: str) -> None:
    dump = _pending() if section == "pendingoperations" else await _own(shell)
    state = copy.deepcopy(shell.system.simulator.state)
    attacks = cycle(shell.canaries.texts())
    imported = 0
    for number, places in enumerate(rounds(dump, section)):
        file, books = tmp_path / f"{number}.db.json", tmp_path / f"{number}.db"
        file.write_text(attacked(dump, places, attack := next(attacks)))
        if await asyncio.to_thread(import_database, str(books), str(file)):
            continue
        shell.system.simulator.world.state = copy.deepcopy(state)
        system = SystemOverSsh(books, shell.system.nodes)
        try:
            await system.start()
        except StorageFailure:  # of a newer heketi, by its attributes
            system.db.close()
            continue
        imported += 1
        api = Api(system)
        await work_with(api)
        await api.close()
        await system.stop()
        assert not shell.canaries.run, (places, attack)
    assert imported


async def _own(shell: Shell) -> str:
    for path in (f"/nodes/{shell.ids['node']}/tags", f"/devices/{shell.ids['device']}/tags"):
        await shell.api.ask("POST", path, {"change_type": "set", "tags": {"a": "b"}})
    return (await shell.api.ask("GET", "/db/dump")).text


def _pending() -> str:
    """Return heketi's records of stale operations of every kind, on nodes that can be reached here."""
    dump = PENDING.read_text()
    for number, host in enumerate(LOOPBACKS[:3], 1):
        dump = dump.replace(f'"n{number}.manage"', f'"{host}"').replace(f"10.110.0.{number}", host)
    return dump
