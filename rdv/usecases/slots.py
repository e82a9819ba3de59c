"""Free slots of one office over some days."""

import asyncio
import heapq
import logging
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import Enum
from typing import Any
from weakref import ref

from rdv.engine.values import Answer, Channel, Modality, Query
from rdv.errors import InvalidInput, NotAllowed, NotFound
from rdv.integrations.viewer import Viewer
from rdv.models import appointment_reads
from rdv.models.appointment_reads import AppointmentRecord
from rdv.models.office_reads import OfficeRecord
from rdv.models.reads import noting
from rdv.models.reason_tree import ReasonNode
from rdv.usecases import access
from rdv.usecases.agendas import Agenda
from rdv.usecases.appointment_access import visible
from rdv.usecases.offices import check_modality, id_from, served_leaf
from rdv.usecases.secrets import normalised
from rdv.usecases.services import Services

log = logging.getLogger("rdv.slots")

MAX_DAYS = 62
FIRST_YEAR, LAST_YEAR = 1971, 2199

Written = dict[Hashable, Any]


class Counted(Enum):
    """At which offered starts what remains is counted: the dearest part where appointments would have to move."""

    NONE = "none"
    FIRST = "first"
    EVERY = "every"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotsRequest:
    """What is asked of one office; `channel` None = the viewer's own."""

    office_id: str
    reason_id: str
    first: date
    last: date
    modality: Modality = Modality.IN_PERSON
    channel: Channel | None = None
    replacing: str | None = None
    access_code: str | None = None
    counted: Counted = Counted.EVERY
    explain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SlotsFound:
    """An office's answer; starts are in the office's zone.

    `written` keeps with the answer what was made of it for callers: nothing that leads back to its agenda. `moving`:
    the appointment that is to be moved.
    """

    agenda: Agenda
    reason: ReasonNode
    query: Query
    answer: Answer
    written: Written = field(default_factory=dict)
    moving: AppointmentRecord | None = None

    @property
    def office(self) -> OfficeRecord:
        return self.agenda.situation.office


async def search(services: Services, viewer: Viewer, request: SlotsRequest) -> SlotsFound:
    """Return the free starts of an office for a reason on some local days."""
    check_range(request.first, request.last)
    now = services.clock()
    agenda = await open_agenda(services, request.office_id, request.first, request.last, now)
    situation = agenda.situation
    reason = served_leaf(situation.reasons, id_from(request.reason_id, field="reasonId"))
    check_modality(reason, request.modality)
    moving = await _moving(services, viewer, request)
    query = Query(
        reason=str(reason.id),
        from_date=request.first,
        to_date=request.last,
        channel=_channel(viewer, request.channel, situation.office),
        modality=request.modality,
        replacing=None if moving is None else str(moving.id),
    )
    # By a weak reference: what is kept must not keep the agenda, which another takes the place of with each booking.
    window = agenda.engine.bookable_window(query, now)
    key = (ref(agenda), _alike(agenda, query, explain=request.explain), window, request.counted)
    asked: asyncio.Task[tuple[Answer, Written]] | None = services.agendas.answers.get(key)
    if asked is None or (asked.done() and (asked.cancelled() or asked.exception())):
        # One task for all who ask the same at the same time; who gives up does not end it.

        async def found() -> tuple[Answer, Written]:
            return await ask(services, agenda, query, now, counted=request.counted, explain=request.explain), {}

        asked = services.agendas.answers[key] = asyncio.create_task(found())
        asked.add_done_callback(lambda done: _weighed(services, key, done))
    answer, written = asked.result() if asked.done() else await asyncio.shield(asked)
    if (reads := noting.get()) is not None:
        reads.holds(agenda.engine.bookable_until(query, now))
    return SlotsFound(agenda=agenda, reason=reason, query=query, answer=answer, written=written, moving=moving)


def _weighed(services: Services, key: Hashable, asked: asyncio.Task[Any]) -> None:
    """Keep an answer that is there by its weight, unless others have pushed it out."""
    if services.agendas.answers.get(key) is asked:
        services.agendas.answers[key] = asked


async def open_agenda(services: Services, office_id: str, first: date, last: date, now: datetime) -> Agenda:
    """Return an office's agenda; raises NotFound."""
    office = id_from(office_id, field="officeId")
    agenda = (await services.agendas.current([office], first, last, now)).get(office)
    if agenda is None:
        raise NotFound("There is no such office.")
    return agenda


async def ask(
    services: Services,
    agenda: Agenda,
    query: Query,
    now: datetime,
    *,
    counted: Counted | Sequence[datetime] = Counted.NONE,
    explain: bool = False,
) -> Answer:
    """Ask an agenda, in a thread; an office that takes no bookings yet offers nothing.

    `counted`: at which starts, those among the offered.
    """
    if not agenda.situation.office.open_to_booking:
        return Answer(starts=(), remaining=())

    def answer() -> Answer:
        with agenda.asking:
            before, settled = agenda.engine.undecided, agenda.engine.settled
            found = agenda.engine.answer(query, now=now, remaining=False, explain=explain)
            if agenda.rationing is not None:
                found = agenda.rationing.applied(found, query, explain=explain)
            found = _counted(agenda, query, found, counted)
            undecided = agenda.engine.undecided - before
            services.agendas.settled.update(agenda.engine.settled - settled)
        if undecided:
            office = agenda.situation.office.code
            services.agendas.undecided += undecided
            log.warning("%s starts of office %s are undecided and not offered", undecided, office)
        return found

    return await services.agendas.asked([agenda], answer)


def _alike(agenda: Agenda, query: Query, *, explain: bool) -> Hashable:
    """Return what an agenda's answer depends on: reasons of one kind have one, unless it is about reasons."""
    if explain or agenda.rationing is not None:
        return query, explain
    kind = agenda.engine.compiled.kind(query.reason, query.channel, query.modality)
    return kind, query.modality, query.from_date, query.to_date, query.replacing


def _counted(agenda: Agenda, query: Query, found: Answer, counted: Counted | Sequence[datetime]) -> Answer:
    if isinstance(counted, Counted):
        wanted = {Counted.NONE: (), Counted.FIRST: found.starts[:1], Counted.EVERY: found.starts}[counted]
    else:
        wanted = tuple(start for start in found.starts if start in counted)
    counts = dict(zip(wanted, agenda.engine.remaining(query, wanted), strict=True))
    if agenda.rationing is not None:
        counts = agenda.rationing.limited(query, counts)
    return replace(found, remaining=tuple(counts.get(start, 0) for start in found.starts))


def nearest(starts: Sequence[datetime], wanted: datetime, count: int) -> list[datetime]:
    """Return the starts nearest to a wanted one, in order of time."""
    return sorted(heapq.nsmallest(count, starts, key=lambda start: (abs(start - wanted), start)))


def check_range(first: date, last: date, *, field: str = "to") -> None:
    """Refuse days that are not in order, too many, or out of this world."""
    for name, day in (("from", first), (field, last)):
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise InvalidInput(name, "This date is out of range.")
    if last < first:
        raise InvalidInput(field, "The last day is before the first.")
    if (last - first).days + 1 > MAX_DAYS:
        raise InvalidInput(field, "Ask for at most {most} days.", most=MAX_DAYS)


def _channel(viewer: Viewer, asked: Channel | None, office: OfficeRecord) -> Channel:
    """Return the channel to search for; only those who manage appointments may ask for another than their own."""
    own = access.channel_of(viewer)
    if asked is None or asked is own:
        return own
    if not access.may(viewer, access.Module.APPOINTMENTS, office):
        raise NotAllowed("You may not search for another channel.")
    return asked


async def _moving(services: Services, viewer: Viewer, request: SlotsRequest) -> AppointmentRecord | None:
    """Return the appointment to be moved; whoever may not see it learns nothing about it."""
    if request.replacing is None:
        return None
    async with services.database.reading() as connection:
        record = await appointment_reads.find(connection, appointment_reads.BY_REFERENCE, normalised(request.replacing))
        return await visible(services, connection, viewer, record, request.access_code)
