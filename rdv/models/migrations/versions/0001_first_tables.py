"""First tables."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import rdv.models.columns

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TRIGGERS = Path(__file__).parent.with_name("triggers_0001.sql")
FUNCTIONS = (
    "bump_office_day",
    "bump_both_office_days",
    "agent_follows_appointment",
    "appointment_leads_agents",
    "bump_day_of_agents_appointment",
    "bump_office",
    "bump_office_itself",
    "bump_offices_of_site",
    "bump_nation",
)


def upgrade() -> None:
    op.create_table(
        "commune",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("search_name", sa.String(), nullable=False),
        sa.Column("departement", sa.String(), nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("postcodes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_index("commune_postcodes", "commune", ["postcodes"], unique=False, postgresql_using="gin")
    op.create_index(op.f("ix_commune_search_name"), "commune", ["search_name"], unique=False)
    op.create_table(
        "holiday",
        sa.Column("territory", sa.String(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("territory", "on_date"),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("body_digest", sa.String(), nullable=False),
        sa.Column("appointment_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", rdv.models.columns.Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key"),
    )
    op.create_table(
        "national_version",
        sa.Column("single", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("single", name="national_version_once"),
        sa.PrimaryKeyConstraint("single"),
    )
    op.create_table(
        "reason",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("labels", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("duration_minutes", sa.Integer(), nullable=False),
        sa.Column("buffer_minutes", sa.Integer(), nullable=False),
        sa.Column("agents_required", sa.Integer(), nullable=False),
        sa.Column("modalities", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("bookable", sa.Boolean(), nullable=False),
        sa.Column("office_kinds", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["reason.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )
    op.create_index(op.f("ix_reason_parent_id"), "reason", ["parent_id"], unique=False)
    op.create_table(
        "site",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("address_lines", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("postcode", sa.String(), nullable=False),
        sa.Column("commune_code", sa.String(), nullable=False),
        sa.Column("commune_name", sa.String(), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "usager",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("first_name", sa.String(), nullable=False),
        sa.Column("last_name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("tax_number", sa.String(), nullable=True),
        sa.Column("company_number", sa.String(), nullable=True),
        sa.Column("locale", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("public_id"),
        sa.UniqueConstraint("subject"),
    )
    op.create_table(
        "office",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("departement", sa.String(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("open_to_booking", sa.Boolean(), nullable=False),
        sa.Column("step_minutes", sa.Integer(), nullable=True),
        sa.Column("min_lead_minutes", sa.Integer(), nullable=False),
        sa.Column("max_lead_days", sa.Integer(), nullable=True),
        sa.Column("change_deadline_minutes", sa.Integer(), nullable=False),
        sa.Column("hold_seconds", sa.Integer(), nullable=False),
        sa.Column("max_appointments_per_usager", sa.Integer(), nullable=False),
        sa.Column("auto_open", sa.Boolean(), nullable=False),
        sa.Column("slot_policy", sa.String(), nullable=False),
        sa.Column("freeze_minute", sa.Integer(), nullable=False),
        sa.Column("freeze_days_before", sa.Integer(), nullable=False),
        sa.Column("staffed", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("hold_seconds between 1 and 86400", name="office_hold"),
        sa.CheckConstraint("min_lead_minutes between 0 and 100000", name="office_lead"),
        sa.CheckConstraint("step_minutes is null or step_minutes between 1 and 1440", name="office_step"),
        sa.ForeignKeyConstraint(
            ["site_id"],
            ["site.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )
    op.create_index(op.f("ix_office_site_id"), "office", ["site_id"], unique=False)
    op.create_index("office_departement_kind", "office", ["departement", "kind"], unique=False)
    op.create_table(
        "agent",
        sa.Column("office_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("reason_ids", postgresql.ARRAY(sa.BigInteger()), nullable=True),
        sa.Column("counter_ids", postgresql.ARRAY(sa.BigInteger()), nullable=True),
        sa.ForeignKeyConstraint(
            ["office_id"],
            ["office.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("subject"),
    )
    op.create_index("agent_of_office", "agent", ["office_id"], unique=False)
    op.create_table(
        "competence",
        sa.Column("commune_code", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("office_id", sa.BigInteger(), nullable=False),
        sa.Column("distance_km", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["commune_code"],
            ["commune.code"],
        ),
        sa.ForeignKeyConstraint(
            ["office_id"],
            ["office.id"],
        ),
        sa.PrimaryKeyConstraint("commune_code", "kind"),
    )
    op.create_table(
        "counter",
        sa.Column("office_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("exposed", sa.Boolean(), nullable=False),
        sa.Column("reason_ids", postgresql.ARRAY(sa.BigInteger()), nullable=True),
        sa.Column("channels", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("modalities", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id"],
            ["office.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("counter_of_office", "counter", ["office_id"], unique=False)
    op.create_table(
        "office_day",
        sa.Column("office_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id"],
            ["office.id"],
        ),
        sa.PrimaryKeyConstraint("office_id", "day"),
    )
    op.create_table(
        "office_reason",
        sa.Column("office_id", sa.BigInteger(), nullable=False),
        sa.Column("reason_id", sa.BigInteger(), nullable=False),
        sa.Column("served", sa.Boolean(), nullable=True),
        sa.Column("duration_minutes", sa.Integer(), nullable=True),
        sa.Column("buffer_minutes", sa.Integer(), nullable=True),
        sa.Column("agents_required", sa.Integer(), nullable=True),
        sa.Column("modalities", postgresql.ARRAY(sa.Text()), nullable=True),
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
        "appointment",
        sa.Column("office_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason_id", sa.BigInteger(), nullable=False),
        sa.Column("usager_id", sa.BigInteger(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("starts_at", rdv.models.columns.Instant(timezone=True), nullable=False),
        sa.Column("ends_at", rdv.models.columns.Instant(timezone=True), nullable=False),
        sa.Column("occupied_until", rdv.models.columns.Instant(timezone=True), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("modality", sa.String(), nullable=False),
        sa.Column("counter_id", sa.BigInteger(), nullable=False),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("comment", sa.String(), nullable=True),
        sa.Column("cancelled_why", sa.String(), nullable=True),
        sa.Column("video_url", sa.String(), nullable=True),
        sa.Column("hold_token_hash", sa.String(), nullable=True),
        sa.Column("access_code_hash", sa.String(), nullable=True),
        sa.Column("held_by", sa.String(), nullable=True),
        sa.Column("expires_at", rdv.models.columns.Instant(timezone=True), nullable=True),
        sa.Column("created_at", rdv.models.columns.Instant(timezone=True), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.text("int8range(counter_id, counter_id, '[]')"), "&&"),
            (sa.text("tstzrange(starts_at, occupied_until)"), "&&"),
            where=sa.text("status in ('HELD', 'BOOKED', 'ARRIVED', 'IN_PROGRESS')"),
            deferrable="True",
            initially="IMMEDIATE",
            using="gist",
            name="appointment_counter_once",
        ),
        sa.CheckConstraint("starts_at < ends_at and ends_at <= occupied_until", name="appointment_range"),
        sa.ForeignKeyConstraint(
            ["counter_id"],
            ["counter.id"],
        ),
        sa.ForeignKeyConstraint(
            ["office_id"],
            ["office.id"],
        ),
        sa.ForeignKeyConstraint(
            ["reason_id"],
            ["reason.id"],
        ),
        sa.ForeignKeyConstraint(
            ["usager_id"],
            ["usager.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hold_token_hash"),
        sa.UniqueConstraint("reference"),
    )
    op.create_index(
        "appointment_expiring", "appointment", ["expires_at"], unique=False, postgresql_where=sa.text("status = 'HELD'")
    )
    op.create_index(
        "appointment_of_office_day",
        "appointment",
        ["office_id", "day"],
        unique=False,
        postgresql_where=sa.text("status in ('HELD', 'BOOKED', 'ARRIVED', 'IN_PROGRESS')"),
    )
    op.create_index(op.f("ix_appointment_held_by"), "appointment", ["held_by"], unique=False)
    op.create_index(op.f("ix_appointment_usager_id"), "appointment", ["usager_id"], unique=False)
    op.create_table(
        "closure",
        sa.Column("office_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("counter_ids", postgresql.ARRAY(sa.BigInteger()), nullable=True),
        sa.Column("agent_id", sa.BigInteger(), nullable=True),
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("from_minute", sa.Integer(), nullable=False),
        sa.Column("to_date", sa.Date(), nullable=False),
        sa.Column("to_minute", sa.Integer(), nullable=False),
        sa.CheckConstraint("(from_date, from_minute) < (to_date, to_minute)", name="closure_range"),
        sa.ForeignKeyConstraint(
            ["agent_id"],
            ["agent.id"],
        ),
        sa.ForeignKeyConstraint(
            ["office_id"],
            ["office.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("closure_of_office", "closure", ["office_id", "to_date"], unique=False)
    op.create_table(
        "day_exception",
        sa.Column("office_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("counter_id", sa.BigInteger(), nullable=True),
        sa.Column("agent_id", sa.BigInteger(), nullable=True),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("start_minute", sa.Integer(), nullable=True),
        sa.Column("end_minute", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "0 <= start_minute and start_minute < end_minute and end_minute <= 1440", name="exception_range"
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
    op.create_index("day_exception_of_office", "day_exception", ["office_id", "on_date"], unique=False)
    op.create_table(
        "opening",
        sa.Column("office_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("counter_id", sa.BigInteger(), nullable=True),
        sa.Column("agent_id", sa.BigInteger(), nullable=True),
        sa.Column("layer", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=True),
        sa.Column("weekdays", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("from_date", sa.Date(), nullable=True),
        sa.Column("until_date", sa.Date(), nullable=True),
        sa.Column("every_weeks", sa.Integer(), nullable=False),
        sa.Column("nth_of_month", postgresql.ARRAY(sa.Integer()), nullable=True),
        sa.Column("start_minute", sa.Integer(), nullable=False),
        sa.Column("end_minute", sa.Integer(), nullable=False),
        sa.CheckConstraint("(on_date is null) = (cardinality(weekdays) > 0)", name="opening_when"),
        sa.CheckConstraint(
            "0 <= start_minute and start_minute < end_minute and end_minute <= 1440", name="opening_range"
        ),
        sa.CheckConstraint("num_nonnulls(counter_id, agent_id) <= 1", name="opening_whose"),
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
    op.create_index("opening_of_office", "opening", ["office_id"], unique=False)
    op.create_table(
        "appointment_agent",
        sa.Column("office_id", sa.BigInteger(), nullable=False),
        sa.Column("appointment_id", sa.BigInteger(), nullable=False),
        sa.Column("agent_id", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", rdv.models.columns.Instant(timezone=True), nullable=False),
        sa.Column("occupied_until", rdv.models.columns.Instant(timezone=True), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.text("int8range(agent_id, agent_id, '[]')"), "&&"),
            (sa.text("tstzrange(starts_at, occupied_until)"), "&&"),
            where=sa.text("live"),
            deferrable="True",
            initially="IMMEDIATE",
            using="gist",
            name="appointment_agent_once",
        ),
        sa.ForeignKeyConstraint(
            ["agent_id"],
            ["agent.id"],
        ),
        sa.ForeignKeyConstraint(["appointment_id"], ["appointment.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["office_id"],
            ["office.id"],
        ),
        sa.PrimaryKeyConstraint("appointment_id", "agent_id"),
    )
    # Straight to the driver: SQLAlchemy would read the % of `format` as a parameter.
    op.get_bind().connection.cursor().execute(TRIGGERS.read_text(encoding="utf-8"))


def downgrade() -> None:
    op.drop_table("appointment_agent")
    op.drop_index("opening_of_office", table_name="opening")
    op.drop_table("opening")
    op.drop_index("day_exception_of_office", table_name="day_exception")
    op.drop_table("day_exception")
    op.drop_index("closure_of_office", table_name="closure")
    op.drop_table("closure")
    op.drop_index(op.f("ix_appointment_usager_id"), table_name="appointment")
    op.drop_index(op.f("ix_appointment_held_by"), table_name="appointment")
    op.drop_index(
        "appointment_of_office_day",
        table_name="appointment",
        postgresql_where=sa.text("status in ('HELD', 'BOOKED', 'ARRIVED', 'IN_PROGRESS')"),
    )
    op.drop_index("appointment_expiring", table_name="appointment", postgresql_where=sa.text("status = 'HELD'"))
    op.drop_table("appointment")
    op.drop_table("office_reason")
    op.drop_table("office_day")
    op.drop_index("counter_of_office", table_name="counter")
    op.drop_table("counter")
    op.drop_table("competence")
    op.drop_index("agent_of_office", table_name="agent")
    op.drop_table("agent")
    op.drop_index("office_departement_kind", table_name="office")
    op.drop_index(op.f("ix_office_site_id"), table_name="office")
    op.drop_table("office")
    op.drop_table("usager")
    op.drop_table("site")
    op.drop_index(op.f("ix_reason_parent_id"), table_name="reason")
    op.drop_table("reason")
    op.drop_table("national_version")
    op.drop_table("idempotency_key")
    op.drop_table("holiday")
    op.drop_index(op.f("ix_commune_search_name"), table_name="commune")
    op.drop_index("commune_postcodes", table_name="commune", postgresql_using="gin")
    op.drop_table("commune")
    for function in FUNCTIONS:
        op.execute(f"drop function {function}()")
