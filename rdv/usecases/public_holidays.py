"""Saying whether a day is a public holiday in a territory: what is said holds at once, whoever it concerns.

Nobody loses their place unless whoever says so accepts it. Few offices are judged in the transaction that writes the
day; many would take longer than a request may (each some 15 to 100 ms), so a worker goes on with them, one by one
(`judging_holidays.py`). Its job is enqueued by the transaction that writes the day: both stand, or none.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from rdv.errors import Busy, InvalidInput, NotAllowed, Refusal, WouldStrand
from rdv.integrations.viewer import Viewer
from rdv.models import jobs, planning_reads, rows
from rdv.models.database import Connection
from rdv.models.holiday_changes import HolidayChange
from rdv.models.holidays import NATIONAL
from rdv.models.office_reads import load_offices
from rdv.models.planning import Holiday
from rdv.usecases.access import Module, modules_of, require
from rdv.usecases.changing import Changed, publishing
from rdv.usecases.many_offices import ManyRequest, everywhere, judge_everywhere, stranded_by, with_proposals
from rdv.usecases.services import Services

TASK = "judge_holiday"
JUDGED_AT_ONCE = 50  # offices: 5 s at most, of the ten an operation has
FIRST_YEAR, LAST_YEAR = 1971, 2199
_DEPARTEMENT = re.compile(r"[0-9][0-9AB][0-9]?")


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidayRequest:
    """What is said of a day. `closed`: None = as the calendar of public holidays says."""

    territory: str
    day: date
    closed: bool | None
    accept_stranded: bool = False

    @property
    def departement(self) -> str | None:
        """None = everywhere."""
        return None if self.territory == NATIONAL else self.territory

    def in_offices(self, *, accept_stranded: bool) -> ManyRequest:
        """Return what is asked of the offices: nothing but to live with it."""
        cause: dict[str, Any] = {
            "code": "SET_HOLIDAY",
            "territory": self.territory,
            "date": self.day.isoformat(),
            "closed": self.closed,
        }
        return ManyRequest(changes=(), accept_stranded=accept_stranded, cause=cause)

    async def write(self, connection: Connection) -> None:
        """Write what is said of the day."""
        await rows.remove(connection, Holiday, territory=self.territory, on_date=self.day)
        if self.closed is not None:
            await rows.add(connection, Holiday(territory=self.territory, on_date=self.day, closed=self.closed))


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidaySet:
    """The offices that expected somebody that day with what came of it, or how many a worker goes on with."""

    changed: list[Changed]
    later: int = 0


async def set_holiday(services: Services, viewer: Viewer, request: HolidayRequest) -> HolidaySet:
    """Say that a day is a public holiday in a territory, or is none; raises a Refusal and nothing is said.

    Offices with an exception of their own keep it.
    """
    _check(viewer, request)
    async with services.database.reading() as connection:
        expecting = await planning_reads.offices_expecting(connection, request.departement, request.day)
    if len(expecting) <= JUDGED_AT_ONCE:
        return HolidaySet(changed=await _at_once(services, viewer, request))
    if not request.accept_stranded:
        raise await _refusal(services, viewer, request, sorted(expecting))
    await _later(services, viewer, request, expecting)
    return HolidaySet(changed=[], later=len(expecting))


def _check(viewer: Viewer, request: HolidayRequest) -> None:
    if Module.NATIONAL_PARAMETERS not in modules_of(viewer):
        raise NotAllowed("You may not do this for this office.")
    if request.territory != NATIONAL and not _DEPARTEMENT.fullmatch(request.territory):
        raise InvalidInput("territory", "A territory is FR or the code of a département.")
    if not FIRST_YEAR <= request.day.year <= LAST_YEAR:
        raise InvalidInput("date", "This date is out of range.")


async def _at_once(services: Services, viewer: Viewer, request: HolidayRequest) -> list[Changed]:
    """Write the day, and judge every office that expects somebody."""
    departement = request.departement
    done: list[Changed] = []
    written = waited = False
    while True:
        try:
            if written and not waited:
                async with publishing(services) as connection:
                    await planning_reads.await_bookings(connection, departement)
                waited = True
            async with services.database.reading() as connection:
                expecting = await planning_reads.offices_expecting(connection, departement, request.day)
            # Whoever was booked before the holiday could be seen is looked at in another round.
            offices = sorted(set(expecting) - {one.office.id for one in done})
            if waited and not offices:
                return await with_proposals(services, done)
            asked = request.in_offices(accept_stranded=request.accept_stranded or written)
            first = None if written else request.write
            async with publishing(services) as connection:
                done += await everywhere(services, connection, viewer, offices, asked, first=first)
            written = True
        except Busy:
            if not written:  # else what is written needs its other rounds
                raise


async def _refusal(services: Services, viewer: Viewer, request: HolidayRequest, expecting: list[int]) -> Refusal:
    """Return why many offices are not gone on with: who would lose their place, as far as there is time to look."""
    looked_at = expecting[:JUDGED_AT_ONCE]
    asked = request.in_offices(accept_stranded=False)
    async with publishing(services) as connection:
        judged = await judge_everywhere(services, connection, viewer, looked_at, asked, first=request.write)
        await connection.rollback()
    if stranded := stranded_by(judged):
        return WouldStrand(
            "Appointments that would lose their place, in the first {offices} of {all} offices alone: {count}.",
            appointments=stranded,
            offices=len(looked_at),
            all=len(expecting),
        )
    return InvalidInput(
        "acceptStranded",
        "{count} offices expect somebody that day, too many to look at each first: say acceptStranded.",
        count=len(expecting),
    )


async def _later(services: Services, viewer: Viewer, request: HolidayRequest, expecting: list[int]) -> None:
    """Write the day, and have a worker judge the offices that expect somebody."""
    async with publishing(services) as connection:
        # As at once: who may not change one of these offices says nothing of the day.
        for office in (await load_offices(connection, expecting)).values():
            require(viewer, Module.PLANNING, office)
        await request.write(connection)
        change = HolidayChange(
            territory=request.territory,
            on_date=request.day,
            closed=request.closed,
            made_at=services.clock(),
            made_by=viewer.subject,
            made_by_kind=viewer.kind.value,
        )
        await jobs.enqueue(connection, TASK, holiday_change_id=await rows.add(connection, change))
