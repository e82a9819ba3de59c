"""Index what statements look for, so that none grows with the whole country or with an office's past."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Whole ones: of a partial index PostgreSQL uses no statistics of what it is about.
OF_USAGERS: dict[str, str | sa.TextClause] = {
    "usager_email": sa.text("lower(email)"),
    "usager_phone": "phone",
    "usager_tax_number": "tax_number",
    "usager_company_number": "company_number",
}
LIVE = "status in ('HELD', 'BOOKED', 'ARRIVED', 'IN_PROGRESS') and stranded_since is null"


def _replace(name: str, table: str, columns: list[str], where: str) -> None:
    op.drop_index(name, table)
    op.create_index(name, table, columns, postgresql_where=sa.text(where))


def upgrade() -> None:
    # At once, and in the order of bookings: one by one, a booking under way and this would wait for each other.
    op.execute("lock table appointment, usager, opening, commune in access exclusive mode")
    for name, what in OF_USAGERS.items():
        op.create_index(name, "usager", [what])
    op.execute("analyze usager")  # else nothing is known of lower(email), and one in 200 is taken to have the same
    _replace("appointment_of_office_day", "appointment", ["office_id", "day"], "status <> 'CANCELLED'")
    _replace("appointment_of_delegation", "appointment", ["delegation_id", "status"], "delegation_id is not null")
    op.drop_index("appointment_expiring", "appointment")
    op.create_index(
        "appointment_held", "appointment", ["office_id", "day"], postgresql_where=sa.text("status = 'HELD'")
    )
    op.create_index(
        "opening_of_application", "opening", ["application_id"], postgresql_where=sa.text("application_id is not null")
    )
    op.drop_index("ix_commune_search_name", "commune")
    op.create_index(
        "commune_search_name", "commune", ["search_name"], postgresql_ops={"search_name": "text_pattern_ops"}
    )


def downgrade() -> None:
    op.drop_index("commune_search_name", "commune")
    op.create_index("ix_commune_search_name", "commune", ["search_name"])
    op.drop_index("opening_of_application", "opening")
    op.drop_index("appointment_held", "appointment")
    op.create_index("appointment_expiring", "appointment", ["expires_at"], postgresql_where=sa.text("status = 'HELD'"))
    _replace("appointment_of_delegation", "appointment", ["delegation_id"], "delegation_id is not null")
    _replace("appointment_of_office_day", "appointment", ["office_id", "day"], LIVE)
    for name in OF_USAGERS:
        op.drop_index(name, "usager")
