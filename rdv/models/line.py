"""A connection with nothing between us and libpq: the shortest way to ask the same statement again and again.

psycopg's cursor takes 80 µs of processor for such a statement, and a task that waits for it 40 more. Here one statement
at a time is sent, and what the server says comes by callback from the event loop.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from psycopg import AsyncConnection, OperationalError, errors, pq

Outcome = pq.abc.PGresult | Exception


class Line:
    """Sends a statement; `heard` is called once with its result, or with why there is none.

    It is called without being asked when the server closes the connection.
    """

    def __init__(self, connection: AsyncConnection, heard: Callable[[Outcome], None]) -> None:
        self._pgconn, self._heard = connection.pgconn, heard
        self._results: list[pq.abc.PGresult] = []
        self._loop, self._socket = asyncio.get_running_loop(), connection.pgconn.socket
        self._open = True
        self._loop.add_reader(self._socket, self._read)

    def prepare(self, name: bytes, statement: bytes) -> None:
        """Have the server plan a statement; raises psycopg's errors."""
        self._pgconn.send_prepare(name, statement)
        self._flush()

    def ask(self, name: bytes, parameters: Sequence[bytes]) -> None:
        """Send a prepared statement, the result of which is binary; raises psycopg's errors."""
        self._pgconn.send_query_prepared(name, parameters, result_format=pq.Format.BINARY)
        self._flush()

    def ask_unprepared(self, statement: bytes, parameters: Sequence[bytes]) -> None:
        """Send a statement, the result of which is binary; raises psycopg's errors."""
        self._pgconn.send_query_params(statement, parameters, result_format=pq.Format.BINARY)
        self._flush()

    def close(self) -> None:
        """Close the connection at once; nothing is heard any more."""
        if self._open:
            self._open = False
            for forget in (self._loop.remove_reader, self._loop.remove_writer):
                with suppress(OSError):  # libpq has closed it: asyncio forgets it all the same
                    forget(self._socket)
            self._pgconn.finish()

    def _flush(self) -> None:
        if self._pgconn.flush():  # more than the socket takes at once
            self._loop.add_writer(self._socket, self._write)

    def _write(self) -> None:
        if not self._open:  # in this turn of the event loop
            return
        try:
            if not self._pgconn.flush():
                self._loop.remove_writer(self._socket)
        except Exception as error:  # noqa: BLE001 - for whoever hears it
            self._tell(error)

    def _read(self) -> None:
        if not self._open:
            return
        try:
            # uvloop calls once, and never again, when a connection ends: its last words and its end are two readings.
            outcome = self._taken_in() or self._taken_in()
        except Exception as error:  # noqa: BLE001 - for whoever hears it
            outcome = error
        if outcome is not None:
            self._tell(outcome)

    def _tell(self, outcome: Outcome) -> None:
        if self._pgconn.status == pq.ConnStatus.BAD:
            self.close()  # at once: libpq has closed the socket, whose number may soon be another's
        self._heard(outcome)

    def _taken_in(self) -> Outcome | None:
        """Take in what has come; return what the server has said, None while it has not said all."""
        self._pgconn.consume_input()
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
