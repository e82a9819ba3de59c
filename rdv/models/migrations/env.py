"""Alembic's entry: the address comes from `database.alembic_config`, never from a file."""

from typing import Literal

from alembic import context
from sqlalchemy import create_engine, pool
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from rdv.models import (  # noqa: F401 - registers the tables
    appointments,
    delegation,
    drafts,
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


engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=SQLModel.metadata, render_item=render_item)
    with context.begin_transaction():
        context.run_migrations()
