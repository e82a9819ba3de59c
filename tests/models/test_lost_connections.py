"""Whoever asks for versions is answered or told, whatever a server does to the connection: this one does the worst."""

import asyncio
import gc
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import psycopg
import pytest

from rdv.models.database import Database
from rdv.models.versions import Versions

DAYS = date(2027, 3, 1), date(2027, 3, 31)
Served = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return "asyncio", {"use_uvloop": request.param}


def message(kind: bytes, content: bytes = b"") -> bytes:
    return kind + struct.pack("!i", len(content) + 4) + content


def fault(code: str, severity: str = "ERROR") -> bytes:
    fields = {"S": severity, "V": severity, "C": code, "M": "said the test"}
    return message(b"E", b"".join(f"{name}{value}\0".encode() for name, value in fields.items()) + b"\0")


READY = message(b"Z", b"I")
HELLO = (
    message(b"R", struct.pack("!i", 0))
    + b"".join(message(b"S", one) for one in (b"client_encoding\0UTF8\0", b"server_version\x0018.0\0"))
    + message(b"K", struct.pack("!ii", 1, 1))
    + READY
)
PREPARED = message(b"1") + READY
NO_ROWS = message(b"2") + message(b"T", struct.pack("!h", 0)) + message(b"C", b"SELECT 0\0") + READY


@asynccontextmanager
async def served_by(*connections: Served) -> AsyncIterator[Versions]:
    """Serve one connection after the other; the last one's way is that of all after it."""
    count = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        try:
            while True:  # requests for encryption come before the start
                (length,) = struct.unpack("!i", await reader.readexactly(4))
                content = await reader.readexactly(length - 4)
                if content[:4] == struct.pack("!i", 196_608):
                    break
                writer.write(b"N")
            writer.write(HELLO)
            await connections[min(count, len(connections)) - 1](reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    database = Database(f"postgresql://nobody@127.0.0.1:{port}/nothing?sslmode=disable&gssencmode=disable")
    versions = Versions(database)
    faults: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    try:
        yield versions
    finally:
        await versions.close()
        await database.close()
        server.close()
    gc.collect()
    await asyncio.sleep(0)
    assert not faults


async def asked(reader: asyncio.StreamReader) -> bytes:
    """Return the kinds of the client's messages up to the next Sync."""
    kinds = b""
    while not kinds.endswith(b"S"):
        kind, length = struct.unpack("!ci", await reader.readexactly(5))
        await reader.readexactly(length - 4)
        kinds += kind
    return kinds


async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Do as a server does that knows no office."""
    while kinds := await asked(reader):
        writer.write(NO_ROWS if b"B" in kinds else PREPARED)


async def goes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Go before the statement is prepared."""
    await asked(reader)


async def goes_when_asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asked(reader)
    writer.write(PREPARED)
    await asked(reader)


async def cuts_the_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asked(reader)
    writer.write(PREPARED)
    await asked(reader)
    writer.write(NO_ROWS[:20])


async def says_farewell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asked(reader)
    writer.write(PREPARED)
    await asked(reader)
    writer.write(fault("57P01", "FATAL"))


async def knows_no_statement(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Do as a pooler between whose processes statements get lost, unnamed ones as well."""
    while kinds := await asked(reader):
        writer.write(fault("26000") + READY if b"B" in kinds else PREPARED)


async def reads_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asked(reader)
    writer.write(PREPARED)
    await asyncio.sleep(0.1)
    writer.transport.abort()


@pytest.mark.parametrize("way", [goes, goes_when_asked, cuts_the_answer, says_farewell], ids=lambda way: way.__name__)
async def test_who_asks_on_a_connection_that_is_cut_is_answered_on_the_next(way: Served) -> None:
    async with served_by(way, answers) as versions, asyncio.timeout(2):
        assert await asyncio.gather(*(versions.of([1], *DAYS) for _ in range(40))) == [{}] * 40


@pytest.mark.parametrize("way", [goes, goes_when_asked, cuts_the_answer, says_farewell], ids=lambda way: way.__name__)
async def test_who_asks_on_connections_that_are_cut_again_and_again_is_told(way: Served) -> None:
    async with served_by(way, way, answers) as versions, asyncio.timeout(2):
        with pytest.raises(psycopg.OperationalError):
            await versions.of([1], *DAYS)
        assert await versions.of([1], *DAYS) == {}


async def test_a_long_question_on_a_connection_that_is_cut_meanwhile_is_asked_again() -> None:
    async with served_by(reads_nothing, answers) as versions, asyncio.timeout(5):
        assert await versions.of(range(400_000), *DAYS) == {}


async def test_a_pooler_that_loses_every_statement_is_not_asked_for_ever() -> None:
    async with served_by(knows_no_statement) as versions, asyncio.timeout(2):
        with pytest.raises(psycopg.errors.InvalidSqlStatementName):
            await versions.of([1], *DAYS)
        assert versions.statements == 2


async def test_a_connection_that_is_cut_while_nobody_asks_costs_the_next_one_nothing() -> None:
    async def goes_later(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asked(reader)
        writer.write(PREPARED)
        await asked(reader)
        writer.write(NO_ROWS + fault("57P01", "FATAL"))

    async with served_by(goes_later, answers) as versions, asyncio.timeout(2):
        await versions.of([1], *DAYS)
        await asyncio.sleep(0.1)
        assert await versions.of([1], *DAYS) == {}
        assert versions.statements == 2


async def test_a_server_that_is_not_there_costs_nothing_once_it_is_back() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/nothing")
    versions = Versions(database)
    for _ in range(2):
        with pytest.raises(psycopg.OperationalError):
            await versions.of([1], *DAYS)
    assert versions.statements == 0
    await versions.close()
    await database.close()


async def test_closing_while_a_connection_is_opened_or_prepared_leaves_nobody_waiting() -> None:
    async def waits(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    for moment in (0.0, 0.0, 0.05):
        async with served_by(waits) as versions:
            waiting = asyncio.create_task(versions.of([1], *DAYS))
            await asyncio.sleep(moment)
            await versions.close()
            with pytest.raises(psycopg.InterfaceError, match="closed"):
                await waiting


async def test_nothing_is_asked_for_no_office() -> None:
    async with served_by(answers) as versions:
        assert await versions.of([], *DAYS) == {}
        assert versions.statements == 0
