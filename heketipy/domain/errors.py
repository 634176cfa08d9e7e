"""Everything that heketipy itself says went wrong.

    HeketipyError
      InvalidRequest          the request is wrong; nothing was done
        Unprocessable         its form is right, and it asks for what there is not
      Maintenance             the server is closed for changes
      NotFound                no such object
      Conflict                the object is in the way of the request
      InUse                   an operation is pending on the object
      Busy                    too much is going on; come again
      CannotBegin             the work could not be set up
        CannotAllocate        placement refused; says why
          NoSpace             no device has room
      NodeFailure             a storage node did not do its part
        NodeUnreachable         it did not answer: whether the command ran is not known
          DaemonAway              its gluster daemon did not: nothing was done
        CommandFailed           it answered, and refused
      StorageFailure          our own books could not be read or written

A class has a stable `code`, which clients may rely on; no class knows an HTTP status: `heketipy.api.errors` has the one
table. The text of an error does not repeat its cause: causes are chained (`raise … from`), `explain` prints the chain.
"""

from typing import ClassVar


class HeketipyError(Exception):
    """Anything that we raise on purpose. `str()` is the text for the user."""

    code: ClassVar[str] = "error"


class InvalidRequest(HeketipyError):
    """The request is wrong, and nothing was done."""

    code = "invalid-request"


class Unprocessable(InvalidRequest):
    """The form of the request is right, and it asks for something that there is not."""

    code = "unprocessable"


class Maintenance(HeketipyError):
    """The admin mode lets no such request through."""

    code = "maintenance"

    def __init__(self, text: str = "Service disabled for maintenance") -> None:
        super().__init__(text)


class NotFound(HeketipyError):
    """No such object."""

    code = "not-found"

    def __init__(self, text: str = "Id not found") -> None:
        super().__init__(text)


class Conflict(HeketipyError):
    """The state of the object does not allow the request."""

    code = "conflict"


class InUse(Conflict):
    """An operation is pending on the object."""

    code = "in-use"

    def __init__(self, text: str = "The target exists, contains other items, or is in use.") -> None:
        super().__init__(text)


class Busy(HeketipyError):
    """Too much is going on. `retry_after` is in seconds."""

    code = "busy"

    def __init__(self, text: str = "Server busy. Retry operation later.", *, retry_after: int = 5) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class CannotBegin(HeketipyError):
    """The work could not be set up; nothing was done. heketi counts this among a server's errors."""

    code = "cannot-begin"


class CannotAllocate(CannotBegin):
    """Placement refused. The first line is heketi's text; further lines explain."""

    code = "cannot-allocate"


class NoSpace(CannotAllocate):
    """No device has room (heketi's `No space`); other sizes or clusters may be tried."""

    code = "no-space"

    def __init__(self, text: str = "No space") -> None:
        super().__init__(text)


class NodeFailure(HeketipyError):
    """A storage node did not do its part. `node` is its id.

    `retryable` is false where trying elsewhere would end the same way.
    """

    code = "node-failure"

    def __init__(self, text: str, *, node: str, retryable: bool = True) -> None:
        super().__init__(text)
        self.node = node
        self.retryable = retryable


class NodeUnreachable(NodeFailure):
    """The node did not answer. `sent` is false when the command certainly never reached it. `refused`: there is
    somebody at its address, who does not let us in (our key, or its own, is not accepted)."""

    code = "node-unreachable"

    def __init__(self, text: str, *, node: str, sent: bool = True, refused: bool = False) -> None:
        super().__init__(text, node=node)
        self.sent = sent
        self.refused = refused


class DaemonAway(NodeUnreachable):
    """The node answered, and its gluster daemon does not run. The command did nothing, and where the batch was fenced
    nothing of its operation still runs on the node: another one may be asked at once."""

    code = "gluster-daemon-away"

    def __init__(self, text: str, *, node: str) -> None:
        super().__init__(text, node=node, sent=False)


class CommandFailed(NodeFailure):
    """The node answered, and refused. The text is what its tool printed, as heketi hands it on."""

    code = "command-failed"

    def __init__(self, text: str, *, node: str, status: int = 1, retryable: bool = True) -> None:
        super().__init__(text, node=node, retryable=retryable)
        self.status = status


class StorageFailure(HeketipyError):
    """Our own books could not be read or written: disk full, file read-only, newer version."""

    code = "storage-failure"


def explain(error: BaseException) -> str:
    """Return the text of an error and of its chain of causes, for logs."""
    texts = [str(error) or type(error).__name__]
    while (error := error.__cause__) is not None:  # type: ignore[assignment]
        texts.append(str(error) or type(error).__name__)
    return ": ".join(texts)
