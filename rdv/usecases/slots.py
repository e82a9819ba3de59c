"""Free slots: of one office over some days, and the earliest ones over many offices."""

import heapq
import logging
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from rdv.engine.values import Answer, Channel, Modality, Query
from rdv.errors import InvalidInput, NotAllowed, NotFound
from rdv.integrations.viewer import Viewer
from rdv.models import appointment_reads
from rdv.models.office_reads import OfficeRecord, load_bookable_offices
from rdv.models.reason_tree import ReasonNode
from rdv.usecases import access
from rdv.usecases.agendas import Agenda
from rdv.usecases.appointment_access import visible
from rdv.usecases.offices import check_modality, id_from, served_leaf
from rdv.usecases.rationing import first_with_room
from rdv.usecases.secrets import normalised
from rdv.usecases.services import Services

log = logging.getLogger("rdv.slots")

MAX_DAYS = 62
EARLIEST_DAYS = 31  # how far ahead `earliest` looks
MAX_OFFICES = 500
MAX_FIRST = 100
NEAR_OFFICES = 40
FIRST_YEAR, LAST_YEAR = 1971, 2199
EARTH_RADIUS_KM = 6371.0
_DEPARTEMENT = re.compile(r"[0-9][0-9AB][0-9]?")


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
    remaining: bool = True
    explain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotsFound:
    """An office's answer; starts are in the office's zone."""

    agenda: Agenda
    reason: ReasonNode
    modality: Modality
    answer: Answer

    @property
    def office(self) -> OfficeRecord:
        return self.agenda.situation.office


@dataclass(frozen=True, slots=True, kw_only=True)
class EarliestRequest:
    """What is asked of many offices: those named, those of a département, those near a place."""

    reason_id: str
    office_ids: Sequence[str] | None = None
    departement: str | None = None
    near: tuple[float, float] | None = None
    modality: Modality = Modality.IN_PERSON
    from_date: date | None = None
    first: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class EarliestFound:
    """An office's earliest start, and how far the office is."""

    agenda: Agenda
    reason: ReasonNode
    modality: Modality
    start: datetime
    remaining: int
    distance_km: float | None

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
    query = Query(
        reason=str(reason.id),
        from_date=request.first,
        to_date=request.last,
        channel=_channel(viewer, request.channel, situation.office),
        modality=request.modality,
        replacing=await _replacing(services, viewer, request),
    )
    answer = await ask(services, agenda, query, now, remaining=request.remaining, explain=request.explain)
    return SlotsFound(agenda=agenda, reason=reason, modality=request.modality, answer=answer)


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
    remaining: bool = False,
    explain: bool = False,
) -> Answer:
    """Ask an agenda, in a thread; an office that takes no bookings yet offers nothing."""
    if not agenda.situation.office.open_to_booking:
        return Answer(starts=(), remaining=())

    def answer() -> Answer:
        with agenda.asking:
            before = agenda.engine.undecided
            found = agenda.engine.answer(query, now=now, remaining=remaining, explain=explain)
            undecided = agenda.engine.undecided - before
            if agenda.rationing is not None:
                found = agenda.rationing.applied(found, query, explain=explain)
        if undecided:
            office = agenda.situation.office.code
            log.warning("%s starts of office %s are undecided and not offered", undecided, office)
        return found

    return await services.agendas.in_thread(answer)


async def earliest(services: Services, viewer: Viewer, request: EarliestRequest) -> list[EarliestFound]:
    """Return offices with their earliest free start, the earliest first, then the nearest."""
    if not 1 <= request.first <= MAX_FIRST:
        raise InvalidInput("first", "Ask for 1 to {most} offices.", most=MAX_FIRST)
    if request.departement is not None and not _DEPARTEMENT.fullmatch(request.departement):
        raise InvalidInput("departement", "This is not the code of a département.")
    _check_place(request.near)
    now = services.clock()
    first = request.from_date or now.date() - timedelta(days=1)
    check_range(first, first, field="from")
    last = first + timedelta(days=EARLIEST_DAYS)
    reason_id = id_from(request.reason_id, field="reasonId")
    agendas = await services.agendas.current(await _offices(services, reason_id, request), first, last, now)

    query = Query(
        reason=str(reason_id),
        from_date=first,
        to_date=last,
        channel=access.channel_of(viewer),
        modality=request.modality,
    )

    def answers() -> list[EarliestFound]:
        found = (_earliest_of(agenda, reason_id, query, request.near, now) for agenda in agendas.values())
        return heapq.nsmallest(request.first, (one for one in found if one is not None), key=_rank)

    return await services.agendas.in_thread(answers)


def _rank(found: EarliestFound) -> tuple[datetime, float, int]:
    return found.start, found.distance_km or 0.0, found.office.id


async def _offices(services: Services, reason_id: int, request: EarliestRequest) -> list[int]:
    async with services.database.reading() as connection:
        tree = (await services.agendas.nations.current(connection)).tree
        node = tree.nodes.get(reason_id)
        if node is None:
            raise NotFound("There is no such reason.")
        if not node.bookable:
            raise InvalidInput("reasonId", "This reason has more precise ones under it: choose one of these.")
        if request.office_ids is not None:
            if len(request.office_ids) > MAX_OFFICES:
                raise InvalidInput("officeIds", "Name at most {most} offices.", most=MAX_OFFICES)
            return [id_from(office, field="officeIds") for office in request.office_ids]
        if request.departement is None and request.near is None:
            raise InvalidInput("officeIds", "Say which offices: officeIds, departement or near.")
        return await load_bookable_offices(
            connection,
            sorted(node.office_kinds),
            departement=request.departement,
            near=request.near,
            at_most=NEAR_OFFICES if request.departement is None else MAX_OFFICES,
        )


def _earliest_of(
    agenda: Agenda, reason_id: int, query: Query, near: tuple[float, float] | None, now: datetime
) -> EarliestFound | None:
    office = agenda.situation.office
    node = agenda.situation.reasons[reason_id]
    if not (office.open_to_booking and node.served and query.modality in node.modalities):
        return None
    with agenda.asking:
        if agenda.rationing is None:
            first = agenda.engine.first(query, now=now)
        else:
            first = first_with_room(agenda.rationing, agenda.engine, query, now)
    if first is None:
        return None
    distance = distance_km(near, (office.latitude, office.longitude))
    return EarliestFound(
        agenda=agenda,
        reason=node,
        modality=query.modality,
        start=first[0],
        remaining=first[1],
        distance_km=distance,
    )


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


def distance_km(
    one: tuple[float | None, float | None] | None, other: tuple[float | None, float | None]
) -> float | None:
    """Return the distance between two places (latitude, longitude) on the globe, to 100 metres."""
    if one is None or one[0] is None or one[1] is None or other[0] is None or other[1] is None:
        return None
    latitudes = math.radians(one[0]), math.radians(other[0])
    half_height = math.sin((latitudes[1] - latitudes[0]) / 2) ** 2
    half_width = math.sin(math.radians(other[1] - one[1]) / 2) ** 2
    chord = half_height + math.cos(latitudes[0]) * math.cos(latitudes[1]) * half_width
    return round(2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(chord, 1.0))), 1)


def _check_place(near: tuple[float, float] | None) -> None:
    if near is not None and not (-90 <= near[0] <= 90 and -180 <= near[1] <= 180):
        raise InvalidInput("near", "A latitude is -90 to 90, a longitude -180 to 180.")


def _channel(viewer: Viewer, asked: Channel | None, office: OfficeRecord) -> Channel:
    """Return the channel to search for; only those who manage appointments may ask for another than their own."""
    own = access.channel_of(viewer)
    if asked is None or asked is own:
        return own
    if not access.may(viewer, access.Module.APPOINTMENTS, office):
        raise NotAllowed("You may not search for another channel.")
    return asked


async def _replacing(services: Services, viewer: Viewer, request: SlotsRequest) -> str | None:
    """Return the engine's id of the appointment to be moved; whoever may not see it learns nothing about it."""
    if request.replacing is None:
        return None
    async with services.database.reading() as connection:
        record = await appointment_reads.find(connection, appointment_reads.BY_REFERENCE, normalised(request.replacing))
        return str((await visible(services, connection, viewer, record, request.access_code)).id)
