"""Find people by what tells them apart without looking through all of them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Whole ones: of a partial index PostgreSQL uses no statistics of what it is about.
INDEXES: dict[str, str | sa.TextClause] = {
    "usager_email": sa.text("lower(email)"),
    "usager_phone": "phone",
    "usager_tax_number": "tax_number",
    "usager_company_number": "company_number",
}


def upgrade() -> None:
    for name, what in INDEXES.items():
        op.create_index(name, "usager", [what])
    op.execute("analyze usager")  # else nothing is known of lower(email), and one in 200 is taken to have the same


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, "usager")
