"""A connection with one prepared statement and nothing between us and libpq: the shortest way to ask it.

psycopg's cursor takes 80 µs of processor for such a statement and a task that waits for it 40 more; this takes 25 in
all. There is one statement at a time; what the server says comes by callback from the event loop.
"""

import asyncio
from collections.abc import Callable, Sequence

from psycopg import AsyncConnection, OperationalError, errors, pq
from psycopg.errors import DuplicatePreparedStatement

Outcome = pq.abc.PGresult | Exception


class Line:
    """Asks one statement, given as `$1` and so on; `heard` is called with each result, or with why there is none."""

    def __init__(self, connection: AsyncConnection, statement: str, *, name: bytes) -> None:
        """`name`: no other statement on this connection may have it."""
        self._connection, self._pgconn = connection, connection.pgconn
        self._statement, self._name = statement.encode(), name
        self._results: list[pq.abc.PGresult] = []
        self._loop, self._socket = asyncio.get_running_loop(), connection.pgconn.socket
        self.heard: Callable[[Outcome], None] = lambda _: None
        self._loop.add_reader(self._socket, self._read)

    async def prepare(self) -> None:
        """Let the server plan the statement; raises psycopg's errors."""
        answer: asyncio.Future[Outcome] = self._loop.create_future()
        self.heard = answer.set_result
        self._pgconn.send_prepare(self._name, self._statement)
        self._write()
        outcome = await answer
        # A pooler may give us a server process where we did before.
        if isinstance(outcome, Exception) and not isinstance(outcome, DuplicatePreparedStatement):
            raise outcome

    def ask(self, parameters: Sequence[bytes], *, prepared: bool) -> None:
        """Send the statement; raises OperationalError where the connection is known to be cut."""
        if prepared:
            self._pgconn.send_query_prepared(self._name, parameters, result_format=pq.Format.BINARY)
        else:
            self._pgconn.send_query_params(self._statement, parameters, result_format=pq.Format.BINARY)
        self._write()

    def close(self) -> None:
        """Close the connection at once; nothing is heard any more."""
        self.heard = lambda _: None
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._pgconn.finish()

    def _write(self) -> None:
        if self._pgconn.flush():  # more than the socket takes at once
            self._loop.add_writer(self._socket, self._write)
        else:
            self._loop.remove_writer(self._socket)

    def _read(self) -> None:
        try:
            self._pgconn.consume_input()
            outcome = self._outcome()
        except Exception as error:  # noqa: BLE001 - for whoever hears it
            outcome = error
        if outcome is not None:
            self.heard(outcome)

    def _outcome(self) -> Outcome | None:
        """Return what the server has said; None while it has not said all."""
        while not self._pgconn.is_busy():
            if (result := self._pgconn.get_result()) is not None:
                self._results.append(result)
                continue
            if not self._results:
                return None  # a notice that nobody asked for
            (result,), self._results = self._results, []
            if result.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
                return result
            if result.error_field(pq.DiagnosticField.SQLSTATE):
                return errors.error_from_result(result)
            return OperationalError(result.get_error_message())  # the connection has been cut
        return None
