"""The same changes in a whole set of offices, and public holidays: all of them or none, nobody stranded silently."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from rdv.errors import Busy, InvalidInput, NotAllowed, NotFound, WouldStrand
from rdv.integrations.viewer import Viewer
from rdv.models import planning_reads, rows
from rdv.models.database import Connection
from rdv.models.holidays import NATIONAL
from rdv.models.nation import NationCache
from rdv.models.planning import Holiday
from rdv.usecases.access import Module, modules_of
from rdv.usecases.call_backs import AT_ONCE, help_stranded
from rdv.usecases.changing import Change, Changed, ChangeRequest, judge, keep, prepared, publishing
from rdv.usecases.offices import id_from
from rdv.usecases.services import Services

MOST_OFFICES = 500
FIRST_YEAR, LAST_YEAR = 1971, 2199
_DEPARTEMENT = re.compile(r"[0-9][0-9AB][0-9]?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManyRequest:
    """Changes for offices: those named, or those of a département."""

    office_ids: Sequence[str] | None = None
    departement: str | None = None
    changes: Sequence[Change]
    accept_stranded: bool = False
    cause: dict[str, Any] | None = None


async def change_offices(services: Services, viewer: Viewer, request: ManyRequest) -> list[Changed]:
    """Make the same changes in every office of a set, in one transaction; raises a Refusal and changes none."""
    offices = await _offices(services, request)
    async with publishing(services) as connection:
        done = await _everywhere(services, connection, viewer, offices, request)
    return await _with_proposals(services, done)


async def set_holiday(
    services: Services, viewer: Viewer, territory: str, day: date, *, closed: bool | None, accept_stranded: bool
) -> list[Changed]:
    """Say that a day is a public holiday in a territory, or is none; None = as the calendar says.

    Returns the offices that expect somebody that day. Offices with an exception of their own keep it.
    """
    _check_holiday(viewer, territory, day)

    async def write(connection: Connection) -> None:
        await rows.remove(connection, Holiday, territory=territory, on_date=day)
        if closed is not None:
            await rows.add(connection, Holiday(territory=territory, on_date=day, closed=closed))

    departement = None if territory == NATIONAL else territory
    cause = {"code": "SET_HOLIDAY", "territory": territory, "date": day.isoformat(), "closed": closed}
    done: list[Changed] = []
    written = waited = False
    while True:
        try:
            if written and not waited:
                async with publishing(services) as connection:
                    await planning_reads.await_bookings(connection, departement)
                waited = True
            async with services.database.reading() as connection:
                expecting = await planning_reads.offices_expecting(connection, departement, day)
            # Whoever was booked before the holiday could be seen is looked at in another round.
            offices = sorted(set(expecting) - {one.office.id for one in done})
            if waited and not offices:
                return await _with_proposals(services, done)
            request = ManyRequest(changes=(), accept_stranded=accept_stranded or written, cause=cause)
            async with publishing(services) as connection:
                done += await _everywhere(
                    services, connection, viewer, offices, request, first=None if written else write
                )
            written = True
        except Busy:
            if not written:  # else what is written needs its other rounds
                raise


def _check_holiday(viewer: Viewer, territory: str, day: date) -> None:
    if Module.NATIONAL_PARAMETERS not in modules_of(viewer):
        raise NotAllowed("You may not do this for this office.")
    if territory != NATIONAL and not _DEPARTEMENT.fullmatch(territory):
        raise InvalidInput("territory", "A territory is FR or the code of a département.")
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise InvalidInput("date", "This date is out of range.")


async def _everywhere(
    services: Services,
    connection: Connection,
    viewer: Viewer,
    offices: Sequence[int],
    request: ManyRequest,
    *,
    first: Callable[[Connection], Awaitable[None]] | None = None,
) -> list[Changed]:
    """Make changes in offices, locked in their order; `first` writes what is not of one office."""
    now = services.clock()
    nations = NationCache() if first else None
    if first:
        await first(connection)
    judged = []
    for office in sorted(offices):
        one = ChangeRequest(office_id=str(office), changes=request.changes, listed=True, cause=request.cause)
        ground = await prepared(services, connection, viewer, one, now, nations=nations)
        judged.append((ground, await judge(services, ground, one), one))
    stranded = [appointment for _, effect, _ in judged for appointment in effect.stranded]
    if stranded and not request.accept_stranded:
        raise WouldStrand("Appointments that would lose their place: {count}.", appointments=stranded)
    return [await keep(ground, effect, one) for ground, effect, one in judged]


async def _offices(services: Services, request: ManyRequest) -> list[int]:
    if (request.office_ids is None) == (request.departement is None):
        raise InvalidInput("officeIds", "Say which offices: officeIds or departement.")
    if request.departement is not None:
        if not _DEPARTEMENT.fullmatch(request.departement):
            raise InvalidInput("departement", "This is not the code of a département.")
        async with services.database.reading() as connection:
            found = await planning_reads.offices_of(connection, request.departement)
    else:
        found = sorted({id_from(one, field="officeIds") for one in request.office_ids or ()})
    if not found:
        raise NotFound("There is no such office.")
    if len(found) > MOST_OFFICES:
        raise InvalidInput("officeIds", "Name at most {most} offices.", most=MOST_OFFICES)
    return found


async def _with_proposals(services: Services, done: list[Changed]) -> list[Changed]:
    left = AT_ONCE
    for one in done:
        if one.stranded and left > 0:
            await help_stranded(services, one.office, at_most=left)
            left -= len(one.stranded)
    return done
