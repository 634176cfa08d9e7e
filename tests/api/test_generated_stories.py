"""Stories that are made of the OpenAPI document: requests one after the other, about what earlier ones made. Whatever
comes in whatever order, each answer is documented, all work ends, and books and nodes say the same at the end."""

import asyncio
import random
import re
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
import requests
from hypothesis import given
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode, Response

from tests.support.books_and_nodes import discrepancies
from tests.support.furnished import Site, furnished
from tests.support.generated import EFFORT, LIMIT, SCHEMA, ask, settings
from tests.support.leaks import without_passwords
from tests.support.live_server import LiveServer
from tests.support.signed import SignedForRequests

STORIES = 30
STEPS = 40
CASES: Final = {GenerationMode.POSITIVE: 12, GenerationMode.NEGATIVE: 4}
"""So many right and wrong requests are made of each operation."""
WRONG = 0.1
"""The part of the requests that are not as the document has them."""

HOSTS: Final = 12
"""So many hosts there may be beside those of the site; more nodes than that meet with one that has the name."""
DURABILITIES: Final = (
    {},
    {"type": "none"},
    {"type": "replicate", "replicate": {"replica": 3}},
    {"type": "replicate"},
    {"type": "disperse", "disperse": {"data": 2, "redundancy": 1}},
)
OPTIONS: Final = ("user.heketi.arbiter true", "user.heketi.zone-checking strict", "nfs.disable on", "")
KINDS: Final = {
    "cluster": "clusters",
    "clusters": "clusters",
    "node": "nodes",
    "nodes": "nodes",
    "device": "devices",
    "devices": "devices",
    "brick": "bricks",
    "bricks": "bricks",
    "volume": "volumes",
    "volumes": "volumes",
    "blockhostingvolume": "volumes",
    "blockvolume": "blockvolumes",
    "blockvolumes": "blockvolumes",
    "pendingoperations": "operations",
    "operations": "operations",
}
"""Under which members of bodies there are ids, or objects with ids, and of what: as the names stand in paths."""
WEIGHTS: Final = {
    "VolumeCreate": 4,
    "VolumeDelete": 2,
    "BlockVolumeCreate": 2,
    "NodeAdd": 2,
    "DeviceAdd": 3,
    "DeviceSetState": 4,
    "DeviceDelete": 2,
    "NodeSetState": 2,
}
"""What is asked for more often, so that there is something that other requests are about."""
_ID: Final = re.compile(r"[0-9a-f]{32}")

OPERATIONS: Final[dict[str, APIOperation]] = {
    operation.definition.raw["operationId"]: operation
    for operation in (found.ok() for found in SCHEMA.get_all_operations())
}


class Story:
    """A client that forgets no id. All that it does is printed, and so to be seen where a story ends badly."""

    def __init__(self, server: LiveServer, session: requests.Session, site: Site, dice: random.Random) -> None:
        self._server = server
        self._session = session
        self._ids = defaultdict(list, {kind: list(ids) for kind, ids in site.ids.items()})
        self._dice = dice
        self._last: dict[str, str] = {}
        self._closed = 0

    def step(self, case: Case) -> None:
        """Send a request, about what there is more often than not, and follow what it starts; not always to the end."""
        self._open_again()
        self._steer(case)
        response = self._ask(case)
        if response.status_code == 202:
            self._ids["queue"].append(_last(response))
            if self._dice.random() < 0.8:
                self._follow(_last(response))

    def end(self) -> None:
        """Wait for the end of all work, and compare books and nodes."""
        self._server.parts.services.admin.reset()
        for job in self._ids["queue"]:
            self._follow(job)
        reading = self._server.parts.db.read(discrepancies, self._server.simulator.state)
        assert asyncio.run_coroutine_threadsafe(reading, self._server.loop).result(LIMIT) == []

    def _open_again(self) -> None:
        """Leave the admin mode two steps after it was set, which only a signal can."""
        if self._server.parts.services.admin.mode != "normal":
            self._closed += 1
        if self._closed > 2:
            self._server.parts.services.admin.reset()
            self._closed = 0

    def _ask(self, case: Case, **more: Any) -> Response:
        response = ask(case, self._server.url, self._session, **more)
        print(_told(case, response))
        if response.content and response.headers.get("content-type", [""])[0].startswith("application/json"):
            self._learn(response.json(), case.path.split("/")[1])
        return response

    def _follow(self, job: str) -> None:
        """Wait for the end of a job, and look at what it made."""
        end = time.monotonic() + LIMIT
        while (poll := self._look_at("queue", job)).headers.get("x-pending"):
            assert time.monotonic() < end, f"job {job} does not end"
        if poll.status_code == 303:
            kind = poll.headers["location"][0].split("/")[1]
            self._ids[kind].append(_last(poll))
            self._look_at(kind, _last(poll))

    def _look_at(self, kind: str, id_: str) -> Response:
        return self._ask(SCHEMA[f"/{kind}/{{id}}"]["GET"].Case(path_parameters={"id": id_}), auth=SignedForRequests())

    def _learn(self, found: Any, kind: str) -> None:
        """Remember all ids in a body."""
        match found:
            case {"id": str() as id_}:
                self._remember(id_, kind)
        match found:
            case dict():
                for name, below in found.items():
                    self._learn(below, KINDS.get(name, kind) if name not in ("mount", "heketidb") else "")
            case list():
                for below in found:
                    self._learn(below, kind)
            case str():
                self._remember(found, kind)

    def _remember(self, text: str, kind: str) -> None:
        if kind and _ID.fullmatch(text) and text not in self._ids[kind]:
            self._ids[kind].append(text)

    def _some(self, kind: str) -> str:
        """Choose an id: often that of before, since much needs several requests about one object."""
        if self._dice.random() < 0.5 and kind in self._last:
            return self._last[kind]
        ids = self._ids[kind] or [f"{self._dice.getrandbits(128):032x}"]
        self._last[kind] = self._dice.choice(ids[-8:] if self._dice.random() < 0.5 else ids)
        return self._last[kind]

    def _steer(self, case: Case) -> None:
        if "id" in case.path_parameters and self._dice.random() < 0.9:
            case.path_parameters["id"] = self._some(case.path.split("/")[1])
        right = case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE
        if right and isinstance(case.body, dict) and self._dice.random() < 0.9:
            case.body = {name: self._sensible(name, value) for name, value in case.body.items()}

    def _sensible(self, name: str, value: Any) -> Any:
        """Return a value that leads further than one that is made of the document alone."""
        dice = self._dice
        match name:
            case "cluster" | "node":
                return self._some(KINDS[name])
            case "clusters" | "operations":
                return [self._some(name) for _ in value]
            case "hostnames":
                host = f"192.0.3.{dice.randrange(HOSTS)}"
                return {"manage": [host], "storage": [host]}
            case "size" | "expand_size" | "new_size":
                return dice.choice((1, 2, 10, dice.randrange(1, 1200), value))
            case "durability":
                return dice.choice((*DURABILITIES, value))
            case "glustervolumeoptions":
                return dice.choices(OPTIONS, k=len(value)) if dice.random() < 0.5 else value
            case "name" if isinstance(value, str) and value.startswith("/"):
                return dice.choice(("/dev/sdd", "/dev/sde", value))
            case "name":
                return dice.choice(("", "one", "two", value))
            case "state" if value == "online":
                return dice.choice(("online", "offline", "failed"))
        return value


def _told(case: Case, response: Response) -> str:
    sent = response.request.body or b""
    body = sent.decode(errors="replace") if isinstance(sent, bytes) else sent
    content = without_passwords(response.content)[:200].decode(errors="replace").strip()
    answer = response.headers.get("location", [content])[0]
    return f"{case.method} {case.formatted_path} {body} -> {response.status_code} {answer}"


def _last(response: Response) -> str:
    return response.headers["location"][0].rpartition("/")[2]


def _cases(operation: APIOperation, mode: GenerationMode) -> list[Case]:
    """Make requests of the document. They are made before the stories, each of which would be given up at the first
    request that cannot be made."""
    made = []

    @settings(CASES[mode])
    @given(operation.as_strategy(generation_mode=mode))
    def make(case: Case) -> None:
        made.append(case)

    with suppress(Unsatisfiable):  # where nothing can be wrong
        make()
    return made


Cases = Mapping[GenerationMode, Mapping[str, Sequence[Case]]]


@pytest.fixture(scope="module")
def cases() -> Cases:
    return {mode: {name: _cases(operation, mode) for name, operation in OPERATIONS.items()} for mode in GenerationMode}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return furnished(tmp_path_factory.mktemp("site"))


@pytest.mark.parametrize("number", range(STORIES * EFFORT))
def test_every_story_ends_well(site: Site, cases: Cases, number: int, tmp_path: Path) -> None:
    dice = random.Random(number)
    with site.served(tmp_path) as server, requests.Session() as session:
        story = Story(server, session, site, dice)
        for name in dice.choices(list(OPERATIONS), weights=[WEIGHTS.get(name, 1) for name in OPERATIONS], k=STEPS):
            right, wrong = (cases[mode][name] for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE))
            story.step(dice.choice(wrong if wrong and dice.random() < WRONG else right).derive(keep_auth=True))
        story.end()
