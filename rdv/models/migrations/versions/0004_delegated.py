"""Which delegation brought an appointment, and why and how often a planning was tried."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("appointment", sa.Column("delegation_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key("appointment_delegation", "appointment", "delegation", ["delegation_id"], ["id"])
    op.create_index(
        "appointment_of_delegation",
        "appointment",
        ["delegation_id"],
        postgresql_where=sa.text("delegation_id is not null"),
    )
    op.add_column("planning_draft", sa.Column("failure", sa.String(), nullable=True))
    op.add_column("planning_draft", sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"))
    op.create_index(
        "appointment_delegated",
        "appointment",
        ["delegated_by", "day"],
        postgresql_where=sa.text("delegated_by is not null"),
    )


def downgrade() -> None:
    op.drop_column("planning_draft", "attempts")
    op.drop_column("planning_draft", "failure")
    op.drop_index("appointment_of_delegation", table_name="appointment")
    op.drop_constraint("appointment_delegation", "appointment")
    op.drop_column("appointment", "delegation_id")
    op.drop_index("appointment_delegated", table_name="appointment")
