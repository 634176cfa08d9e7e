"""Logs: structlog, one line an event, as JSON or for a person's eyes.

Use `structlog.get_logger()` anywhere, and `bound(request=…, operation=…, node=…)` around work: whatever is
bound stands in every line written inside, also by tasks started there. Secrets are taken out last, after
everything is put in; the lines of libraries (uvicorn, asyncssh, alembic) go the same way.

heketi's levels are `none critical error warning info debug`; the level may change while the server runs.
"""

import json
import logging
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from contextlib import AbstractContextManager
from typing import Any, Final, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

Format = Literal["auto", "json", "console"]

_write = json.JSONEncoder(default=str).encode

LEVELS: Final[Mapping[str, int]] = {
    "none": 1000,
    "critical": logging.CRITICAL,
    "error": logging.ERROR,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}
"""heketi's names of levels."""

MASK: Final = "********"

_SHORTEST_SECRET: Final = 3
_SECRET_NAMES: Final = frozenset({"authorization", "key", "password", "private_key", "secret", "token"})
_METHODS: Final = {**LEVELS, "exception": logging.ERROR, "warn": logging.WARNING}


class Threshold:
    """The level from which on lines are written. A processor: it drops the others, first of all."""

    def __init__(self, name: str) -> None:
        self.set(name)

    def set(self, name: str) -> None:
        """Change the level. Raises KeyError for a name that is none of LEVELS."""
        self._number = LEVELS[name]
        self.name = name

    def __call__(self, _logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        if _METHODS.get(method, logging.INFO) < self._number:
            raise structlog.DropEvent
        return event


class Masking:
    """Takes secrets out of lines: values under a telling name, and known secrets wherever they stand."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}
        self._secrets = sorted(known, key=len, reverse=True)

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {name: self._masked(name, value) for name, value in event.items()}

    def _masked(self, name: str, value: Any) -> Any:
        if name.lower() in _SECRET_NAMES:
            return MASK
        return self._clean(value)

    def _clean(self, value: Any) -> Any:
        match value:
            case str():
                for secret in self._secrets:
                    value = value.replace(secret, MASK)
                return value
            case BaseException():
                return self._clean(chain(value))
            case Mapping():
                return {str(name): self._masked(str(name), item) for name, item in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._clean(item) for item in value]
            case bytes():
                return self._clean(value.decode("utf-8", errors="replace"))
            case _:
                return value


def chain(error: BaseException) -> str:
    """Return the text of an error and of its causes."""
    texts = []
    cause: BaseException | None = error
    while cause is not None:
        texts.append(str(cause) or type(cause).__name__)
        cause = cause.__cause__
    return ": ".join(texts)


def bound(**context: object) -> AbstractContextManager[None]:
    """Bind names to every line written inside."""
    return structlog.contextvars.bound_contextvars(**context)


def configure(
    level: str, *, form: Format = "auto", secrets: Iterable[str] = (), stream: TextIO | None = None
) -> Threshold:
    """Set logging up for the process and return the handle that changes its level.

    A level that does not exist means `info`. `stream` is standard output unless given. `secrets` are values
    that must never be seen in a line.
    """
    output = sys.stdout if stream is None else stream
    as_json = form == "json" or (form == "auto" and not output.isatty())
    threshold = Threshold(level if level in LEVELS else "info")
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _in_order,
        Masking(secrets),
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer(lambda event, **_: _write(event))
        if as_json
        else structlog.dev.ConsoleRenderer(colors=output.isatty(), pad_event_to=0)
    )
    structlog.configure(
        processors=[threshold, *shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.NOTSET),
        logger_factory=structlog.WriteLoggerFactory(file=output),
        cache_logger_on_first_use=False,
    )
    _adopt_libraries(threshold, shared, renderer, output)
    return threshold


def _adopt_libraries(threshold: Threshold, shared: list[Processor], renderer: Processor, output: TextIO) -> None:
    """Let the standard library's logging end in the same lines: that of libraries from warnings on."""
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_with_library, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    handler.addFilter(lambda record: record.levelno >= LEVELS[threshold.name])
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("heketipy").setLevel(logging.DEBUG)


def _in_order(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Put first what every line has."""
    first = {name: event.pop(name) for name in ("timestamp", "level", "event") if name in event}
    return {**first, **event}


def _with_library(_logger: WrappedLogger, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    record = event.get("_record")
    if isinstance(record, logging.LogRecord):
        event["library"] = record.name.partition(".")[0]
    return event
