"""Where the state of every job is kept: SQLite or PostgreSQL, or memory for tests."""
