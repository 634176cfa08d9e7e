"""For all tests."""

import asyncio

from tests.support.leaks import pytest_runtest_makereport, pytest_sessionfinish, pytest_terminal_summary

__all__ = ["pytest_runtest_makereport", "pytest_sessionfinish", "pytest_terminal_summary"]

# Where no event loop was ever set, pytest-asyncio's look for the current one makes one that nobody closes, and the
# warning about it fails some innocent test later.
asyncio.set_event_loop(None)
