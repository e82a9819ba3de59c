"""Tell listeners which offices' slots and which appointments a transaction has changed, when it commits.

Only of what somebody follows: transactions that notify wait for each other, on the whole server, until each of them is
on the disk.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# What is told, by the table and the event; the same text is told once a transaction.
TOLD = {
    ("office_day", "insert"): "select distinct 'office ' || office_id from changed",
    ("office_day", "update"): "select distinct 'office ' || office_id from changed",
    ("office", "update"): "select 'office ' || id from changed",
    ("national_version", "update"): "select topic from followed where topic like 'office %'",
    ("appointment", "update"): "select 'appointment ' || id from changed",
}


def upgrade() -> None:
    op.create_table(
        "followed",
        sa.Column("topic", sa.String(), primary_key=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        prefixes=["UNLOGGED"],  # it is about connections, which a crash ends too
    )
    for (table, event), told in TOLD.items():
        name = f"tell_{table}_{event}"
        op.execute(
            f"create function {name}() returns trigger language plpgsql as $$ begin "
            f"perform pg_notify('rdv_changes', told.what) from ({told}) as told (what) "
            "join followed f on f.topic = told.what and f.until > now(); return null; end $$"
        )
        op.execute(
            f"create trigger {name} after {event} on {table} referencing new table as changed "
            f"for each statement execute function {name}()"
        )


def downgrade() -> None:
    for table, event in TOLD:
        op.execute(f"drop trigger tell_{table}_{event} on {table}")
        op.execute(f"drop function tell_{table}_{event}()")
    op.drop_table("followed")
