"""For all tests."""

import asyncio

# Where no event loop was ever set, pytest-asyncio's look for the current one makes one that nobody closes, and the
# warning about it fails some innocent test later.
asyncio.set_event_loop(None)
