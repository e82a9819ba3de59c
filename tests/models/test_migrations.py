import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlmodel import SQLModel

from rdv.errors import MigrationMissing
from rdv.models import database
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


def test_a_migration_does_not_wait_for_long_for_who_uses_a_table_and_changes_nothing(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    command.downgrade(alembic_config(database_url), "0005")
    monkeypatch.setattr(database, "LOCK_TIMEOUT_MS", 100)
    said = "^the migration has changed nothing: others use its tables: run `rdv migrate` again when less is going on$"
    with psycopg.connect(database_url) as connection:
        connection.execute("lock table appointment in row exclusive mode")
        with pytest.raises(MigrationMissing, match=said):
            migrate(database_url)
        assert connection.execute("select version_num from alembic_version").fetchone() == ("0005",)
    migrate(database_url)


def test_neither_the_second_of_two_migrations_nor_a_long_statement_is_given_up(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    command.downgrade(alembic_config(database_url), "0007")
    monkeypatch.setattr(database, "LOCK_TIMEOUT_MS", 100)
    with psycopg.connect(database_url, autocommit=True) as connection, ThreadPoolExecutor() as threads:
        name = connection.info.dbname
        connection.execute(f"alter database {name} set statement_timeout = '100ms'")  # type: ignore[arg-type]
        connection.execute("select pg_advisory_lock(7738465)")
        second = threads.submit(migrate, database_url)
        waits = """
            select now() - query_start > interval '0.5 seconds'
            from pg_stat_activity where datname = current_database() and wait_event = 'advisory'"""
        until = time.monotonic() + 20
        while connection.execute(waits).fetchone() != (True,) and not second.done():
            assert time.monotonic() < until
            time.sleep(0.05)
        connection.execute("select pg_advisory_unlock(7738465)")
        second.result()
        assert connection.execute("select version_num from alembic_version").fetchone() == ("0008",)
