"""Following what changes: free slots of an office, and an appointment, as long as somebody looks at them."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from rdv.errors import NotAllowed, NotFound
from rdv.integrations.viewer import Viewer
from rdv.models.appointment_reads import AppointmentRecord
from rdv.models.notices import of_appointment, of_office
from rdv.usecases import appointments
from rdv.usecases.services import Services
from rdv.usecases.slots import MAX_DAYS, SlotsFound, SlotsRequest, search

# Lead times pass and holds expire without anybody changing anything.
LOOK_AGAIN_SECONDS = 60.0

WhoAsks = Callable[[], Viewer]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotsChange:
    """An office's free slots for a reason as they are now, and the days that differ from what was told before."""

    found: SlotsFound
    days: tuple[date, ...]


async def slots(services: Services, who: WhoAsks, office_id: str, reason_id: str) -> AsyncGenerator[SlotsChange, None]:
    """Tell of an office's free slots of the next days: as they are at once, then whenever they have changed.

    Raises what `search` raises; `who` is asked again each time, and raises BadToken when the caller's time is over.
    """
    told: Digests | None = None
    patience = _patience()
    first = await _search(services, who(), office_id, reason_id)
    async with services.notices.about(of_office(first.office.id)) as changed:
        while not services.notices.closed:
            changed.clear()
            found = await _search(services, who(), office_id, reason_id)
            now = _by_day(found)
            if told is None or now != told:
                days = () if told is None else _differing(told, now)
                told = now
                yield SlotsChange(found=found, days=days)
            await _next(changed, min(_seconds_left(services, found), next(patience)))


async def appointment(
    services: Services, who: WhoAsks, reference: str, access_code: str | None
) -> AsyncGenerator[AppointmentRecord, None]:
    """Tell of an appointment: as it is at once, then whenever it has changed, as long as the viewer may see it.

    Raises NotFound or NotAllowed when they may not at first.
    """
    told, patience = None, _patience()
    first = await appointments.find(services, who(), reference, access_code)
    async with services.notices.about(of_appointment(first.id)) as changed:
        while not services.notices.closed:
            changed.clear()
            try:
                record = await appointments.find(services, who(), reference, access_code)
            except (NotFound, NotAllowed):
                return
            if record != told:
                told = record
                yield record
            await _next(changed, next(patience))


async def _search(services: Services, viewer: Viewer, office_id: str, reason_id: str) -> SlotsFound:
    first = services.clock().date() - timedelta(days=1)  # still today, far enough west
    last = first + timedelta(days=MAX_DAYS - 1)
    return await search(
        services, viewer, SlotsRequest(office_id=office_id, reason_id=reason_id, first=first, last=last)
    )


DIGESTS = "digests"
Digests = dict[date, int]  # of each day's starts and what remains of them


def _by_day(found: SlotsFound) -> Digests:
    """Return the digests of an answer, made once for all who follow it."""
    if DIGESTS not in found.written:
        days: dict[date, list[tuple[datetime, int]]] = {}
        for start, remaining in zip(found.answer.starts, found.answer.remaining, strict=True):
            days.setdefault(start.date(), []).append((start, remaining))
        found.written[DIGESTS] = {day: hash(tuple(pairs)) for day, pairs in days.items()}
    digests: Digests = found.written[DIGESTS]
    return digests


def _differing(one: Digests, other: Digests) -> tuple[date, ...]:
    return tuple(sorted(day for day in {*one, *other} if one.get(day) != other.get(day)))


def _seconds_left(services: Services, found: SlotsFound) -> float:
    left = (found.agenda.until - services.clock()).total_seconds()
    return max(left, 0.0) + 0.01


def _patience() -> Iterator[float]:
    """Return how long to wait for a notice, again and again: not long at first, see `Notices.about`."""
    yield from (1.0, 10.0)
    while True:
        yield LOOK_AGAIN_SECONDS


async def _next(changed: asyncio.Event, seconds: float) -> None:
    """Wait for a change, or some seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await changed.wait()
