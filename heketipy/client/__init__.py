"""The Python client: one method per route, and the loading of a topology."""

from heketipy.client.client import Client
from heketipy.client.errors import ClientError, MisunderstoodError, RefusedError, UnansweredError

__all__ = ["Client", "ClientError", "MisunderstoodError", "RefusedError", "UnansweredError"]
