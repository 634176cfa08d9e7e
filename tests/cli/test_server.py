"""`heketi-cli server`: the examiner and the drift."""

import json

import httpx

from tests.cli.command_line import CommandLine

FINDING = {
    "id": "1" * 32,
    "kind": "orphan-lv",
    "node": "a" * 32,
    "host": "n1",
    "device": "b" * 32,
    "name": "brick_x",
    "brick": "c" * 32,
    "volume": "",
    "certain": True,
    "cleanable": True,
    "hindrance": "",
    "since": "2026-11-24T19:20:00Z",
    "until": "",
}
LOST = {**FINDING, "id": "2" * 32, "kind": "lost-mount", "cleanable": False}
KEPT = {**FINDING, "id": "3" * 32, "kind": "quarantined", "cleanable": False, "until": "2026-12-01T19:20:00Z"}
HELD = {**FINDING, "id": "4" * 32, "cleanable": False, "hindrance": "it is mounted on /mnt"}
UNSEEN = {"node": "d" * 32, "host": "n2", "reason": "no route to host"}
LEFTOVER = {
    "node": "a" * 32,
    "host": "n1",
    "device": "b" * 32,
    "brick": "c" * 32,
    "findings": ["1" * 32],
    "steps": ["unmount /x", "rename vg/brick_x, and remove it after 2026-12-01T19:20:00Z"],
}
PROPOSAL = {
    "until": "2026-12-01T19:20:00Z",
    "leftovers": [LEFTOVER],
    "refused": [{"id": "4" * 32, "reason": "it is mounted on /mnt"}],
}


class Answering:
    """A server that has things to tell, and remembers what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[dict[str, object]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/queue/"):
            return httpx.Response(204)
        if request.method == "GET":
            return httpx.Response(200, json={"findings": [FINDING, LOST, KEPT, HELD], "unseen": [UNSEEN]})
        body = json.loads(request.content)
        self.asked.append(body)
        if body.get("dry_run", False):
            return httpx.Response(200, json=PROPOSAL)
        return httpx.Response(202, headers={"Location": "/queue/1"})


def answering() -> tuple[CommandLine, Answering]:
    server = Answering()
    return CommandLine(httpx.MockTransport(server)), server


async def test_the_examiners_answer_is_printed_as_it_is(cli: CommandLine) -> None:
    async with cli.http() as http:
        wanted = (await http.get("/internal/state/examine/gluster")).text
    for words in ([], ["--json"]):
        assert await cli.ok("server", "state", "examine", "gluster", *words) == wanted


async def test_drift_is_a_table() -> None:
    cli, _ = answering()
    assert await cli.ok("server", "state", "drift") == (
        "Id                                Kind         Host  Name     Clean-up\n"
        f"{'1' * 32}  orphan-lv    n1    brick_x  yes\n"
        f"{'2' * 32}  lost-mount   n1    brick_x  no\n"
        f"{'3' * 32}  quarantined  n1    brick_x  until 2026-12-01T19:20:00Z\n"
        f"{'4' * 32}  orphan-lv    n1    brick_x  no: it is mounted on /mnt\n"
        "Not seen: n2: no route to host\n"
    )


async def test_no_drift_is_said(cli: CommandLine) -> None:
    assert await cli.ok("server", "state", "drift") == "Books, nodes and gluster agree\n"
    assert await cli.json("server", "state", "drift") == {"findings": [], "unseen": []}
    assert await cli.ok("server", "state", "drift", "clean-up") == "There is nothing to clean up\n"


SHOWN = (
    f"Host: n1    Brick: {'c' * 32}\n"
    "    unmount /x\n"
    "    rename vg/brick_x, and remove it after 2026-12-01T19:20:00Z\n"
    f"Left alone: {'4' * 32}: it is mounted on /mnt\n"
)


async def test_a_clean_up_is_only_shown_at_first() -> None:
    cli, server = answering()
    assert await cli.ok("server", "state", "drift", "clean-up") == f"{SHOWN}Nothing was done. Use --yes to do it\n"
    assert server.asked == [{"findings": [], "dry_run": True}]


async def test_what_was_shown_is_what_is_cleaned_up() -> None:
    cli, server = answering()
    assert await cli.ok("server", "state", "drift", "clean-up", "--yes") == f"{SHOWN}Done\n"
    assert server.asked[1:] == [{"findings": ["1" * 32], "dry_run": False}]


async def test_a_release_needs_an_id() -> None:
    cli, server = answering()
    assert await cli.error("server", "state", "drift", "release") == "Error: Finding id missing\n"
    assert await cli.ok("server", "state", "drift", "release", "3" * 32) == "Released\n"
    assert server.asked == [{"findings": ["3" * 32]}]
