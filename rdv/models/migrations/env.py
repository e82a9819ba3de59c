"""Alembic's entry: the address comes from `database.alembic_config`, never from a file."""

from typing import Literal

from alembic import context
from sqlalchemy import create_engine, pool, text
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from rdv.models import (  # noqa: F401 - registers the tables
    appointments,
    delegation,
    drafts,
    holiday_changes,
    national,
    notices,
    offices,
    planning,
    quotas,
    reasons,
    revisions,
    templates,
)


def render_item(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Write SQLModel's text type as the plain one it is."""
    return "sa.String()" if kind == "type" and isinstance(item, AutoString) else False


ONE_AT_A_TIME = 7_738_465  # names the lock; any number does that nothing else on the database takes

engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=SQLModel.metadata, render_item=render_item)
    with context.begin_transaction():
        # A role's patience is meant for requests: an index on millions of rows takes longer.
        connection.execute(text("set local statement_timeout = 0"))
        # Who comes second waits, and then finds nothing to do. Held until the transaction ends, however that is.
        connection.execute(text("select pg_advisory_xact_lock(:one)"), {"one": ONE_AT_A_TIME})
        # While we wait for a table, whoever comes later waits behind us.
        connection.execute(text(f"set local lock_timeout = {context.config.attributes['lock_timeout_ms']:d}"))
        context.run_migrations()
