"""Keep what was said of a day while a worker judges the offices that expect somebody that day."""

import sqlalchemy as sa
from alembic import op

import rdv.models.columns

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "holiday_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("territory", sa.String(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=True),
        sa.Column("made_at", rdv.models.columns.Instant(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(), nullable=True),
        sa.Column("made_by_kind", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("finished_at", rdv.models.columns.Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "holiday_judged",
        sa.Column("holiday_change_id", sa.BigInteger(), nullable=False),
        sa.Column("office_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["holiday_change_id"], ["holiday_change.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"]),
        sa.PrimaryKeyConstraint("holiday_change_id", "office_id"),
    )


def downgrade() -> None:
    op.drop_table("holiday_judged")
    op.drop_table("holiday_change")
