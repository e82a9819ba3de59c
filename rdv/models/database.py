"""Connections: one engine a process, transactions for writes, autocommit for hot reads, checks at start-up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from psycopg.errors import UndefinedTable
from sqlalchemy import event, make_url, text
from sqlalchemy.exc import ArgumentError, OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from rdv.errors import BadSetting, DatabaseUnavailable, MigrationMissing
from rdv.models.appointments import AGENT_ONCE, COUNTER_ONCE

Connection = AsyncConnection  # the other layers' name for it


def psycopg_url(url: str) -> str:
    """The same address for SQLAlchemy's psycopg 3 dialect; raises BadSetting when it is none."""
    _, _, rest = url.partition("://")
    try:
        make_url(f"postgresql+psycopg://{rest}")
    except (ArgumentError, ValueError):
        raise BadSetting("RDV_DATABASE_URL: is not an address like postgresql://user:password@host/database") from None
    return f"postgresql+psycopg://{rest}"


def alembic_config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", "rdv:models/migrations")
    config.attributes["url"] = psycopg_url(url)
    return config


def with_name(url: str, name: str) -> str:
    """The address of another database of the same server."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def migrate(url: str) -> None:
    """Bring the database's schema to this version; already there = nothing to do.

    Raises DatabaseUnavailable or MigrationMissing with one line that does not contain the address.
    """
    try:
        command.upgrade(alembic_config(url), "head")
    except (OperationalError, ProgrammingError) as error:
        raise DatabaseUnavailable(unreachable(error)) from None
    except CommandError:
        raise MigrationMissing("the database is at a migration this version does not know: use a newer rdv") from None


def unreachable(error: OperationalError | ProgrammingError) -> str:
    """Say that the database cannot be reached and why, without its address or password."""
    reasons = {
        "password authentication failed": "the password is not accepted",
        "does not exist": "there is no such database or role",
        "Connection refused": "nothing listens at that address",
        "could not translate host name": "the host's name is unknown",
        "failed to resolve host": "the host's name is unknown",
        "timeout expired": "no answer in time",
        "permission denied": "the role may not do what is needed",
        "invalid connection option": "the address has an unknown option",
    }
    why = next((text for mark, text in reasons.items() if mark in str(error.orig)), "the connection failed")
    return f"RDV_DATABASE_URL: the database cannot be reached: {why}"


class Database:
    """The pool. `transaction()` for writes, `reading()` for statements that stand alone."""

    def __init__(self, url: str, *, pool_size: int = 8, statement_timeout_ms: int = 10_000) -> None:
        self.engine: AsyncEngine = create_async_engine(
            psycopg_url(url),
            pool_size=pool_size,
            max_overflow=0,
            connect_args={
                "prepare_threshold": None,  # a transaction pooler may stand in front
                "options": f"-c statement_timeout={statement_timeout_ms} -c timezone=UTC",
                "connect_timeout": 5,
            },
        )
        self.statements = 0  # sent so far; those that begin and end transactions are counted too
        event.listen(self.engine.sync_engine, "before_cursor_execute", self._count)
        self._autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    def _count(self, *_: object) -> None:
        self.statements += 1

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        self.statements += 2  # BEGIN, and COMMIT or ROLLBACK: round trips like any other
        async with self.engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        async with self._autocommit.connect() as connection:
            yield connection

    async def check(self) -> None:
        """Refuse to serve on a database that is unreachable, not migrated, or without its exclusion constraints."""
        wanted = ScriptDirectory.from_config(alembic_config("postgresql://")).get_current_head()
        try:
            async with self.reading() as connection:
                found = (await connection.execute(text("select version_num from alembic_version"))).scalar()
                constraints = set(
                    (await connection.execute(text("select conname from pg_constraint where contype = 'x'"))).scalars()
                )
        except OperationalError as error:
            raise DatabaseUnavailable(unreachable(error)) from None
        except ProgrammingError as error:
            if not isinstance(error.orig, UndefinedTable):
                raise DatabaseUnavailable(unreachable(error)) from None
            raise MigrationMissing("the database has no rdv tables yet: run `rdv migrate`") from None
        if found != wanted:
            raise MigrationMissing(
                f"the database is at migration {found}, this version needs {wanted}: run `rdv migrate`"
            )
        if missing := {COUNTER_ONCE, AGENT_ONCE} - constraints:
            raise MigrationMissing(
                f"the database lacks {', '.join(sorted(missing))}: double bookings would be possible"
            )

    @property
    def in_use(self) -> int:
        """How many connections are in use."""
        pool = self.engine.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else 0

    async def close(self) -> None:
        await self.engine.dispose()
