"""What other processes have changed, told by PostgreSQL when they commit (LISTEN and NOTIFY, migration 0005).

One connection a process listens, from the first time that somebody wants to know. A notice carries no content: whoever
gets one looks at the database. So several may become one, and a slow reader costs no memory; and after the connection
was lost, everything counts as changed.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from psycopg import OperationalError

from rdv.models.database import Database

CHANNEL = "rdv_changes"
NATION = "nation"  # concerns every office
AGAIN_SECONDS = 1.0
READY_SECONDS = 5.0

log = logging.getLogger("rdv.notices")


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
        self._ready = asyncio.Event()
        self.closed = False

    @asynccontextmanager
    async def about(self, *topics: str) -> AsyncIterator[asyncio.Event]:
        """Return an event that is set by every change from now on; whoever has seen it clears it.

        Raises TimeoutError when the database cannot be reached.
        """
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())
        changed = asyncio.Event()
        for topic in topics:
            self._waiting[topic].add(changed)
        try:
            await asyncio.wait_for(self._ready.wait(), READY_SECONDS)
            yield changed
        finally:
            for topic in topics:
                self._waiting[topic].discard(changed)
                if not self._waiting[topic]:
                    del self._waiting[topic]

    @property
    def followers(self) -> int:
        """How many wait for changes."""
        return len({id(one) for each in self._waiting.values() for one in each})

    async def close(self) -> None:
        """Stop listening, and let nobody wait any longer."""
        self.closed = True
        self._tell(list(self._waiting))
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening

    async def _listen(self) -> None:
        while True:
            try:
                connection = await self._database.dedicated()
                async with connection:
                    await connection.execute(f"listen {CHANNEL}")
                    self._ready.set()
                    self._tell(list(self._waiting))
                    async for notice in connection.notifies():
                        self._tell(list(self._waiting) if notice.payload == NATION else [notice.payload])
            except OperationalError:
                log.warning("the connection that listens for changes was lost")
            self._ready.clear()
            await asyncio.sleep(AGAIN_SECONDS)

    def _tell(self, topics: list[str]) -> None:
        for topic in topics:
            for changed in self._waiting.get(topic, ()):
                changed.set()
