"""Work that takes long on a thread, in small portions with pauses: without them it would let other threads, requests
among them, wait for the interpreter at each of their steps."""

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

_PORTION = 0.001
"""Seconds of work between two pauses."""
_PAUSE = 0.0001


def paced(items: Iterable[T]) -> Iterator[T]:
    """Hand on items, and pause after each portion of the work that is done between them."""
    since = time.perf_counter()
    for item in items:
        yield item
        if time.perf_counter() - since > _PORTION:
            time.sleep(_PAUSE)
            since = time.perf_counter()
