"""Connections: one engine a process, transactions for writes, autocommit for hot reads, checks at start-up."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from functools import cache
from typing import Any, Literal

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from psycopg import AsyncConnection as DriverConnection
from psycopg import InterfaceError
from psycopg.errors import UndefinedTable
from psycopg.rows import dict_row
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, ProgrammingError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from rdv.errors import BadSetting, DatabaseUnavailable, MigrationMissing, OperatorError
from rdv.models.appointments import AGENT_ONCE, COUNTER_ONCE
from rdv.models.reads import noting

_NAME = re.compile(r"(?<!:):([a-z_]+)")  # of a bound value; `::` is a cast

SETTING, DIRECT_SETTING = "RDV_DATABASE_URL", "RDV_DIRECT_DATABASE_URL"
# None: it never came so far that a server said something. Then passwords, missing databases, permissions.
UNREACHABLE = {None, "28P01", "28000", "3D000", "42501"}
NOT_HAD = {"55P03", "40P01"}  # a lock within the time, or ours was one of two that waited for each other
LOCK_TIMEOUT_MS = 5_000  # of a migration: bookings wait behind it meanwhile
BESIDES = "rdv_besides"  # the option of connections whose statements are not counted
CLOSED = "the database is closed"
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
    config.attributes.update(url=psycopg_url(url), lock_timeout_ms=LOCK_TIMEOUT_MS)
    return config


@cache
def _revisions() -> tuple[frozenset[str], str | None]:
    """Return all migrations this version knows, and the last."""
    scripts = ScriptDirectory.from_config(alembic_config("postgresql://"))
    return frozenset(one.revision for one in scripts.walk_revisions()), scripts.get_current_head()


def with_name(url: str, name: str) -> str:
    """The address of another database of the same server."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def migrate(url: str, *, setting: str = SETTING) -> None:
    """Bring the database's schema to this version; already there = nothing to do.

    `setting`: where the address is from.

    Raises DatabaseUnavailable or MigrationMissing with one line that does not contain the address.
    """
    try:
        command.upgrade(alembic_config(url), "head")
    except SQLAlchemyError as error:
        raise _not_migrated(error, setting) from None
    except CommandError:
        raise MigrationMissing("the database is at a migration this version does not know: use a newer rdv") from None


def _not_migrated(error: SQLAlchemyError, setting: str) -> OperatorError:
    """Say why a migration failed: nothing of the statement or its values, which may be anybody's."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    if isinstance(error, OperationalError | ProgrammingError) and state in UNREACHABLE:
        return DatabaseUnavailable(unreachable(error, setting))
    if state in NOT_HAD:
        return MigrationMissing(
            "the migration has changed nothing: others use its tables: run `rdv migrate` again when less is going on"
        )
    return MigrationMissing(f"the migration failed, and has changed nothing: {type(cause).__name__}")


def unreachable(error: OperationalError | ProgrammingError, setting: str = SETTING) -> str:
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
    return f"{setting}: the database cannot be reached: {why}"


def _note() -> None:
    if (reads := noting.get()) is not None:
        reads.others = True


def libpq_url(url: str) -> str:
    """Return an address as libpq knows it, without the name of a driver."""
    return make_url(psycopg_url(url)).set(drivername="postgresql").render_as_string(hide_password=False)


async def packed_rows(connection: AsyncConnection, statement: str, bound: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Run a statement with `:names` and return its rows, sent in PostgreSQL's binary forms.

    Packed bytes are sent as they are then: as text they would be twice as long, and have to be unescaped. A row may
    have a megabyte of them, so they are taken in one by one, and others have their turn in between.
    """
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, DriverConnection)  # noqa: S101 - the engine is psycopg's
    raw.info["database"].statements += 1
    named = _NAME.sub(r"%(\1)s", statement.replace("%", "%%"))
    async with driver.cursor(binary=True, row_factory=dict_row) as cursor:
        rows = []
        taken = cursor.stream(named.encode(), dict(bound))
        async with aclosing(taken):  # type: ignore[type-var]  # an async generator, whatever it is declared to be
            async for row in taken:
                rows.append(row)
                await asyncio.sleep(0)
        return rows


class Database:
    """The pool. `transaction()` for writes, `reading()` for statements that stand alone."""

    def __init__(
        self, url: str, *, direct_url: str | None = None, pool_size: int = 8, statement_timeout_ms: int = 10_000
    ) -> None:
        """`direct_url`: for connections beside the pool, where `url` is a transaction pooler's."""
        self._options: dict[str, Any] = {
            "prepare_threshold": None,  # a transaction pooler may stand in front
            "options": f"-c statement_timeout={statement_timeout_ms} -c timezone=UTC",
            "connect_timeout": 5,
            # Who is gone without a word is found out in half a minute, not in the system's quarter of an hour.
            "keepalives_idle": 15,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 30_000,
        }
        self.engine: AsyncEngine = create_async_engine(
            psycopg_url(url), pool_size=pool_size, max_overflow=0, connect_args=self._options
        )
        self._direct = libpq_url(direct_url or url)
        self._dedicated: list[DriverConnection] = []
        self._closed = False
        self.statements = 0  # sent so far; those that begin and end transactions are counted too
        event.listen(self.engine.sync_engine, "before_cursor_execute", self._count)
        event.listen(self.engine.sync_engine, "connect", lambda _, record: record.info.update(database=self))

    def _count(self, connection: SyncConnection, *_: object) -> None:
        if not connection.get_execution_options().get(BESIDES):
            self.statements += 1

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        _note()
        self.statements += 2  # BEGIN, and COMMIT or ROLLBACK: round trips like any other
        async with self.engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def reading(self, *, versioned: bool = False, counted: bool = True) -> AsyncIterator[AsyncConnection]:
        """Lend a connection; `versioned`: who asks knows by which versions what is read still holds.

        Not `counted`: what is asked for the sake of figures, which would change by being looked at.
        """
        if not versioned:
            _note()
        async with self.engine.connect() as connection:
            try:
                await connection.execution_options(isolation_level="AUTOCOMMIT", **{BESIDES: not counted})
            except BaseException:
                # Cancelled half-way: the driver has changed it perhaps, and nobody would change it back.
                await connection.invalidate()
                raise
            yield connection

    async def dedicated(self) -> DriverConnection:
        """Open a connection beside the pool, in autocommit; it is closed with the database, or before by its user.

        Raises psycopg's errors, its InterfaceError once the database is closed.
        """
        connection = await DriverConnection.connect(self._direct, autocommit=True, **self._options)
        if self._closed:  # perhaps meanwhile: nobody would close this one
            await connection.close()
            raise InterfaceError(CLOSED)
        self._dedicated = [one for one in self._dedicated if not one.closed] + [connection]
        return connection

    async def check(self, *, running: bool = False) -> Literal["current", "newer"]:
        """Refuse to serve on a database that is unreachable, not migrated, or without its exclusion constraints.

        Return how its migration stands to ours. A newer one, which we do not know, is refused unless we are `running`:
        whoever brings a new version migrates first, and then starts one process after the other again.
        """
        known, wanted = _revisions()
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
        newer = found is not None and found not in known
        if newer and not running:
            raise MigrationMissing("the database is at a newer migration than this rdv knows: use a newer rdv")
        if found != wanted and not newer:
            raise MigrationMissing(
                f"the database is at migration {found}, this version needs {wanted}: run `rdv migrate`"
            )
        if missing := {COUNTER_ONCE, AGENT_ONCE} - constraints:
            raise MigrationMissing(
                f"the database lacks {', '.join(sorted(missing))}: double bookings would be possible"
            )
        return "newer" if newer else "current"

    @property
    def in_use(self) -> int:
        """How many connections are in use."""
        pool = self.engine.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else 0

    async def close(self) -> None:
        """Close every connection; those in use have a second to be given back, and are closed later else."""
        self._closed = True
        for _ in range(100):
            if not self.in_use:
                break
            await asyncio.sleep(0.01)
        for one in self._dedicated:
            await one.close()
        await self.engine.dispose()
