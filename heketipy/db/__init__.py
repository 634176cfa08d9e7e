"""Our books: SQLite in one file, or PostgreSQL. Transactions are plain functions; rows become frozen domain values.

Not here: rules. What may be done is decided in `domain` and `services`; the constraints of the schema are the last
defence, not the first. Errors that leave this package are domain errors. Only this package knows the tables.
"""
