"""What a worker does for a holiday that concerns many offices: judges each of them, in a transaction of its own.

It judges by what holds when it comes to an office, not by what was asked: whatever is said of a day, whoever says it
judges every office of the territory after it stands, so the last look at an office is always at what holds in the end.
A change that holds no longer is not gone on with (`holiday_changes.CLAIM`), lest histories tell of it. A worker that
dies leaves the rest to another: what is done is noted with what was done.
"""

import logging

from rdv.errors import Busy
from rdv.integrations.viewer import Profile, Scope, Viewer, ViewerKind
from rdv.models import holiday_changes, planning_reads
from rdv.models.holiday_changes import HolidayChange
from rdv.usecases.changing import publishing
from rdv.usecases.many_offices import everywhere
from rdv.usecases.public_holidays import HolidayRequest
from rdv.usecases.services import Services

log = logging.getLogger("rdv.holidays")

ROUNDS = 3  # an office that collides with its bookings, or fails, is tried again after all others
MOST_ATTEMPTS = 10  # an upgrade interrupts it as well, but a job that takes its worker down is not taken up for ever


class OfficesLeft(Exception):
    """Some offices could not be judged: the job fails, so that somebody looks."""


async def judge_holiday(services: Services, holiday_change_id: int) -> None:
    """Judge the offices that expect somebody on a day of which something was said; raises OfficesLeft."""
    async with services.database.reading() as connection:
        change = await holiday_changes.begin(connection, holiday_change_id)
    if change is None:
        return
    if change.attempts > MOST_ATTEMPTS:
        raise OfficesLeft(f"holiday change {holiday_change_id} is given up after {MOST_ATTEMPTS} attempts")
    left = await _offices(services, change)
    for _ in range(ROUNDS):
        left = [office for office in left if not await _judged(services, change, holiday_change_id, office)]
    if left:
        raise OfficesLeft(f"holiday change {holiday_change_id} is not judged at offices {left}")
    async with services.database.reading() as connection:
        await holiday_changes.finish(connection, holiday_change_id, services.clock())


async def _offices(services: Services, change: HolidayChange) -> list[int]:
    """Return the offices that expect somebody, once bookings that may not have seen the change are written."""
    departement = _request(change).departement
    for tried in range(1, ROUNDS + 1):
        try:
            async with publishing(services) as connection:
                await planning_reads.await_bookings(connection, departement)
            break
        except Exception:  # it collides with bookings, or waits for longer than a statement may
            if tried == ROUNDS:
                raise
    async with services.database.reading() as connection:
        return sorted(await planning_reads.offices_expecting(connection, departement, change.on_date))


async def _judged(services: Services, change: HolidayChange, identity: int, office: int) -> bool:
    """Judge an office, if that is not done; False when it could not be, which holds no other office up."""
    asked = _request(change).in_offices(accept_stranded=True)
    try:
        async with publishing(services) as connection:
            await planning_reads.lock_office(connection, office)
            if await holiday_changes.claim(connection, identity, office):
                await everywhere(services, connection, _author(change), [office], asked)
    except Busy:
        return False
    except Exception:
        log.exception("holiday change %s is not judged at office %s", identity, office)
        await services.database.check(running=True)  # without it every other office would fail, too
        return False
    return True


def _request(change: HolidayChange) -> HolidayRequest:
    return HolidayRequest(territory=change.territory, day=change.on_date, closed=change.closed)


def _author(change: HolidayChange) -> Viewer:
    """Return who asked, as far as the history tells; whether they might was seen to when they did."""
    return Viewer(
        kind=ViewerKind(change.made_by_kind),
        subject=change.made_by,
        profile=Profile.NATIONAL,
        scope=Scope.NATIONAL,
    )
