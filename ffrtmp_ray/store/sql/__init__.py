"""The store in a database, on SQLAlchemy Core: SQLite or PostgreSQL. Only this room speaks SQL."""
