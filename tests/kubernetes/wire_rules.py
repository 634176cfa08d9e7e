"""What every conversation with the plug-in must obey. K numbers are explained in this folder's README.

Each rule looks at the bytes that were on the wire, so that a rule broken without visible harm is found too.
"""

from __future__ import annotations

import json
import re
from typing import Any

from in_tree_plugin import Exchange, Result

START = re.compile(r"POST /+volumes(/\w+/expand)?|DELETE /+volumes/\w+")
QUEUE = re.compile(r"/queue/[0-9a-f]{32}")
VOLUME = re.compile(r"/volumes/[0-9a-f]{32}")
MAY_BE_A_FRACTION = {"factor"}
LONGEST_START = 2.0  # seconds; generous for a busy machine: the work itself is what must not be waited for
LONGEST_POLL = 5.0


def check(result: Result, *, refusals_expected: bool = False) -> None:
    for exchange in result.exchanges:
        if exchange.lost:
            continue
        _same_client_as_ever(exchange)
        _errors_are_text(exchange)
        if exchange.is_poll:
            _polls(exchange)
        else:
            assert not exchange.is_pending, f"K2: X-Pending outside of a poll: {exchange}"
            _starts(exchange)
        _numbers(exchange)
        assert exchange.status != 429, f"K19: refused as busy: {exchange}"
    if not refusals_expected:
        assert result.refusals() == []


def _same_client_as_ever(exchange: Exchange) -> None:
    """K13, K16: this is what the server had to understand; it shows that the client is the real one."""
    headers = exchange.request_headers
    assert headers["Authorization"].startswith("bearer ")
    assert headers["Accept-Encoding"] == "gzip"
    assert headers["User-Agent"] == "Go-http-client/1.1"


def _starts(exchange: Exchange) -> None:
    if not START.fullmatch(exchange.line) or exchange.status >= 400:
        return
    assert exchange.status == 202, f"K1: {exchange}"
    assert QUEUE.fullmatch(exchange.response_headers["Location"]), f"K1: {exchange}"
    assert exchange.took < LONGEST_START, f"K20: the request was held: {exchange}"


def _polls(exchange: Exchange) -> None:
    headers = exchange.response_headers
    assert exchange.status in {200, 204, 303, 500}, f"K8: {exchange}"
    if exchange.status == 200:
        assert headers["X-Pending"] == "true", f"K2: {exchange}"
    else:
        assert not exchange.is_pending, f"K2: finished, and yet pending: {exchange}"
    if exchange.status == 303:
        assert VOLUME.fullmatch(headers["Location"]), f"K3: {exchange}"
    assert exchange.took < LONGEST_POLL, f"K20: held for too long: {exchange}"
    if exchange.status == 500:
        assert exchange.response_body.strip() != "Id not found", f"K6: {exchange}"


def _errors_are_text(exchange: Exchange) -> None:
    if exchange.status < 400:
        return
    text = exchange.response_body
    assert text.strip(), f"K4: an error without a text: {exchange}"
    assert text.endswith("\n"), f"K4: {exchange}"
    assert not text.lstrip().startswith(("{", "[", '"')), f"K4: an error in JSON: {exchange}"
    assert len(text.encode()) <= 4096, f"K26: {exchange}"
    assert exchange.response_headers["Content-Type"].startswith("text/plain"), f"K4: {exchange}"


def _numbers(exchange: Exchange) -> None:
    if "json" not in exchange.response_headers.get("Content-Type", "") or not exchange.response_body:
        return
    for key, value in _members(json.loads(exchange.response_body, parse_float=_Fraction)):
        assert key in MAY_BE_A_FRACTION or not isinstance(value, _Fraction), f"K9: {key} in {exchange}"


class _Fraction(str):
    """A JSON number that Go would not take for an integer."""


def _members(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [pair for key, v in value.items() for pair in [(key, v), *_members(v)]]
    if isinstance(value, list):
        return [pair for v in value for pair in _members(v)]
    return []
