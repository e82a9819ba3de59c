"""Compiled agendas of offices, kept in memory and never stale.

An agenda is kept with the version of what it was compiled from. Each use compares versions first (one statement for
any number of offices) and reads again only what changed (one more): the days whose appointments did, or all where it is
more than that. It is also read again once one of its holds expires or a day is frozen, which no version tells.

All agendas of one moment cover the same standard days, so that a version means the same for every office; a query
beyond these gets an agenda of its own days, which is not kept.
"""

import asyncio
import math
import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from cachetools import LRUCache

from rdv.engine.calendar import EPOCH
from rdv.engine.slots import Office
from rdv.integrations.trace import span
from rdv.models.database import Connection, Database
from rdv.models.nation import Nation, NationCache
from rdv.models.reads import Version, noting
from rdv.models.renewal import renew_situations
from rdv.models.situation import Situation, load_situations
from rdv.models.versions import Versions
from rdv.usecases.rationing import Rationing

AT_HAND = 100  # agendas that keep what makes their next question faster: three to eight times what they take otherwise
COMPILED_AT_ONCE = 10  # agendas: a tenth of a second or two
STANDARD_DAYS = 93  # ahead of today: a query's 62 days beyond the usual 30 days' horizon
ANSWERS_KEPT_BYTES, START_BYTES = 64_000_000, 600  # as measured: a start with its end, and what is written of both
SET_BACK = timedelta(seconds=10)
PATIENCE_SECONDS = 0.1  # for an engine that is being asked: longer than reading and compiling an office for a day

Window = tuple[date, date]
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Agenda:
    """One office's situation, compiled for some days; `asking` guards the engine, which serves one thread at a time."""

    situation: Situation
    engine: Office
    rationing: Rationing | None = None  # where the office keeps something back
    asking: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def bytes(self) -> int:
        """About how much memory this takes; it grows with what it is asked."""
        return self.engine.bytes + (self.rationing.bytes if self.rationing else 0)

    def forget(self) -> bool:
        """Forget what only makes the next question faster; False when it is being asked one."""
        if not self.asking.acquire(blocking=False):
            return False
        try:
            self.engine.forget()
        finally:
            self.asking.release()
        return True

    @property
    def key(self) -> tuple[int, Window]:
        """The office, and the days this was compiled for."""
        horizon = self.engine.compiled.horizon
        return self.situation.office.id, (date.fromordinal(horizon.first), date.fromordinal(horizon.last))

    @property
    def until(self) -> datetime:
        """The moment when a hold expires, a day is frozen or one opens, which no version tells."""
        expires = self.engine.valid_until
        return self.situation.until if expires is None else min(self.situation.until, expires)


class Agendas:
    """The agendas a process keeps, the most recently used of them."""

    def __init__(self, database: Database, *, kept_bytes: int = 550_000_000, threads: int = 2) -> None:
        """`kept_bytes`: about how much memory they may take; those used least recently are dropped first."""
        self._database = database
        self.versions = Versions(database)
        self.nations = NationCache()
        # Who holds locks does not queue behind searches.
        self._limiter, self._under_locks = CapacityLimiter(threads), CapacityLimiter(threads)
        # Of the event loop alone: whoever looks something up changes the order.
        self._agendas: LRUCache[tuple[int, Window], Agenda] = LRUCache(kept_bytes, getsizeof=_bytes)
        self._at_hand = _AtHand(AT_HAND, self._cooled)
        # In tasks, by all that they depend on.
        self.answers: LRUCache[Hashable, asyncio.Task[Any]] = LRUCache(ANSWERS_KEPT_BYTES, getsizeof=_answer_bytes)
        self._reading: dict[tuple[int, Window], asyncio.Future[dict[int, Agenda]]] = {}
        self.hits = self.misses = 0  # agendas that were kept and still held, and those that were read
        self.settled: Counter[str] = Counter()  # starts by the stage of the engine that decided them
        self.undecided = 0  # starts the engine could not decide within its budget

    @property
    def count(self) -> int:
        """How many agendas are kept."""
        return len(self._agendas)

    @property
    def bytes(self) -> int:
        """About how much memory they take."""
        return int(self._agendas.currsize)

    async def current(self, offices: Sequence[int], first: date, last: date, now: datetime) -> dict[int, Agenda]:
        """Return the agendas of the known ones of the offices, as they are now, covering `first` to `last`.

        What is made of them is taken to hold for the minute, unless `Reads.holds` is told otherwise.
        """
        window = standard_window(first, last, now)
        reads = noting.get()
        versions = reads.versions(offices, *window) if reads else None
        if versions is None:
            with span("versions"):
                versions = await self.versions.of(offices, *window)
        # Taken here, since another request may push them out while this one waits.
        found = {office: self._agendas[office, window] for office in versions if (office, window) in self._agendas}
        found = {o: agenda for o, agenda in found.items() if _holds(agenda, versions[o], now)}
        stale = [office for office in versions if office not in found]
        self.hits += len(found)
        self.misses += len(stale)
        if stale:
            with span("agendas"):
                read = await self._read(stale, window, versions, now)
            if _is_standard(window, now):  # else whoever asks for one day after the other pushes out what all ask for
                for agenda in read.values():
                    self._keep(agenda)
            found |= read
        if reads is not None:
            reads.clocked += 1
            for office in offices:
                agenda_of = found.get(office)
                version, until = (agenda_of.situation.version, agenda_of.until) if agenda_of else (None, None)
                reads.agenda((office, *window), version, until)
        return found

    async def under_lock(
        self,
        connection: Connection,
        nation: Nation,
        office: int,
        days: Window,
        now: datetime,
        *,
        version: Version | None,
    ) -> Agenda:
        """Return an agenda of some days as a transaction that holds their locks sees it.

        `version`: the office's for the standard days, None when the transaction has written something of it. It is
        decided on the agenda at hand where that is of this version, or can be renewed; else on one of just those days.
        """
        window = standard_window(*days, now)
        run = partial(self.in_thread, locked=True)
        known = self._agendas.get((office, window))
        # Not one of a later moment: holds that this transaction still has to respect may have expired at it.
        if known is not None and known.situation.instance.now <= now < known.until and await self._soon(known):
            if known.situation.version == version:
                return known
            before = {office: known.situation}
            found = await renew_situations(connection, before, first=window[0], last=window[1], now=now, run=run)
            if situation := found.get(office):
                agenda = await run(lambda: _compiled(situation, window, known))
                if version is not None:  # else it shows what may never be committed
                    self._keep(agenda)
                return agenda
        situations = await load_situations(connection, nation, [office], first=days[0], last=days[1], now=now, run=run)
        return await run(lambda: _compiled(situations[office], days))

    async def _soon(self, agenda: Agenda) -> bool:
        """Tell whether an agenda's engine is free, or soon is: whoever holds locks cannot wait for a long question."""
        if agenda.asking.acquire(blocking=False):
            agenda.asking.release()
            return True

        def waited() -> bool:
            free = agenda.asking.acquire(timeout=PATIENCE_SECONDS)
            if free:
                agenda.asking.release()
            return free

        return await self.in_thread(waited, locked=True)

    async def asked(self, agendas: Iterable[Agenda], work: Callable[[], T], *, locked: bool = False) -> T:
        """Ask some agendas, where it does not hold up the event loop; those that are kept are weighed anew.

        `locked`: by a transaction that holds locks.
        """
        agendas = list(agendas)
        try:
            return await self.in_thread(work, locked=locked)
        finally:
            for agenda in agendas:
                if self._agendas.get(agenda.key) is agenda:
                    self._keep(agenda)
                self._at_hand[agenda.key] = agenda

    def _cooled(self, agenda: Agenda) -> None:
        """Weigh an agenda that is not at hand any more, if it still is kept."""
        if self._agendas.get(agenda.key) is agenda:
            self._keep(agenda)

    async def in_thread(self, work: Callable[[], T], *, locked: bool = False) -> T:
        """Run the engine where it does not hold up the event loop; `locked`: for a transaction that holds locks."""
        with span("engine"):
            return await to_thread.run_sync(work, limiter=self._under_locks if locked else self._limiter)

    async def _read(
        self, offices: Sequence[int], window: Window, versions: Mapping[int, Version], now: datetime
    ) -> dict[int, Agenda]:
        """Read agendas, each only once for all who want it at the same time, be it a hundred who follow an office."""
        found: dict[int, Agenda] = {}
        own: list[int] = []
        for office in offices:
            agenda = await self._shared(office, window)
            if agenda is not None and agenda.situation.version.since(versions[office]) and now < agenda.until:
                found[office] = agenda
            else:
                own.append(office)
        if not own:
            return found
        reading = asyncio.get_running_loop().create_future()
        mine = {(office, window): reading for office in own}
        self._reading |= mine
        try:
            async with self._database.reading(versioned=True) as connection:
                nation = await self.nations.at_least(connection, versions[own[0]].nation)
                situations = await self._situations(connection, nation, {o: versions[o] for o in own}, window, now)
            loaded = await self._compiled(situations, window)
        except BaseException:
            reading.set_result({})
            raise
        else:
            reading.set_result(loaded)
        finally:
            for key in mine:
                if self._reading.get(key) is reading:
                    del self._reading[key]
        return found | loaded

    async def _shared(self, office: int, window: Window) -> Agenda | None:
        """Return what somebody else is reading, when it is there; None when nobody is."""
        reading = self._reading.get((office, window))
        return None if reading is None else (await asyncio.shield(reading)).get(office)

    async def _situations(
        self,
        connection: Connection,
        nation: Nation,
        versions: Mapping[int, Version],
        window: Window,
        now: datetime,
    ) -> dict[int, Situation]:
        """Read situations: what is kept and only has other appointments is renewed, the others are read as a whole."""
        first, last = window
        kept = {o: self._agendas[o, window].situation for o in versions if (o, window) in self._agendas}
        kept = {  # not those of a later moment: perhaps another day is frozen at it
            o: one
            for o, one in kept.items()
            if one.instance.now <= now < one.until and one.version[:2] == versions[o][:2]
        }
        situations: dict[int, Situation] = {}
        if kept:
            situations = await renew_situations(connection, kept, first=first, last=last, now=now, run=self.in_thread)
        if rest := [office for office in versions if office not in situations]:
            situations |= await load_situations(
                connection, nation, rest, first=first, last=last, now=now, run=self.in_thread
            )
        return situations

    async def _compiled(self, situations: Mapping[int, Situation], window: Window) -> dict[int, Agenda]:
        """Compile situations, some at a time: others have their turn, and who is cancelled stops soon."""
        loaded: dict[int, Agenda] = {}
        every = list(situations.items())
        for at in range(0, len(every), COMPILED_AT_ONCE):
            some = every[at : at + COMPILED_AT_ONCE]
            before = {office: self._agendas.get((office, window)) for office, _ in some}
            loaded |= await self.in_thread(partial(_all_compiled, some, window, before))
        return loaded

    def _keep(self, agenda: Agenda) -> None:
        key = agenda.key
        known = self._agendas.get(key)
        # Two requests may read at once: the later version stays.
        if known is not None and known.situation.version > agenda.situation.version:
            agenda = known
        if known is not agenda:
            self._at_hand.pop(key, None)
        try:
            self._agendas[key] = agenda  # weighed anew: it has grown with what it was asked
        except ValueError:  # larger than all of them may be
            self._agendas.pop(key, None)


class _AtHand(LRUCache[tuple[int, Window], Agenda]):
    """The agendas that were asked last; another one forgets what only makes its next question faster."""

    def __init__(self, most: int, cooled: Callable[[Agenda], None]) -> None:
        super().__init__(most)
        self._cooled = cooled

    def popitem(self) -> tuple[tuple[int, Window], Agenda]:
        key, agenda = super().popitem()
        if agenda.forget():  # else it comes back
            self._cooled(agenda)
        return key, agenda


def _bytes(agenda: Agenda) -> int:
    return agenda.bytes


def _answer_bytes(asked: asyncio.Task[Any]) -> int:
    """Weigh an answer to a search; one that is not there yet is weighed again when it is."""
    found = asked.done() and not asked.cancelled() and not asked.exception()
    return START_BYTES * (1 + (len(asked.result()[0].starts) if found else 0))


def standard_window(first: date, last: date, now: datetime) -> Window:
    """Return the days an agenda is compiled for: the standard ones when they contain those asked for."""
    standard = now.date() - timedelta(days=1), now.date() + timedelta(days=STANDARD_DAYS)
    return standard if standard[0] <= first and last <= standard[1] else (first, last)


def end_of_minute(now: datetime) -> datetime:
    """Return until when an agenda answers alike whatever it is asked, since the engine counts in whole minutes."""
    return EPOCH + timedelta(minutes=math.ceil((now - EPOCH).total_seconds() / 60)) + datetime.resolution


def _holds(agenda: Agenda, version: Version, now: datetime) -> bool:
    # Others may have read it a moment later than this request came, but not much later unless the clock was set back.
    begins = agenda.situation.instance.now - SET_BACK
    return agenda.situation.version.since(version) and begins <= now < agenda.until


def _is_standard(window: Window, now: datetime) -> bool:
    return window == standard_window(now.date(), now.date(), now)


def _all_compiled(
    situations: Iterable[tuple[int, Situation]], window: Window, before: Mapping[int, Agenda | None]
) -> dict[int, Agenda]:
    return {office: _compiled(situation, window, before[office]) for office, situation in situations}


def _compiled(situation: Situation, window: Window, before: Agenda | None = None) -> Agenda:
    if before is None:
        engine = Office(situation.instance, *window)
    else:
        with before.asking:
            engine = Office(situation.instance, *window, before=before.engine)
    return Agenda(situation, engine, Rationing(situation, engine) if situation.quotas or situation.delegated else None)
