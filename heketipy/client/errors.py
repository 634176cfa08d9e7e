"""What can go wrong between a client and its server.

ClientError
 ├─ RefusedError          the server answered, and said no
 ├─ UnansweredError       no answer came: the address is wrong, or the server cannot be reached
 └─ MisunderstoodError    an answer came that this protocol does not know
"""

from http import HTTPStatus


class ClientError(Exception):
    """Something went wrong. `str()` is for people, worded as heketi's own client words it."""


class RefusedError(ClientError):
    """The server refused a request, or the job that it started failed.

    `str()` is the server's text, `status` the HTTP status, `code` heketipy's stable name of the error (empty
    where the server has none to tell, as heketi does).
    """

    def __init__(self, text: str, *, status: int, code: str = "") -> None:
        super().__init__(text or f"server did not provide a message (status {status}: {_phrase(status)})")
        self.status = status
        self.code = code


class UnansweredError(ClientError):
    """A request got no answer. `reason` is the text without method and URL."""

    def __init__(self, method: str, url: str, reason: str) -> None:
        super().__init__(f'{method.capitalize()} "{url}": {reason}')
        self.reason = reason


class MisunderstoodError(ClientError):
    """The answer is none that a heketi gives: another service may listen there."""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
