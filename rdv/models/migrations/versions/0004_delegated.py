"""Find what an office has handed to others quickly."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "appointment_delegated",
        "appointment",
        ["delegated_by", "day"],
        postgresql_where=sa.text("delegated_by is not null"),
    )


def downgrade() -> None:
    op.drop_index("appointment_delegated", table_name="appointment")
