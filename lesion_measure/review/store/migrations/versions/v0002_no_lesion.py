"""A signature may say that there is no lesion, and on which images."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; nobody has said so before."""
    op.add_column("signatures", sa.Column("no_lesion", sa.Text))
