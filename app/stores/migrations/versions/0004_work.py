"""How long workers were at each run."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("runs", sa.Column("worked", sa.Float(), nullable=False, server_default="0"))
    op.add_column("runs", sa.Column("working_since", sa.DateTime(timezone=True), nullable=True))
