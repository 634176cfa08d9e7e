"""The same systems as for operations."""

from tests.operations.conftest import _quiet, postgresql_server, system, system_on_both, where

__all__ = ["_quiet", "postgresql_server", "system", "system_on_both", "where"]
