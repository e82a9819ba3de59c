"""Planning: templates, drafts, quotas, delegations, the history of an office, and who is stranded."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import rdv.models.columns

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TRIGGERS = Path(__file__).parent.with_name("triggers_0002.sql")
BEFORE = Path(__file__).parent.with_name("triggers_0002_back.sql")
LIVE = "status in ('HELD', 'BOOKED', 'ARRIVED', 'IN_PROGRESS')"
STILL_LIVE = f"{LIVE} and stranded_since is null"


def _live(condition: str) -> None:
    """Make who takes room depend on another condition."""
    op.drop_index("appointment_of_office_day", table_name="appointment")
    op.create_index(
        "appointment_of_office_day", "appointment", ["office_id", "day"], postgresql_where=sa.text(condition)
    )
    op.execute("alter table appointment drop constraint appointment_counter_once")
    op.execute(
        "alter table appointment add constraint appointment_counter_once exclude using gist "
        "(int8range(counter_id, counter_id, '[]') with &&, tstzrange(starts_at, occupied_until) with &&) "
        f"where ({condition}) deferrable initially immediate"
    )


def _run(file: Path) -> None:
    # Straight to the driver: SQLAlchemy would read the % of `format` as a parameter.
    op.get_bind().connection.cursor().execute(file.read_text(encoding="utf-8"))


def upgrade() -> None:
    op.create_table(
        "channel_share",
        sa.Column("office_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.CheckConstraint("percent between 1 and 100", name="channel_share_percent"),
        sa.ForeignKeyConstraint(
            ["office_id"],
            ["office.id"],
        ),
        sa.PrimaryKeyConstraint("office_id", "channel"),
    )
    op.create_table(
        "delegation",
        sa.Column("office_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("to_office_id", sa.BigInteger(), nullable=False),
        sa.Column("reason_id", sa.BigInteger(), nullable=False),
        sa.Column("share_percent", sa.Integer(), nullable=False),
        sa.Column("channels", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("until_date", sa.Date(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("proposed_at", rdv.models.columns.Instant(timezone=True), nullable=False),
        sa.Column("answered_at", rdv.models.columns.Instant(timezone=True), nullable=True),
        sa.CheckConstraint("status in ('PROPOSED', 'ACCEPTED', 'REFUSED', 'ENDED')", name="delegation_status"),
        sa.CheckConstraint("office_id <> to_office_id", name="delegation_to_another"),
        sa.CheckConstraint("share_percent between 1 and 100", name="delegation_share"),
        sa.CheckConstraint("until_date is null or from_date <= until_date", name="delegation_dates"),
        sa.ForeignKeyConstraint(
            ["office_id"],
            ["office.id"],
        ),
        sa.ForeignKeyConstraint(
            ["reason_id"],
            ["reason.id"],
        ),
        sa.ForeignKeyConstraint(
            ["to_office_id"],
            ["office.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("delegation_of_office", "delegation", ["office_id", "status"], unique=False)
    op.create_index("delegation_to_office", "delegation", ["to_office_id", "status"], unique=False)
    op.create_table(
        "office_revision",
        sa.Column("office_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("made_at", rdv.models.columns.Instant(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(), nullable=True),
        sa.Column("made_by_kind", sa.String(), nullable=False),
        sa.Column("what", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("snapshot", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id"],
            ["office.id"],
        ),
        sa.PrimaryKeyConstraint("office_id", "number"),
    )
    op.create_table(
        "planning_draft",
        sa.Column("office_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("until_date", sa.Date(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("progress_percent", sa.Integer(), nullable=False),
        sa.Column("gap", sa.Float(), nullable=True),
        sa.Column("demand", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("infeasible", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("requested_by", sa.String(), nullable=True),
        sa.Column("requested_at", rdv.models.columns.Instant(timezone=True), nullable=False),
        sa.Column("finished_at", rdv.models.columns.Instant(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status in ('QUEUED', 'RUNNING', 'DONE', 'INFEASIBLE', 'CANCELLED', 'FAILED', 'PUBLISHED')",
            name="planning_draft_status",
        ),
        sa.CheckConstraint("from_date <= until_date", name="planning_draft_dates"),
        sa.ForeignKeyConstraint(
            ["office_id"],
            ["office.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("planning_draft_of_office", "planning_draft", ["office_id", "id"], unique=False)
    op.create_table(
        "planning_template",
        sa.Column("office_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind in ('DAY', 'WEEK', 'MONTH')", name="template_kind"),
        sa.ForeignKeyConstraint(
            ["office_id"],
            ["office.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("planning_template_of_office", "planning_template", ["office_id"], unique=False)
    op.create_table(
        "reason_quota",
        sa.Column("office_id", sa.BigInteger(), nullable=False),
        sa.Column("reason_id", sa.BigInteger(), nullable=False),
        sa.Column("most_a_day", sa.Integer(), nullable=False),
        sa.CheckConstraint("most_a_day >= 0", name="reason_quota_most"),
        sa.ForeignKeyConstraint(
            ["office_id"],
            ["office.id"],
        ),
        sa.ForeignKeyConstraint(
            ["reason_id"],
            ["reason.id"],
        ),
        sa.PrimaryKeyConstraint("office_id", "reason_id"),
    )
    op.create_table(
        "roster_shift",
        sa.Column("office_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("agent_id", sa.BigInteger(), nullable=False),
        sa.Column("counter_id", sa.BigInteger(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("start_minute", sa.Integer(), nullable=False),
        sa.Column("end_minute", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "0 <= start_minute and start_minute < end_minute and end_minute <= 1440", name="roster_shift_range"
        ),
        sa.ForeignKeyConstraint(
            ["agent_id"],
            ["agent.id"],
        ),
        sa.ForeignKeyConstraint(
            ["counter_id"],
            ["counter.id"],
        ),
        sa.ForeignKeyConstraint(
            ["office_id"],
            ["office.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("roster_shift_of_office", "roster_shift", ["office_id", "on_date"], unique=False)
    op.create_table(
        "template_application",
        sa.Column("office_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("template_id", sa.BigInteger(), nullable=False),
        sa.Column("version_number", sa.Integer(), nullable=False),
        sa.Column("counter_id", sa.BigInteger(), nullable=True),
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("until_date", sa.Date(), nullable=True),
        sa.Column("every_weeks", sa.Integer(), nullable=False),
        sa.Column("weekdays", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.ForeignKeyConstraint(
            ["counter_id"],
            ["counter.id"],
        ),
        sa.ForeignKeyConstraint(
            ["office_id"],
            ["office.id"],
        ),
        sa.ForeignKeyConstraint(
            ["template_id"],
            ["planning_template.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("template_application_of_office", "template_application", ["office_id"], unique=False)
    op.create_table(
        "template_version",
        sa.Column("template_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("ranges", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("made_at", rdv.models.columns.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["template_id"],
            ["planning_template.id"],
        ),
        sa.PrimaryKeyConstraint("template_id", "number"),
    )
    op.add_column("agent", sa.Column("retired", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("agent", sa.Column("most_minutes_a_day", sa.Integer(), server_default="420", nullable=False))
    op.add_column("agent", sa.Column("most_minutes_a_week", sa.Integer(), server_default="2100", nullable=False))
    op.add_column("appointment", sa.Column("stranded_since", rdv.models.columns.Instant(timezone=True), nullable=True))
    op.add_column("appointment", sa.Column("proposal_for", sa.BigInteger(), nullable=True))
    op.add_column("appointment", sa.Column("delegated_by", sa.BigInteger(), nullable=True))
    op.create_index(
        "appointment_proposal",
        "appointment",
        ["proposal_for"],
        unique=False,
        postgresql_where=sa.text("proposal_for is not null"),
    )
    op.create_index(
        "appointment_stranded",
        "appointment",
        ["office_id"],
        unique=False,
        postgresql_where=sa.text("stranded_since is not null"),
    )
    op.create_foreign_key(None, "appointment", "appointment", ["proposal_for"], ["id"])
    op.create_foreign_key(None, "appointment", "office", ["delegated_by"], ["id"])
    op.add_column("office", sa.Column("open_minute", sa.Integer(), server_default="0", nullable=False))
    op.add_column("office", sa.Column("lead_in_open_days", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("office", sa.Column("published_until", sa.Date(), nullable=True))
    op.add_column("office", sa.Column("resale_delay_minutes", sa.Integer(), server_default="0", nullable=False))
    op.add_column("office", sa.Column("most_per_usager_in_period", sa.Integer(), nullable=True))
    op.add_column("office", sa.Column("usager_period_days", sa.Integer(), server_default="365", nullable=False))
    op.add_column("office", sa.Column("proposal_hold_hours", sa.Integer(), server_default="48", nullable=False))
    op.create_check_constraint("office_open_minute", "office", "open_minute between 0 and 1439")
    op.add_column("opening", sa.Column("application_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(None, "opening", "template_application", ["application_id"], ["id"], ondelete="CASCADE")
    op.alter_column("idempotency_key", "appointment_id", new_column_name="made_id")
    _live(STILL_LIVE)
    _run(TRIGGERS)


def downgrade() -> None:
    _run(BEFORE)
    _live(LIVE)
    op.alter_column("idempotency_key", "made_id", new_column_name="appointment_id")
    op.drop_column("opening", "application_id")
    op.drop_column("office", "proposal_hold_hours")
    op.drop_column("office", "usager_period_days")
    op.drop_column("office", "most_per_usager_in_period")
    op.drop_column("office", "resale_delay_minutes")
    op.drop_column("office", "published_until")
    op.drop_column("office", "lead_in_open_days")
    op.drop_column("office", "open_minute")
    op.drop_index(
        "appointment_stranded", table_name="appointment", postgresql_where=sa.text("stranded_since is not null")
    )
    op.drop_index(
        "appointment_proposal", table_name="appointment", postgresql_where=sa.text("proposal_for is not null")
    )
    op.drop_column("appointment", "delegated_by")
    op.drop_column("appointment", "proposal_for")
    op.drop_column("appointment", "stranded_since")
    op.drop_column("agent", "most_minutes_a_week")
    op.drop_column("agent", "most_minutes_a_day")
    op.drop_column("agent", "retired")
    op.drop_table("template_version")
    op.drop_index("template_application_of_office", table_name="template_application")
    op.drop_table("template_application")
    op.drop_index("roster_shift_of_office", table_name="roster_shift")
    op.drop_table("roster_shift")
    op.drop_table("reason_quota")
    op.drop_index("planning_template_of_office", table_name="planning_template")
    op.drop_table("planning_template")
    op.drop_index("planning_draft_of_office", table_name="planning_draft")
    op.drop_table("planning_draft")
    op.drop_table("office_revision")
    op.drop_index("delegation_to_office", table_name="delegation")
    op.drop_index("delegation_of_office", table_name="delegation")
    op.drop_table("delegation")
    op.drop_table("channel_share")
