"""Alembic's entry: the address comes from `database.alembic_config`, never from a file."""

from alembic import context
from sqlalchemy import create_engine, pool
from sqlmodel import SQLModel

from rdv.models import appointments, national, offices, planning, reasons  # noqa: F401 - registers the tables

engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=SQLModel.metadata)
    with context.begin_transaction():
        context.run_migrations()
