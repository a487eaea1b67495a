"""The store in a database, on SQLAlchemy Core: SQLite, embedded. Only this room speaks SQL."""
