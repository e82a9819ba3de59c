"""The earliest free slots over many offices: those named, those of a département, those near a place.

An office that has delegated the whole reason is answered for by the one that receives for it.
"""

import heapq
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from rdv.engine.values import Modality, Query
from rdv.errors import InvalidInput, NotFound
from rdv.integrations.viewer import Viewer
from rdv.models.delegation import Delegated
from rdv.models.office_reads import OfficeRecord, load_bookable_offices
from rdv.models.reason_tree import ReasonNode
from rdv.usecases import access
from rdv.usecases.agendas import Agenda
from rdv.usecases.offices import id_from
from rdv.usecases.rationing import first_with_room
from rdv.usecases.services import Services
from rdv.usecases.slots import check_range

EARLIEST_DAYS = 31  # how far ahead is looked
MAX_OFFICES = 500
MAX_FIRST = 100
NEAR_OFFICES = 40
EARTH_RADIUS_KM = 6371.0
_DEPARTEMENT = re.compile(r"[0-9][0-9AB][0-9]?")


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
    on_behalf_of: OfficeRecord | None = None

    @property
    def office(self) -> OfficeRecord:
        return self.agenda.situation.office


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
    query = Query(
        reason=str(reason_id),
        from_date=first,
        to_date=last,
        channel=access.channel_of(viewer),
        modality=request.modality,
    )
    agendas = await services.agendas.current(await _offices(services, reason_id, request), first, last, now)
    others = await receiving(services, agendas, query, now)

    def answers() -> list[EarliestFound]:
        found = [earliest_of(agenda, query, request.near, now) for agenda in agendas.values()]
        for giver, (one, agenda) in others.items():
            if one.to_office in agendas:
                continue  # asked for itself
            theirs = earliest_of(agenda, within(query, one), request.near, now)
            found.append(theirs and replace(theirs, on_behalf_of=agendas[giver].situation.office))
        return heapq.nsmallest(request.first, (one for one in found if one is not None), key=_rank)

    return await services.agendas.asked([*agendas.values(), *(one for _, one in others.values())], answers)


async def receiving(
    services: Services, agendas: Mapping[int, Agenda], query: Query, now: datetime
) -> dict[int, tuple[Delegated, Agenda]]:
    """Return, by office, which other one receives for it all that a query is about, on its first days at least."""
    given: dict[int, Delegated] = {}
    for office, agenda in agendas.items():
        for one in agenda.situation.delegated:
            on_its_days = one.first <= query.to_date and (one.last is None or one.last >= query.from_date)
            if on_its_days and one.whole and one.concerns(int(query.reason), query.channel):
                given.setdefault(office, one)
    if not given:
        return {}
    wanted = {one.to_office for one in given.values()}
    found = await services.agendas.current(sorted(wanted), query.from_date, query.to_date, now)
    return {office: (one, found[one.to_office]) for office, one in given.items() if one.to_office in found}


def within(query: Query, one: Delegated) -> Query:
    """Return a query for the days of a delegation only."""
    last = query.to_date if one.last is None else min(query.to_date, one.last)
    return replace(query, from_date=max(query.from_date, one.first), to_date=last)


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


def earliest_of(agenda: Agenda, query: Query, near: tuple[float, float] | None, now: datetime) -> EarliestFound | None:
    """Return an office's earliest start, as it rations them; it takes a while."""
    office = agenda.situation.office
    node = agenda.situation.reasons[int(query.reason)]
    if query.to_date < query.from_date or not (office.open_to_booking and node.bookable and node.served):
        return None
    if query.modality not in node.modalities:
        return None
    with agenda.asking:
        if agenda.rationing is None:
            first = agenda.engine.first(query, now=now)
        else:
            first = first_with_room(agenda.rationing, agenda.engine, query, now)
    if first is None:
        return None
    return EarliestFound(
        agenda=agenda,
        reason=node,
        modality=query.modality,
        start=first[0],
        remaining=first[1],
        distance_km=distance_km(near, (office.latitude, office.longitude)),
    )


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
