"""What other processes have changed, told by PostgreSQL when they commit (LISTEN and NOTIFY, migration 0005).

One connection a process listens, from the first time that somebody wants to know. A notice carries no content: whoever
gets one looks at the database. So several may become one, and a slow reader costs no memory; and after the connection
was lost, everything counts as changed. Nothing is told of what nobody follows: transactions that notify wait for each
other until each is on the disk, all over the server.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection as DriverConnection
from sqlalchemy import Column, DateTime, text
from sqlmodel import Field, SQLModel

from rdv.models.database import Database

CHANNEL = "rdv_changes"
AGAIN_SECONDS = 1.0
READY_SECONDS = 5.0
RENEW_SECONDS = 60.0

# Say for three minutes that some topics are followed.
FOLLOW = """
insert into followed (topic, until)
select topic, now() + interval '3 minutes' from unnest({0}) as new (topic) order by topic
on conflict (topic) do update set until = excluded.until
"""
FORGET = "delete from followed where until < now()"

log = logging.getLogger("rdv.notices")


class Followed(SQLModel, table=True):
    """What somebody follows, and until when that is certain."""

    __table_args__ = {"prefixes": ["UNLOGGED"]}

    topic: str = Field(primary_key=True)
    until: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


def of_office(office: int) -> str:
    """Return what is told when an office's slots may have changed."""
    return f"office {office}"


def of_appointment(appointment: int) -> str:
    """Return what is told when an appointment was changed."""
    return f"appointment {appointment}"


class Notices:
    """Lets any number wait for changes, by one connection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._listening: asyncio.Task[None] | None = None
        self._followed: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ready = asyncio.Event()
        self.closed = False

    @asynccontextmanager
    async def about(self, topic: str) -> AsyncIterator[asyncio.Event]:
        """Return an event that is set by every change from now on; whoever has seen it clears it.

        Not of changes that were made by now and are not committed yet: look again after a while, once. Raises
        TimeoutError when the database cannot be reached, or this is closed.
        """
        if self.closed:
            raise TimeoutError
        if self._listening is None or self._listening.done():
            self._listening = self._begun(self._listen())
        changed = asyncio.Event()
        self._waiting[topic].add(changed)
        try:
            await asyncio.wait_for(self._ready.wait(), READY_SECONDS)
            await self._certainly(topic)
            yield changed
        finally:
            self._waiting[topic].discard(changed)
            if not self._waiting[topic]:
                del self._waiting[topic]
                self._followed.pop(topic, None)

    async def _certainly(self, topic: str) -> None:
        """Wait until a topic is known to be followed, which is written once for all who wait for it."""
        following = self._followed.get(topic)
        if following is None or (following.done() and (following.cancelled() or following.exception())):
            following = self._followed[topic] = self._begun(self._follow(topic))
        await asyncio.wait({following})  # whoever gives up does not end it for the others
        if following.cancelled():
            raise TimeoutError  # it is being closed
        following.result()

    def _begun(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin a task that goes on when whoever wanted it has gone, and ends with this."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _follow(self, topic: str) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(text(FOLLOW.format("cast(:topics as text[])")), {"topics": [topic]})

    @property
    def followers(self) -> int:
        """How many wait for changes."""
        return len({id(one) for each in self._waiting.values() for one in each})

    async def close(self) -> None:
        """Stop listening, and let nobody wait any longer."""
        self.closed = True
        self._tell(list(self._waiting))
        under_way = list(self._tasks)
        for one in under_way:
            one.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            try:
                async with await self._database.dedicated() as connection:
                    await connection.execute(f"listen {CHANNEL}")
                    await self._renew(connection)
                    self._ready.set()
                    self._tell(list(self._waiting))
                    while True:
                        async for notice in connection.notifies(timeout=RENEW_SECONDS):
                            self._tell([notice.payload])
                        await self._renew(connection)
            except Exception as error:  # noqa: BLE001 - a standby, a failover, no memory: it is tried again all the same
                log.warning("the connection that listens for changes was lost: %s", type(error).__name__)
            self._ready.clear()
            await asyncio.sleep(AGAIN_SECONDS)

    async def _renew(self, connection: DriverConnection[Any]) -> None:
        await connection.execute(FOLLOW.format("%s::text[]"), [list(self._waiting)])
        await connection.execute(FORGET)

    def _tell(self, topics: Sequence[str]) -> None:
        for topic in topics:
            for changed in self._waiting.get(topic, ()):
                changed.set()
