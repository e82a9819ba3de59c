"""What comes over a bare connection: heads without end, bodies that break off, origins that are none."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.served import Served
from tests.web.live_clients import PATIENCE, served

POST = b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
TYPENAME = b'{"query": "{ __typename }"}'


@pytest.fixture
def running(database_url: str, tmp_path: Path) -> Iterator[Served]:
    with served(database_url, tmp_path, RDV_METRICS="1") as server:
        yield server


@asynccontextmanager
async def connected(server: Served) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    address = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def poured(server: Served, begin: bytes, endless: bytes) -> tuple[bytes, int]:
    """Send the same again and again until the server has enough; return its answer and how much was sent."""
    async with asyncio.timeout(PATIENCE), connected(server) as (reader, writer):
        writer.write(begin)
        sent = 0
        with suppress(ConnectionError):
            while not reader.at_eof() and sent < 20_000_000:
                writer.write(endless)
                sent += len(endless)
                await writer.drain()
                await asyncio.sleep(0)
        answer = b""
        with suppress(ConnectionError):
            answer = await reader.read()
        return answer, sent


@pytest.mark.parametrize(
    ("begin", "endless"),
    [
        (POST + b"x: ", b"y" * 10_000),
        (POST, b"x: " + b"y" * 1_000 + b"\r\n"),
        (b"GET /graphql?query=", b"y" * 10_000),
        (POST + b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", b"x: " + b"y" * 1_000 + b"\r\n"),
        (POST + b"transfer-encoding: chunked\r\n\r\n1;x=", b"y" * 10_000),
    ],
    ids=["a header", "headers", "an address", "trailers", "a chunk's extension"],
)
async def test_a_head_without_end_is_cut_off(running: Served, begin: bytes, endless: bytes) -> None:
    answer, sent = await poured(running, begin, endless)
    assert answer.startswith(b"HTTP/1.1 400") or not answer, answer[:200]  # it may be lost with what was still coming
    assert sent < 20_000_000


async def test_what_is_beside_a_body_does_not_add_up_over_a_connection_or_with_the_body(running: Served) -> None:
    long = b'{"query": "{ __typename }' + b" " * 200_000 + b'"}'
    async with connected(running) as (reader, writer):
        for body in [TYPENAME, long] * 30:
            writer.write(POST + b"x: " + b"y" * 8_000 + b"\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = next(one for one in head.split(b"\r\n") if one.startswith(b"content-length"))
            assert b'"Query"' in await reader.readexactly(int(length.split(b":")[1]))


async def test_a_body_that_breaks_off_is_a_fault_of_its_sender(running: Served) -> None:
    async with connected(running) as (_, writer):
        writer.write(POST + b"content-length: 1000\r\n\r\n" + b'{"query"')
        await writer.drain()
    url = running.url.removesuffix("graphql") + "metrics"
    for _ in range(200):
        async with httpx2.AsyncClient() as http:
            figures = (await http.get(url)).text
        if 'rdv_requests_total{operation="other"' in figures:
            break
        await asyncio.sleep(0.02)
    assert 'rdv_requests_total{operation="other",status="400"} 1.0' in figures
    assert logging.getLevelName(logging.ERROR) not in running.log.read_text(encoding="utf-8").upper()


async def test_an_origin_that_is_no_address_gets_no_socket(running: Served) -> None:
    async with connected(running) as (reader, writer):
        writer.write(
            b"GET /graphql HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\norigin: http://[\r\n"
            b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n"
            b"sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
        )
        assert (await reader.readline()).startswith(b"HTTP/1.1 403")
