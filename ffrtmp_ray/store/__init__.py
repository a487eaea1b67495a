"""Where the state of every job is kept: SQLite or PostgreSQL, or memory for tests.

`protocol.Store` says what a store does, `open.open_store` gives the one that a URL names. This
room decides nothing about jobs: it keeps rows, and lets the latest scheduler alone write them.
"""
