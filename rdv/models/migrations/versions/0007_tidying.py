"""Find the keys of requests that are old: they are taken away each night."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("idempotency_key_created", "idempotency_key", ["created_at"], postgresql_using="brin")


def downgrade() -> None:
    op.drop_index("idempotency_key_created", "idempotency_key")
