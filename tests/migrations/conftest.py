from tests.support.databases import books, postgresql_server, where

__all__ = ["books", "postgresql_server", "where"]
