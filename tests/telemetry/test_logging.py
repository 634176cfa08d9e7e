"""Logs: levels, context, and no secrets."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from heketipy.telemetry.logging import LEVELS, MASK, Threshold, bound, configure
from tests.support.secrets import secret

SECRET = secret("in-a-log")


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


class Log:
    """A configured log, and the lines that went into it."""

    def __init__(self, level: str = "info") -> None:
        self._stream = io.StringIO()
        self.threshold: Threshold = configure(level, form="json", secrets=[SECRET, ""], stream=self._stream)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]


def test_what_is_bound_stands_in_every_line_inside() -> None:
    log = Log()
    logger = structlog.get_logger()
    with bound(request="r1", node="n1"):
        logger.info("inside", size_gib=3)
    logger.info("outside")
    inside, outside = log.lines
    assert (inside["event"], inside["request"], inside["node"], inside["size_gib"]) == ("inside", "r1", "n1", 3)
    assert "request" not in outside


def test_a_secret_is_masked_wherever_it_stands() -> None:
    log = Log()
    logger = structlog.get_logger()
    cause = ValueError(f"bad {SECRET}")
    try:
        raise RuntimeError(f"refused {SECRET}") from cause
    except RuntimeError as error:
        logger.exception(f"text {SECRET}", argv=["a", SECRET], deep={"x": (SECRET,)}, reason=error)  # noqa: G004
    logging.getLogger("library.part").warning("foreign %s", SECRET)
    logger.info("named", password="short", authorization="bearer x")
    text = json.dumps(log.lines)
    assert SECRET not in text
    assert MASK in text
    assert log.lines[2]["password"] == log.lines[2]["authorization"] == MASK


def test_an_error_is_told_with_its_causes() -> None:
    log = Log()
    try:
        raise RuntimeError("outer") from ValueError("inner")
    except RuntimeError as error:
        structlog.get_logger().info("failed", reason=error)
    assert log.lines[0]["reason"] == "outer: inner"


@pytest.mark.parametrize("level", [name for name in LEVELS if name != "none"])
def test_a_level_shows_itself_and_what_is_worse(level: str) -> None:
    log = Log(level)
    for name in ("debug", "info", "warning", "error", "critical"):
        getattr(structlog.get_logger(), name)(name)
        logging.getLogger("heketipy.somewhere").log(LEVELS[name], name)
    shown = [line["event"] for line in log.lines]
    assert shown == [
        name
        for name in ("debug", "info", "warning", "error", "critical")
        for _ in range(2)
        if LEVELS[name] >= LEVELS[level]
    ]


def test_none_shows_nothing_and_a_level_can_change_while_running() -> None:
    log = Log("none")
    logger = structlog.get_logger()
    logger.critical("unseen")
    log.threshold.set("debug")
    logger.debug("seen")
    assert [line["event"] for line in log.lines] == ["seen"]


def test_an_unknown_level_means_info() -> None:
    assert Log("loud").threshold.name == "info"


def test_libraries_are_heard_from_warnings_on() -> None:
    log = Log("debug")
    logging.getLogger("asyncssh").info("chatter")
    logging.getLogger("asyncssh").warning("trouble")
    assert [(line["event"], line["library"]) for line in log.lines] == [("trouble", "asyncssh")]


def test_a_person_gets_plain_lines() -> None:
    stream = io.StringIO()
    configure("info", form="console", stream=stream)
    structlog.get_logger().info("hello", node="n1")
    assert "hello" in stream.getvalue()
    assert "node=n1" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()
