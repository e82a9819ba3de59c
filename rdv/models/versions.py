"""Whether what is kept in memory still holds: offices' versions, asked of the database for every request.

This is the one statement of a warm request, so it takes the shortest way there is: a connection of its own, no session
and no compiled expression between. Requests that come while a statement is on its way share the next one. Each answer
is thus read after its request came, and never older than what had been committed by then.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from psycopg import AsyncConnection, DatabaseError, OperationalError, pq

from rdv.models.database import Database
from rdv.models.reads import Asked, Version
from rdv.models.situation import PAD, VERSION_COLUMNS

VERSIONS = f"""
select w.at, {VERSION_COLUMNS}
from unnest($1::bigint[], $2::date[], $3::date[]) with ordinality as w (office, first, last, at)
join office o on o.id = w.office
""".replace(":first", "w.first").replace(":last", "w.last")


LONGEST_SECONDS = 3.0  # for one statement, which takes a thousandth of one: else the server or the way there is gone


class Versions:
    """Asks for versions; whoever asks at the same time shares a statement."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: AsyncConnection | None = None
        self._asked: dict[Asked, None] = {}
        self._waiting: list[asyncio.Future[Mapping[Asked, Version]]] = []
        self._asking: asyncio.Task[None] | None = None
        self.statements = 0  # how many were sent

    async def of(self, offices: Iterable[int], first: date, last: date) -> dict[int, Version]:
        """Return each known office's version for some days: it changes whenever its situation may have changed."""
        asked = {office: (office, first, last) for office in offices}
        found = await self.all(asked.values())
        return {office: found[one] for office, one in asked.items() if one in found}

    async def all(self, asked: Iterable[Asked]) -> Mapping[Asked, Version]:
        """Return the versions of offices for the days given with each, perhaps among others; the unknown are left out.

        Raises psycopg's errors, and TimeoutError.
        """
        answer: asyncio.Future[Mapping[Asked, Version]] = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        self._asked.update(dict.fromkeys(asked))
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return await answer

    async def _ask(self) -> None:
        waiting: list[asyncio.Future[Mapping[Asked, Version]]] = []
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, []
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
            for one in (*waiting, *self._waiting):
                one.cancel()  # only when this task was: nobody else answers them

    async def _read(self, asked: Sequence[Asked]) -> dict[Asked, Version]:
        try:
            return await self._once(asked)
        except OperationalError:  # the connection was closed meanwhile, by the server or by something between
            return await self._once(asked)

    async def _once(self, asked: Sequence[Asked]) -> dict[Asked, Version]:
        connection = self._connection or await self._database.dedicated()
        self._connection = None  # until the answer is there, it is of no use to others
        self.statements += 1
        columns = (
            [str(office) for office, _, _ in asked],
            [str(first - PAD) for _, first, _ in asked],
            [str(last + PAD) for _, _, last in asked],
        )
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                rows = await _rows(connection.pgconn, [f"{{{','.join(column)}}}".encode() for column in columns])
        except BaseException:
            await connection.close()
            raise
        self._connection = connection
        return {asked[at - 1]: Version(office, nation, days) for at, office, nation, days in rows}


async def _rows(line: pq.abc.PGconn, parameters: list[bytes]) -> list[list[int]]:
    """Ask by libpq itself: psycopg's cursor takes twice the time. Raises OperationalError, or DatabaseError."""
    line.send_query_params(VERSIONS.encode(), parameters, result_format=pq.Format.BINARY)
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
    if result.status != pq.ExecStatus.TUPLES_OK:
        ended = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").startswith(b"57P")  # the server ends it
        raise (OperationalError if ended else DatabaseError)(result.get_error_message())
    columns = range(result.nfields)
    values = ([result.get_value(row, column) for column in columns] for row in range(result.ntuples))
    return [[int.from_bytes(value or b"", "big", signed=True) for value in row] for row in values]


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
