"""From an address to the competent office: by commune, by postcode with the choice when it is ambiguous, by free text.

A free address is read from its end: a postcode in it narrows the communes down, the words after it (or all of them)
name one. Names are compared folded; a small slip of the pen is forgiven where only one commune comes near.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from rapidfuzz import fuzz, process

from rdv.engine.values import Modality, Query
from rdv.errors import InvalidInput, NotFound
from rdv.integrations.directories.folding import folded
from rdv.integrations.viewer import Viewer
from rdv.models.database import Connection
from rdv.models.national_reads import (
    CommuneRecord,
    CompetentOffice,
    communes_by_code,
    communes_by_name,
    communes_by_postcode,
    competent_offices,
)
from rdv.models.office_reads import OfficeRecord, load_bookable_offices, load_offices
from rdv.models.reason_tree import ReasonNode
from rdv.usecases import access
from rdv.usecases.earliest import EARLIEST_DAYS, EarliestFound, distance_km, earliest_of, receiving, within
from rdv.usecases.offices import id_from
from rdv.usecases.services import Services

MAX_ADDRESS = 300
MAX_CHOICES = 20
NEARBY = 3  # offices at most, besides the competent one
NEARBY_KM = 50
SURE = 90.0  # how alike (of 100) a commune's name and the words of an address must be
_POSTCODE = re.compile(r"(?<![0-9])[0-9]{5}(?![0-9])")
_COMMUNE_CODE = re.compile(r"[0-9][0-9AB][0-9]{3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrientationRequest:
    """Where a usager lives, in one of three ways."""

    reason_id: str
    commune_code: str | None = None
    postcode: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Oriented:
    """An office that may be visited; `first` is its earliest free start, or that of who receives for it."""

    office: OfficeRecord
    reason: ReasonNode
    competent: bool
    distance_km: float | None
    first: EarliestFound | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Orientation:
    """The offices, the competent ones first; or the communes to choose from."""

    offices: Sequence[Oriented]
    communes: Sequence[CommuneRecord]


async def orientate(
    services: Services, viewer: Viewer, request: OrientationRequest, *, first_slots: bool = True
) -> Orientation:
    """Return the competent offices for a commune and reason and, around them, others of the same kind."""
    reason_id = id_from(request.reason_id, field="reasonId")
    async with services.database.reading() as connection:
        reason = (await services.agendas.nations.current(connection)).tree.nodes.get(reason_id)
        if reason is None:
            raise NotFound("There is no such reason.")
        communes = await _communes(connection, request)
        if len(communes) != 1:
            return Orientation(offices=(), communes=communes[:MAX_CHOICES])
        competent = await competent_offices(connection, communes[0].code, sorted(reason.office_kinds))
        nearby = await _nearby(connection, communes[0], reason, competent)
        offices = await load_offices(connection, [*(c.office_id for c in competent), *nearby])
    known = {c.office_id: c for c in competent}
    firsts = await _first_slots(services, viewer, list(offices), reason_id) if first_slots else {}
    oriented = [_oriented(offices[one], reason, communes[0], known.get(one), firsts) for one in [*known, *nearby]]
    return Orientation(
        offices=[one for one in oriented if one.competent or (one.distance_km or 0) <= NEARBY_KM], communes=communes
    )


async def _communes(connection: Connection, request: OrientationRequest) -> list[CommuneRecord]:
    ways = [request.commune_code, request.postcode, request.address]
    if sum(way is not None for way in ways) != 1:
        raise InvalidInput("communeCode", "Say where in one way: communeCode, postcode or address.")
    if request.commune_code is not None:
        if not _COMMUNE_CODE.fullmatch(request.commune_code):
            raise InvalidInput("communeCode", "This is not the code of a commune.")
        found = await communes_by_code(connection, [request.commune_code])
    elif request.postcode is not None:
        if not _POSTCODE.fullmatch(request.postcode.strip()):
            raise InvalidInput("postcode", "A postcode has five digits.")
        found = await communes_by_postcode(connection, request.postcode.strip())
    else:
        found = await _of_address(connection, request.address or "")
    if not found:
        raise NotFound("There is no commune at this place.")
    return found


async def _of_address(connection: Connection, address: str) -> list[CommuneRecord]:
    if not address.strip() or len(address) > MAX_ADDRESS:
        raise InvalidInput("address", "An address has 1 to {most} characters.", most=MAX_ADDRESS)
    postcodes = _POSTCODE.findall(address)
    if postcodes:
        found = await communes_by_postcode(connection, postcodes[-1])
        return _named(found, folded(address[address.rindex(postcodes[-1]) + 5 :]))
    words = folded(address).split()
    for at in range(max(0, len(words) - 6), len(words)):  # the longest ending of the address that names a commune
        name = " ".join(words[at:])
        found = [c for c in await communes_by_name(connection, name, MAX_CHOICES) if folded(c.name) == name]
        if found:
            return found
    return await communes_by_name(connection, " ".join(words), MAX_CHOICES) if words else []


def _named(communes: list[CommuneRecord], words: str) -> list[CommuneRecord]:
    """Return the communes of a postcode that the words name; all of them when they name none."""
    if not words or len(communes) < 2:
        return communes
    names = [folded(commune.name) for commune in communes]
    exact = [commune for commune, name in zip(communes, names, strict=True) if name == words]
    if exact:
        return exact
    close = process.extract(words, names, scorer=fuzz.WRatio, score_cutoff=SURE, limit=2)
    return [communes[close[0][2]]] if len(close) == 1 else communes


async def _nearby(
    connection: Connection, commune: CommuneRecord, reason: ReasonNode, competent: Sequence[CompetentOffice]
) -> list[int]:
    """Return the nearest offices that take bookings for the reason and are not the competent ones."""
    if commune.latitude is None or commune.longitude is None:
        return []
    at = (commune.latitude, commune.longitude)
    known = {c.office_id for c in competent}
    kinds = sorted(reason.office_kinds)
    found = await load_bookable_offices(connection, kinds, near=at, at_most=NEARBY + len(known))
    return [office for office in found if office not in known][:NEARBY]


async def _first_slots(
    services: Services, viewer: Viewer, offices: Sequence[int], reason_id: int
) -> dict[int, EarliestFound]:
    """Return the earliest slots by office; of one that has delegated the reason, those of who receives for it."""
    now = services.clock()
    first, last = now.date() - timedelta(days=1), now.date() + timedelta(days=EARLIEST_DAYS)
    query = Query(
        reason=str(reason_id),
        from_date=first,
        to_date=last,
        channel=access.channel_of(viewer),
        modality=Modality.IN_PERSON,
    )
    agendas = await services.agendas.current(offices, first, last, now)
    others = await receiving(services, agendas, query, now)

    def answers() -> dict[int, EarliestFound]:
        found = {office: earliest_of(agenda, query, None, now) for office, agenda in agendas.items()}
        for giver, (one, agenda) in others.items():
            theirs = earliest_of(agenda, within(query, one), None, now)
            mine = found[giver]
            if theirs is not None and (mine is None or theirs.start < mine.start):
                found[giver] = replace(theirs, on_behalf_of=agendas[giver].situation.office)
        return {office: one for office, one in found.items() if one is not None}

    return await services.agendas.asked([*agendas.values(), *(one for _, one in others.values())], answers)


def _oriented(
    office: OfficeRecord,
    reason: ReasonNode,
    commune: CommuneRecord,
    competent: CompetentOffice | None,
    firsts: dict[int, EarliestFound],
) -> Oriented:
    measured = distance_km((commune.latitude, commune.longitude), (office.latitude, office.longitude))
    first = firsts.get(office.id)
    return Oriented(
        office=office,
        reason=reason if first is None else first.reason,
        competent=competent is not None,
        distance_km=measured if competent is None or competent.distance_km is None else competent.distance_km,
        first=first,
    )
