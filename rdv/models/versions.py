"""Whether what is kept in memory still holds: offices' versions, asked of the database for every request.

This is the one statement of a warm request, so it takes the shortest way there is (`line.py`), and is prepared, since
the server plans it for 130 µs and runs it in 30. Requests that come while a statement is on its way share the next one.
Each answer is thus read after its request came, and never older than what had been committed by then.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from psycopg import InterfaceError, OperationalError
from psycopg.errors import DuplicatePreparedStatement, FeatureNotSupported, InvalidSqlStatementName, QueryCanceled
from psycopg.pq.abc import PGresult

from rdv.models.database import CLOSED, Database
from rdv.models.line import Line, Outcome
from rdv.models.reads import Asked, Version
from rdv.models.situation import PAD, VERSION_COLUMNS

VERSIONS = f"""
select w.at, {VERSION_COLUMNS}
from unnest($1::bigint[], $2::date[], $3::date[]) with ordinality as w (office, first, last, at)
join office o on o.id = w.office
""".replace(":first", "w.first").replace(":last", "w.last")

NAME = b"rdv_" + sha256(VERSIONS.encode()).hexdigest()[:16].encode()  # no other statement has it, of no other release

EARLY = 16  # so many do not wait for others to come: their statement is on its way while those others are read
LONGEST_SECONDS = 3.0  # for one statement, which takes a thousandth of one: else the server or the way there is gone


@dataclass(slots=True)
class _Crowd:
    """Those who share a statement; `tried`: once already, on a connection that was closed meanwhile."""

    asked: list[Asked]
    waiting: list[asyncio.Future[Mapping[Asked, Version]]]
    tried: bool = False


class Versions:
    """Asks for versions; whoever asks at the same time shares a statement.

    A crowd's way: `_send` makes it of all who wait, `_ask` puts its statement on the line, or `_open` opens one first,
    `_heard` and `_failed` are what becomes of that, and `_settle` tells the crowd and sends for the next one.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._line: Line | None = None
        self._opening: asyncio.Task[None] | None = None
        self._preparing = False
        self._crowd: _Crowd | None = None  # whose statement is on its way
        self._late: asyncio.TimerHandle | None = None
        self._asked: dict[Asked, None] = {}
        self._waiting: list[asyncio.Future[Mapping[Asked, Version]]] = []
        self._closed = False
        self._prepares = True  # until it is found out that every statement may meet another server process
        self.statements = 0  # how many were sent

    async def of(self, offices: Iterable[int], first: date, last: date) -> dict[int, Version]:
        """Return each known office's version for some days: it changes whenever its situation may have changed."""
        asked = {office: (office, first, last) for office in offices}
        found = await self.all(asked.values())
        return {office: found[one] for office, one in asked.items() if one in found}

    async def all(self, asked: Collection[Asked]) -> Mapping[Asked, Version]:
        """Return the versions of offices for the days given with each, perhaps among others; the unknown are left out.

        Raises psycopg's errors, its InterfaceError once this is closed, and TimeoutError.
        """
        if self._closed:
            raise InterfaceError(CLOSED)
        if not asked:
            return {}
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Mapping[Asked, Version]] = loop.create_future()
        self._waiting.append(answer)
        self._asked.update(dict.fromkeys(asked))
        if self._crowd is None:
            if len(self._waiting) == EARLY:
                self._send()
            elif len(self._waiting) == 1:
                loop.call_soon(self._send)  # after whoever comes in this turn of the event loop
        return await answer

    async def close(self) -> None:
        """Give up what is being asked and close the connection; who waits, or comes later, is refused."""
        self._closed = True
        self._drop()
        try:
            if self._opening is not None:
                self._opening.cancel()
                await asyncio.gather(self._opening, return_exceptions=True)
        finally:
            for one in [*(self._crowd.waiting if self._crowd else ()), *self._waiting]:
                if not one.done():
                    one.set_exception(InterfaceError(CLOSED))

    def _send(self) -> None:
        """Send a statement for all who wait, unless one is on its way: then its end will."""
        if self._crowd is None and self._waiting and not self._closed:
            self._crowd = _Crowd(list(self._asked), self._waiting)
            self._asked, self._waiting = {}, []
            self._ask(self._crowd)

    def _ask(self, crowd: _Crowd) -> None:
        if self._line is None:
            # What belongs to whoever came first is not for a connection that serves all.
            self._opening = asyncio.get_running_loop().create_task(self._open(crowd), context=Context())
        else:
            self.statements += 1
            self._put(self._line, crowd)

    def _put(self, line: Line, crowd: _Crowd) -> None:
        def put() -> None:
            parameters = _parameters(crowd.asked)
            if self._prepares:
                line.ask(NAME, parameters)
            else:
                line.ask_unprepared(VERSIONS.encode(), parameters)

        self._try(put)

    def _try(self, put: Callable[[], None]) -> None:
        """Put something on the line; what is said to it is heard, or it is too late."""
        self._late = asyncio.get_running_loop().call_later(LONGEST_SECONDS, self._failed, TimeoutError())
        try:
            put()
        except Exception as error:  # noqa: BLE001 - told those who wait, who know what to do with each
            self._failed(error)

    async def _open(self, crowd: _Crowd) -> None:
        try:
            connection = await self._database.dedicated()
        except Exception as error:  # noqa: BLE001 - as above
            self._failed(error)
            return
        self.statements += 1
        line = self._line = Line(connection, self._heard)
        self._preparing = self._prepares
        if self._preparing:
            self._try(lambda: line.prepare(NAME, VERSIONS.encode()))
        else:
            self._put(line, crowd)

    def _heard(self, outcome: Outcome) -> None:
        if self._late is not None:
            self._late.cancel()
        crowd, line = self._crowd, self._line
        # A pooler may give us a server process where we prepared it before.
        if isinstance(outcome, Exception) and not (self._preparing and isinstance(outcome, DuplicatePreparedStatement)):
            self._failed(outcome)
        elif crowd is None or line is None:
            self._drop()  # an answer to nothing that was asked
        elif self._preparing:
            self._preparing = False
            self._put(line, crowd)
        elif not isinstance(outcome, Exception):
            self._settle(_versions(outcome, crowd.asked))

    def _failed(self, error: Exception) -> None:
        """Ask once more on another connection where that may help, else tell who waits."""
        self._drop()
        crowd = self._crowd
        if crowd is None or self._closed:  # nobody waits: the server closed the connection
            return
        if isinstance(error, InvalidSqlStatementName) and self._prepares:
            self._prepares = False  # a pooler stands between, which has a server process for each statement
            self._ask(crowd)
        elif _passing(error) and not crowd.tried:
            crowd.tried = True
            self._ask(crowd)
        else:
            self._settle(error)

    def _settle(self, found: Mapping[Asked, Version] | Exception) -> None:
        """Give a crowd what it waits for; the next one's statement is on its way first."""
        crowd, self._crowd = self._crowd, None
        assert crowd is not None  # noqa: S101 - only who has one settles it
        self._send()
        for one in crowd.waiting:
            if one.done():  # who has given up
                continue
            if isinstance(found, Exception):
                one.set_exception(found)
            else:
                one.set_result(found)

    def _drop(self) -> None:
        """Close the line, if there is one, and wait for nothing on it."""
        if self._late is not None:
            self._late.cancel()
        line, self._line, self._preparing = self._line, None, False
        if line is not None:
            line.close()


def _passing(error: Exception) -> bool:
    """Tell whether a new connection may do: ours was closed meanwhile, or a migration spoilt its plan."""
    return isinstance(error, OperationalError | FeatureNotSupported) and not isinstance(error, QueryCanceled)


def _parameters(asked: Iterable[Asked]) -> list[bytes]:
    """Return three arrays as PostgreSQL writes them."""
    columns = zip(*((str(office), str(first - PAD), str(last + PAD)) for office, first, last in asked), strict=True)
    return [f"{{{','.join(column)}}}".encode() for column in columns]


def _versions(result: PGresult, asked: Sequence[Asked]) -> dict[Asked, Version]:
    """Return the versions that a result tells, by what was asked."""
    columns = range(result.nfields)
    values = ([result.get_value(row, column) for column in columns] for row in range(result.ntuples))
    rows = ([int.from_bytes(value or b"", "big", signed=True) for value in row] for row in values)
    return {asked[at - 1]: Version(office, nation, days) for at, office, nation, days in rows}
