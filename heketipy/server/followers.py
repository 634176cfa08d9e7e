"""Who is following a piece of work: clients that were told to come again, and have not had their answer.

For the provisioner of Kubernetes a poll that is refused means that its volume is lost. A server that ends therefore
waits, within its grace, until whoever was told to come again has come.
"""

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATIENCE = 2.5
"""Seconds without a poll after which a client is taken for gone. Known clients come after 0.4 or 1 second."""

_QUEUE = "/queue/"
_SEE_OTHER = 303
_MANY = 10_000


class Followers:
    """An ASGI application around another one, which notes what clients are told about their jobs."""

    def __init__(self, app: ASGIApp, clock: Callable[[], float]) -> None:
        self._app = app
        self._clock = clock
        self._expected: dict[str, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._note(scope["path"], message)
            await send(message)

        await self._app(scope, receive, noting)

    @property
    def waiting(self) -> bool:
        """Whether some client is still expected to come for its answer."""
        since = self._clock() - PATIENCE
        return any(told > since for told in self._expected.values())

    def _note(self, path: str, message: Message) -> None:
        headers = {name.lower(): value for name, value in message.get("headers", ())}
        if message["status"] == 202:
            self._expect(headers.get(b"location", b"").decode("latin-1"))
        elif b"x-pending" in headers:
            self._expect(path)
        elif path.startswith(_QUEUE) and message["status"] == _SEE_OTHER:
            # The provisioner of Kubernetes asks for the volume next, for its cluster, and for each node.
            self._expect(path)
        elif path.startswith(_QUEUE):
            self._expected.pop(path, None)

    def _expect(self, path: str) -> None:
        now = self._clock()
        if len(self._expected) >= _MANY:
            self._expected = {key: told for key, told in self._expected.items() if told > now - PATIENCE}
        if path.startswith(_QUEUE):
            self._expected[path] = now
