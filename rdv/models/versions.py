"""Whether what is kept in memory still holds: offices' versions, asked of the database for every request.

This is the one statement of a warm request, so it takes the shortest way there is: a connection of its own, no session
and no compiled expression between, and prepared, since the server plans it for 130 µs and runs it in 30. Requests that
come while a statement is on its way share the next one. Each answer is thus read after its request came, and never
older than what had been committed by then.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from hashlib import sha256
from typing import Any

from psycopg import AsyncConnection, InterfaceError, OperationalError, errors, pq
from psycopg.errors import DuplicatePreparedStatement, FeatureNotSupported, InvalidSqlStatementName, QueryCanceled

from rdv.models.database import CLOSED, Database
from rdv.models.reads import Asked, Version
from rdv.models.situation import PAD, VERSION_COLUMNS

VERSIONS = f"""
select w.at, {VERSION_COLUMNS}
from unnest($1::bigint[], $2::date[], $3::date[]) with ordinality as w (office, first, last, at)
join office o on o.id = w.office
""".replace(":first", "w.first").replace(":last", "w.last")

NAME = b"rdv_" + sha256(VERSIONS.encode()).hexdigest()[:16].encode()  # no other statement has it, of no other release

CROWD = 4  # so many who asked at once are not alone
PAUSE_SECONDS = 0.001  # between statements for a crowd: more of it share the next one
LONGEST_SECONDS = 3.0  # for one statement, which takes a thousandth of one: else the server or the way there is gone


class Versions:
    """Asks for versions; whoever asks at the same time shares a statement."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: AsyncConnection | None = None
        self._asked: dict[Asked, None] = {}
        self._waiting: list[asyncio.Future[Mapping[Asked, Version]]] = []
        self._asking: asyncio.Task[None] | None = None
        self._next = 0.0  # when the next statement may be sent, by the event loop's clock
        self._closed = False
        self._prepares = True  # until it is found out that every statement may meet another server process
        self.statements = 0  # how many were sent

    async def of(self, offices: Iterable[int], first: date, last: date) -> dict[int, Version]:
        """Return each known office's version for some days: it changes whenever its situation may have changed."""
        asked = {office: (office, first, last) for office in offices}
        found = await self.all(asked.values())
        return {office: found[one] for office, one in asked.items() if one in found}

    async def all(self, asked: Iterable[Asked]) -> Mapping[Asked, Version]:
        """Return the versions of offices for the days given with each, perhaps among others; the unknown are left out.

        Raises psycopg's errors, its InterfaceError once this is closed, and TimeoutError.
        """
        if self._closed:
            raise InterfaceError(CLOSED)
        answer: asyncio.Future[Mapping[Asked, Version]] = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        self._asked.update(dict.fromkeys(asked))
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return await answer

    async def close(self) -> None:
        """Give up what is being asked, so that the connection can be closed; who waits, or comes later, is refused."""
        self._closed = True
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        self._refuse(self._waiting)

    async def _ask(self) -> None:
        waiting: list[asyncio.Future[Mapping[Asked, Version]]] = []
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                await asyncio.sleep(max(self._next - loop.time(), 0))
                waiting, self._waiting = self._waiting, []
                self._next = loop.time() + PAUSE_SECONDS if len(waiting) >= CROWD else 0
                asked, self._asked = list(self._asked), {}
                try:
                    found = await self._read(asked)
                except Exception as error:  # noqa: BLE001 - whatever it is, it is for those who asked
                    for one in waiting:
                        if not one.done():
                            one.set_exception(error)
                else:
                    for one in waiting:
                        if not one.done():  # who has given up
                            one.set_result(found)
        finally:
            self._asking = None
            self._refuse(waiting)  # only when this task was cancelled: nobody else answers them

    @staticmethod
    def _refuse(waiting: Iterable[asyncio.Future[Mapping[Asked, Version]]]) -> None:
        for one in waiting:
            if not one.done():
                one.set_exception(InterfaceError(CLOSED))

    async def _read(self, asked: Sequence[Asked]) -> dict[Asked, Version]:
        try:
            return await self._once(asked)
        except QueryCanceled:
            raise
        except InvalidSqlStatementName:  # a pooler stands between, which has a server process for each statement
            self._prepares = False
            return await self._once(asked)
        except (OperationalError, FeatureNotSupported):
            # The connection was closed meanwhile, by the server or something between, or a migration spoilt its plan.
            return await self._once(asked)

    async def _once(self, asked: Sequence[Asked]) -> dict[Asked, Version]:
        known, self._connection = self._connection, None  # until the answer is there, it is of no use to others
        connection = known or await self._database.dedicated()
        self.statements += 1
        columns = (
            [str(office) for office, _, _ in asked],
            [str(first - PAD) for _, first, _ in asked],
            [str(last + PAD) for _, _, last in asked],
        )
        parameters = [f"{{{','.join(column)}}}".encode() for column in columns]
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                if known is None and self._prepares:
                    await _prepare(connection.pgconn)
                rows = await _rows(connection.pgconn, parameters, prepared=self._prepares)
        except BaseException:
            await connection.close()
            raise
        self._connection = connection
        return {asked[at - 1]: Version(office, nation, days) for at, office, nation, days in rows}


async def _prepare(line: pq.abc.PGconn) -> None:
    """Prepare the statement; a pooler may give us a server process where we did before."""
    line.send_prepare(NAME, VERSIONS.encode())
    with suppress(DuplicatePreparedStatement):
        await _result(line)


async def _rows(line: pq.abc.PGconn, parameters: list[bytes], *, prepared: bool) -> list[list[int]]:
    """Ask by libpq itself: psycopg's cursor takes twice the time. Raises what `_result` does."""
    if prepared:
        line.send_query_prepared(NAME, parameters, result_format=pq.Format.BINARY)
    else:
        line.send_query_params(VERSIONS.encode(), parameters, result_format=pq.Format.BINARY)
    result = await _result(line)
    columns = range(result.nfields)
    values = ([result.get_value(row, column) for column in columns] for row in range(result.ntuples))
    return [[int.from_bytes(value or b"", "big", signed=True) for value in row] for row in values]


async def _result(line: pq.abc.PGconn) -> pq.abc.PGresult:
    """Return what the server says to what was sent; raises psycopg's errors."""
    loop, socket = asyncio.get_running_loop(), line.socket
    while line.flush():
        await _event(loop, loop.add_writer, loop.remove_writer, socket)
    results = []
    while True:
        while line.is_busy():
            await _event(loop, loop.add_reader, loop.remove_reader, socket)
            line.consume_input()
        if (result := line.get_result()) is None:
            break
        results.append(result)
    (result,) = results
    if result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
        if result.error_field(pq.DiagnosticField.SQLSTATE):
            raise errors.error_from_result(result)
        raise OperationalError(result.get_error_message())  # the connection has been cut
    return result


async def _event(
    loop: asyncio.AbstractEventLoop, add: Callable[..., None], remove: Callable[[int], Any], socket: int
) -> None:
    """Wait until a socket can be read or written."""
    ready = loop.create_future()
    add(socket, lambda: None if ready.done() else ready.set_result(None))
    try:
        await ready
    finally:
        remove(socket)
