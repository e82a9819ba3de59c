"""Connections: one engine a process, transactions for writes, autocommit for hot reads, checks at start-up."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from functools import cache
from typing import Any, Literal

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from psycopg import AsyncConnection as DriverConnection
from psycopg import Error as DriverError
from psycopg import InterfaceError
from psycopg.errors import UndefinedTable
from psycopg.rows import dict_row
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
CLOSED = "the database is closed"
Migration = Literal["current", "newer"]
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


def unreachable(error: OperationalError | ProgrammingError | DriverError, setting: str = SETTING) -> str:
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
    said = str(error if isinstance(error, DriverError) else error.orig)
    why = next((text for mark, text in reasons.items() if mark in said), "the connection failed")
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


async def _migration(
    lent: AbstractAsyncContextManager[AsyncConnection], setting: str, *, running: bool = False
) -> Migration:
    """Return how a database's migration stands to ours, as `Database.check` has it; `setting`: who leads there."""
    known, wanted = _revisions()
    try:
        async with lent as connection:
            found = (await connection.execute(text("select version_num from alembic_version"))).scalar()
            constraints = set(
                (await connection.execute(text("select conname from pg_constraint where contype = 'x'"))).scalars()
            )
    except OperationalError as error:
        raise DatabaseUnavailable(unreachable(error, setting)) from None
    except ProgrammingError as error:
        if not isinstance(error.orig, UndefinedTable):
            raise DatabaseUnavailable(unreachable(error, setting)) from None
        raise MigrationMissing("the database has no rdv tables yet: run `rdv migrate`") from None
    newer = found is not None and found not in known
    if newer and not running:
        raise MigrationMissing("the database is at a newer migration than this rdv knows: use a newer rdv")
    if found != wanted and not newer:
        raise MigrationMissing(f"the database is at migration {found}, this version needs {wanted}: run `rdv migrate`")
    if missing := {COUNTER_ONCE, AGENT_ONCE} - constraints:
        raise MigrationMissing(f"the database lacks {', '.join(sorted(missing))}: double bookings would be possible")
    return "newer" if newer else "current"


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
        # For those who watch, who are not to queue: one connection, opened anew when it was cut.
        self._watching: AsyncEngine = create_async_engine(
            psycopg_url(direct_url or url),
            pool_size=1,
            max_overflow=0,
            pool_pre_ping=True,
            isolation_level="AUTOCOMMIT",
            connect_args=self._options,
        )
        self._direct = libpq_url(direct_url or url)
        self._pooled = libpq_url(url) if direct_url else None
        self._dedicated: list[DriverConnection] = []
        self._closed = False
        self.statements = 0  # sent so far; those that begin and end transactions are counted too
        event.listen(self.engine.sync_engine, "before_cursor_execute", self._count)
        event.listen(self.engine.sync_engine, "connect", lambda _, record: record.info.update(database=self))

    def _count(self, *_: object) -> None:
        self.statements += 1

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        _note()
        self.statements += 2  # BEGIN, and COMMIT or ROLLBACK: round trips like any other
        async with self.engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def reading(self, *, versioned: bool = False) -> AsyncIterator[AsyncConnection]:
        """Lend a connection; `versioned`: who asks knows by which versions what is read still holds."""
        if not versioned:
            _note()
        async with self.engine.connect() as connection:
            try:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
            except BaseException:
                # Cancelled half-way: the driver has changed it perhaps, and nobody would change it back.
                await connection.invalidate()
                raise
            yield connection

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[AsyncConnection]:
        """Lend the connection of those who watch, in autocommit; what they ask is not counted among the statements."""
        async with self._watching.connect() as connection:
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

    async def check(self, *, running: bool = False) -> Migration:
        """Refuse to serve on a database that is unreachable, not migrated, or without its exclusion constraints.

        Return how its migration stands to ours. A newer one, which we do not know, is refused unless we are `running`:
        whoever brings a new version migrates first, and then starts one process after the other again. Before we run,
        the direct address has to lead there, too.
        """
        migration = await _migration(self.reading(), SETTING, running=running)
        if self._pooled is not None and not running:
            try:
                await _migration(self.watching(), DIRECT_SETTING)
            except MigrationMissing:
                raise DatabaseUnavailable(f"{DIRECT_SETTING}: leads to another database than {SETTING}") from None
        return migration

    async def watch(self) -> Migration:
        """Check a database that we run on without waiting for the pool: that all of it is in use is no fault."""
        if self._pooled is None:
            return await _migration(self.watching(), SETTING, running=True)
        try:  # logging in is up to the pooler alone, also when all its server processes are in use
            await (await DriverConnection.connect(self._pooled, **self._options)).close()
        except DriverError as error:
            raise DatabaseUnavailable(unreachable(error)) from None
        return await _migration(self.watching(), DIRECT_SETTING, running=True)

    @property
    def in_use(self) -> int:
        """How many connections of the pool are in use."""
        return _lent(self.engine)

    async def close(self) -> None:
        """Close every connection; those in use have a second to be given back, and are closed later else."""
        self._closed = True
        for _ in range(100):
            if not _lent(self.engine) + _lent(self._watching):
                break
            await asyncio.sleep(0.01)
        for one in self._dedicated:
            await one.close()
        await self._watching.dispose()
        await self.engine.dispose()


def _lent(engine: AsyncEngine) -> int:
    return engine.pool.checkedout() if isinstance(engine.pool, QueuePool) else 0
