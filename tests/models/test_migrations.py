import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlmodel import SQLModel

from rdv.errors import MigrationMissing
from rdv.models.database import alembic_config, migrate, psycopg_url


def ours(name: str | None, kind: str, _: object) -> bool:
    return kind != "table" or name is None or not name.startswith("procrastinate_")


def test_the_migrations_make_exactly_the_tables_of_the_models(database_url: str) -> None:
    engine = create_engine(psycopg_url(database_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": ours})
        assert compare_metadata(context, SQLModel.metadata) == []
    engine.dispose()


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    migrate(database_url)


def test_the_migrations_can_be_taken_back_and_made_again(database_url: str) -> None:
    command.downgrade(alembic_config(database_url), "base")
    with psycopg.connect(database_url) as connection:
        left = "select relname from pg_class where relnamespace = 'public'::regnamespace and relname <> all(%s)"
        assert connection.execute(left, [["alembic_version", "alembic_version_pkc"]]).fetchall() == []
    migrate(database_url)


def test_a_migration_that_fails_is_one_line_and_changes_nothing(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("create table office ()")
        with pytest.raises(MigrationMissing, match=r"^the migration failed, and has changed nothing: DuplicateTable$"):
            migrate(empty_database_url)
        assert connection.execute("select to_regclass('alembic_version')").fetchone() == (None,)
