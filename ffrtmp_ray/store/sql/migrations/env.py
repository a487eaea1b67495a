"""Alembic's entry: runs the versions on the connection that `migrate` gives, in its transaction."""

from alembic import context

from ffrtmp_ray.store.sql.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by making it anew
)
context.run_migrations()
