"""What owners have had of the farm outlives a scheduler."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

DOCUMENT = sa.JSON(none_as_null=True)


def upgrade() -> None:
    op.add_column("scheduler", sa.Column("shares", DOCUMENT, nullable=True))
