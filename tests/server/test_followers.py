"""Who was told to come again, and has not come yet."""

from collections.abc import Sequence

from starlette.types import Message, Receive, Scope, Send

from heketipy.server.followers import PATIENCE, Followers

Header = tuple[bytes, bytes]


class Application:
    """Answers as it is told to, and knows what time it is."""

    def __init__(self) -> None:
        self.now = 0.0
        self.followers = Followers(self, lambda: self.now)
        self._answer: tuple[int, Sequence[Header]] = (200, ())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, headers = self._answer
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})

    async def answer(self, path: str, status: int, *headers: Header) -> None:
        self._answer = (status, headers)
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        async def receive() -> Message:
            return {"type": "http.request"}

        await self.followers({"type": "http", "path": path}, receive, send)
        assert sent[0]["status"] == status


ACCEPTED = (b"location", b"/queue/1")
PENDING = (b"X-Pending", b"true")


async def test_nobody_waits_where_nothing_was_accepted() -> None:
    app = Application()
    await app.answer("/volumes", 200)
    await app.answer("/queue/9", 404)
    assert not app.followers.waiting


async def test_a_client_waits_from_its_acceptance_to_its_answer() -> None:
    app = Application()
    await app.answer("/volumes", 202, ACCEPTED)
    assert app.followers.waiting
    await app.answer("/queue/1", 200, PENDING)
    assert app.followers.waiting
    await app.answer("/queue/1", 204)
    assert not app.followers.waiting


async def test_a_client_that_was_shown_its_volume_has_a_moment_to_look_at_it() -> None:
    app = Application()
    await app.answer("/volumes", 202, ACCEPTED)
    await app.answer("/queue/1", 303, (b"location", b"/volumes/1"))
    assert app.followers.waiting
    app.now += PATIENCE + 0.1
    assert not app.followers.waiting


async def test_a_client_that_does_not_come_is_taken_for_gone() -> None:
    app = Application()
    await app.answer("/volumes", 202, ACCEPTED)
    app.now = PATIENCE * 0.9
    await app.answer("/queue/1", 200, PENDING)
    app.now = PATIENCE * 1.8
    assert app.followers.waiting
    app.now = PATIENCE * 2
    assert not app.followers.waiting
