"""Nothing that a client sends, or an operator loads, is ever run by the shell of a node.

The shell is a real one (`tests/support/sshnode`), and every text holds a command that leaves a file. Where texts stand
is read from the OpenAPI document and from the topology file's schema, so that a new member is attacked too; each goes
as deep as it can, since all else in its request is right.
"""

import json
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest

from heketipy.client.client import Client
from heketipy.client.errors import ClientError
from heketipy.client.topology import load
from heketipy.executors import script
from heketipy.wire.topology import TopologyError, load_topology, read_topology
from tests.security.conftest import REPLICA_3, SPARE, Api, Shell
from tests.support.canary import FORMS, Canaries
from tests.support.openapi_check import GOLDEN
from tests.support.text_members import ITEM, NAME, VALUE, Where, text_members, with_text

DOCUMENT: Final = json.loads(GOLDEN.read_text())
OPERATIONS: Final = {
    found["operationId"]: (method.upper(), path, found)
    for path, methods in DOCUMENT["paths"].items()
    for method, found in methods.items()
}
TOPOLOGY: Final = json.loads((Path(__file__).parents[2] / "topology" / "schema.json").read_text())

RIGHT: Final[Mapping[str, Any]] = {
    "ClusterCreate": {"file": True, "block": True},
    "ClusterSetFlags": {"file": True, "block": True},
    "NodeAdd": {"cluster": "@cluster", "zone": 4, "hostnames": {"manage": [SPARE], "storage": [SPARE]}},
    "NodeSetState": {"state": "online", "healcheck": "enable"},
    "NodeSetTags": {"change_type": "update", "tags": {"a": "b"}},
    "DeviceAdd": {"node": "@node", "name": "/dev/sdd", "tags": {"a": "b"}},
    "DeviceSetState": {"state": "online", "healcheck": "enable"},
    "DeviceSetTags": {"change_type": "update", "tags": {"a": "b"}},
    "DeviceDelete": {"forceforget": False},
    "BrickEvict": {"healcheck": "disable"},
    "VolumeCreate": {"size": 1, "name": "one", "clusters": ["@cluster"], "durability": REPLICA_3},
    "VolumeExpand": {"expand_size": 1},
    "VolumeClone": {"name": "copy"},
    "VolumeSetBlockRestriction": {"restriction": ""},
    "BlockVolumeCreate": {"size": 1, "name": "one", "clusters": ["@cluster"], "auth": True},
    "BlockVolumeExpand": {"new_size": 2},
    "PendingOperationCleanUp": {"operations": []},
    "DriftCleanUp": {"dry_run": False},
    "DriftRelease": {"findings": ["0" * 32]},
    "SetAdminState": {"state": "normal"},
    "SetLogLevel": {"loglevel": {"glusterfs": "info"}},
}
"""A right body for each operation that takes one. `@` stands before the kind of an object that there is."""

OBJECTS: Final = {
    "/clusters/": "cluster",
    "/nodes/": "node",
    "/devices/": "device",
    "/bricks/": "brick",
    "/volumes/{id}/block-restriction": "hosting",
    "/volumes/": "volume",
    "/blockvolumes/": "blockvolume",
}

REFUSED: Final = {"DeviceDelete": 400, "DriftRelease": 404}
"""What is refused although it is right, since of the objects that there are none is in the state for it."""

OPTION: Final = ("glustervolumeoptions", ITEM)


def fields(operation: str) -> list[Where]:
    """Return the places of texts in an operation's body."""
    content = OPERATIONS[operation][2].get("requestBody", {}).get("content", {})
    return [where for media in content.values() for where in text_members(media["schema"], DOCUMENT)]


def filled(value: Any, ids: Mapping[str, str]) -> Any:
    """Put ids for what stands for them."""
    match value:
        case dict():
            return {name: filled(below, ids) for name, below in value.items()}
        case list():
            return [filled(below, ids) for below in value]
        case str() if value.startswith("@"):
            return ids[value[1:]]
    return value


def path_of(operation: str, shell: Shell) -> str:
    """Return the path of an operation on an object that there is."""
    template = OPERATIONS[operation][1]
    kind = next((kind for start, kind in OBJECTS.items() if template.startswith(start)), "")
    return template.replace("{id}", shell.ids.get(kind, "0" * 32))


def bodies(operation: str, shell: Shell) -> Iterator[Any]:
    """Make bodies that are right but for one text: each text in each place."""
    right = filled(RIGHT[operation], shell.ids)
    for where in fields(operation):
        if where == OPTION:
            values = [f"user.note {text}" for text in shell.canaries.texts()]
            plain = {name: right[name] for name in ("size", "clusters")}
            yield {**plain, "glustervolumeoptions": values}
            for text in shell.canaries.texts(blanks=False):
                yield {**plain, "glustervolumeoptions": [f"{text} on"]}
        else:
            yield from (with_text(right, where, text) for text in shell.canaries.texts())


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if fields(name) or name in RIGHT])
async def test_no_text_in_a_body_is_run(shell: Shell, operation: str) -> None:
    method, path = OPERATIONS[operation][0], path_of(operation, shell)
    for body in bodies(operation, shell):
        await shell.api.ask(method, path, body)
        assert not shell.canaries.run, body


async def test_bodies_are_right_but_for_the_text(shell: Shell) -> None:
    for operation, right in RIGHT.items():
        method, path = OPERATIONS[operation][0], path_of(operation, shell)
        answer = await shell.api.ask(method, path, filled(right, shell.ids))
        assert answer.is_success or answer.status_code == REFUSED.get(operation), answer.text


async def test_no_text_in_a_path_or_beside_it_is_run(shell: Shell) -> None:
    for method, path, _ in OPERATIONS.values():
        for text in shell.canaries.texts():
            body = {} if method == "POST" else None
            if "{id}" in path:
                await shell.api.ask(method, path.replace("{id}", quote(text, safe="")), body)
        text = shell.canaries.text(";{};")
        await shell.api.ask("GET", path_of("VolumeInfo", shell), params={"healcheck": text, text: text})
        await shell.api.ask("GET", path_of("NodeInfo", shell), headers={"X-Request-Id": text, "User-Agent": text})
    assert not shell.canaries.run


def test_every_body_has_its_texts_found_and_a_right_one() -> None:
    with_body = {name for name, (_, _, found) in OPERATIONS.items() if "requestBody" in found}
    assert set(RIGHT) == with_body
    assert OPTION in fields("VolumeCreate")
    assert {("hostnames", "manage", ITEM), ("tags", NAME), ("tags", VALUE), ("cluster",)} <= set(fields("NodeAdd"))
    assert fields("VolumeCreate") == [
        ("clusters", ITEM),
        ("name",),
        ("durability", "type"),
        OPTION,
    ]


async def test_what_was_sent_is_not_run_later_either(shell: Shell) -> None:
    """Texts that are kept lie in the books, and go to the nodes again with all that is done later."""
    api, ids = shell.api, shell.ids
    values = [text.strip() for text in shell.canaries.texts()]
    options = [f"user.note{number} {value}" for number, value in enumerate(values)]
    tags = {f"t{number}": text for number, text in enumerate(shell.canaries.texts())}
    for path in (f"/nodes/{ids['node']}/tags", f"/devices/{ids['device']}/tags"):
        assert (await api.ask("POST", path, {"change_type": "set", "tags": tags})).status_code == 200
    added = {"cluster": ids["cluster"], "zone": 4, "hostnames": {"manage": [SPARE], "storage": [SPARE]}, "tags": tags}
    node = (await api.ask("POST", "/nodes", added)).json()["id"]
    device = {"node": node, "name": "/dev/sdb", "tags": tags}
    assert (await api.ask("POST", "/devices", device)).status_code == 204
    wanted = {"size": 5, "name": "noted", "durability": REPLICA_3, "glustervolumeoptions": options}
    volume = (await api.ask("POST", "/volumes", wanted)).json()
    there = shell.system.simulator.volumes["noted"].options
    assert {name: there[name] for name in there if name.startswith("user.note")} == {
        f"user.note{number}": _unquoted(value) for number, value in enumerate(values)
    }
    await everything(api, [volume["id"]])
    hosting = (await api.ask("POST", "/volumes", {**wanted, "name": "host", "size": 50, "block": True})).json()
    assert (await api.ask("POST", "/blockvolumes", {"size": 1})).status_code == 200
    await api.ask("DELETE", f"/volumes/{hosting['id']}")
    assert not shell.canaries.run


def _unquoted(value: str) -> str:
    """Return a value as gluster is told it: quotes around all of it are taken off, as heketi's shell did."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value


async def everything(api: Api, volumes: Sequence[str]) -> None:
    """Ask for all that goes to nodes, of all objects that there are."""
    for volume in volumes:
        await api.ask("POST", f"/volumes/{volume}/expand", {"expand_size": 1})
        await api.ask("POST", f"/volumes/{volume}/clone", {})
        bricks = (await api.ask("GET", f"/volumes/{volume}")).json().get("bricks", ())
        for brick in bricks[:1]:
            await api.ask("POST", f"/bricks/to-evict/{brick['id']}", {"healcheck": "disable"})
        await api.ask("DELETE", f"/volumes/{volume}")
    await api.ask("GET", "/internal/state/examine/gluster")


async def test_no_text_in_a_topology_file_is_run(shell: Shell, tmp_path: Path) -> None:
    there = {"manage": [shell.host], "storage": [shell.host]}
    device = {"name": "/dev/sdb", "tags": {"a": "b"}}
    node = {"node": {"hostnames": there, "zone": 1, "tags": {"a": "b"}}, "devices": [device, "/dev/sdc"]}
    right = {"clusters": [{"nodes": [node]}]}
    transport = shell.api.transport
    places = list(text_members(TOPOLOGY, TOPOLOGY))
    assert len(places) == 8
    assert load_topology(json.dumps(right).encode()).problems() == []
    for where in places:
        for text in shell.canaries.texts():
            content = json.dumps(with_text(right, where, text)).encode()
            try:
                load_topology(content)
            except TopologyError:
                pass
            else:
                assert NAME in where or VALUE in where
            async with Client("http://server", transport=transport) as client:
                try:
                    async for _ in load(client, read_topology(content)):
                        pass
                except ClientError as error:
                    pytest.fail(str(error))
    assert not shell.canaries.run


@pytest.mark.parametrize("form", FORMS)
def test_every_form_would_be_run_if_a_shell_read_it(tmp_path: Path, form: str) -> None:
    canaries = Canaries(tmp_path / "canaries")
    canaries.install(tmp_path)
    text = canaries.text(form)
    for line in (f"true {text}", f"false {text}", f"true '{text}'", f'true "{text}"'):
        whole = f"batch() {{\n{line}\n}}\nbatch\n"
        path = f"{tmp_path}:/usr/bin:/bin"
        subprocess.run(["/bin/sh"], input=whole.encode(), env={"PATH": path}, capture_output=True, check=False)
    assert list(canaries.run.values()) == [text]


async def test_a_text_that_is_not_quoted_is_noticed(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "shlex", _Careless)
    body = {"size": 1, "glustervolumeoptions": [f"user.note {shell.canaries.text('$({})')}"]}
    await shell.api.ask("POST", "/volumes", body)
    assert shell.canaries.run


class _Careless:
    """Quoting that forgets the words which matter."""

    quote = staticmethod(shlex.quote)

    @staticmethod
    def join(words: Sequence[str]) -> str:
        return " ".join(word if "canary" in word else shlex.quote(word) for word in words)
