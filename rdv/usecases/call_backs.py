"""Those who lost their place: whom to call, and another time that is held for each of them meanwhile.

A proposal is a hold for a stranded appointment, much longer than a usager's. Moving or cancelling the appointment ends
it; moving it to the proposed start takes its place. Each proposal is a transaction of its own, as a booking is: what
cannot be proposed now can be later. Of a change that strands many the first get theirs at once, and a worker goes on.
"""

import logging
from datetime import datetime, timedelta

from rdv.engine.values import Channel, Modality, Query
from rdv.errors import InvalidInput, NotFound, SlotTaken
from rdv.integrations.viewer import Viewer
from rdv.models import appointment_reads, bookings
from rdv.models.appointment_reads import AppointmentRecord
from rdv.models.bookings import Collided, Overlap, writing
from rdv.models.office_reads import OfficeRecord, load_offices
from rdv.usecases import access
from rdv.usecases.booking import Wanted, decide
from rdv.usecases.delegated import to_be_moved
from rdv.usecases.offices import id_from
from rdv.usecases.secrets import new_reference
from rdv.usecases.services import Services
from rdv.usecases.slots import SlotsFound, ask, nearest

log = logging.getLogger("rdv.callbacks")

TASK = "help_stranded"
AT_ONCE = 40  # proposals made before a change is answered: one takes some 30 ms
MOST = 200
MOST_OF_A_JOB = 10_000
DAYS = 31  # around the time that was lost
TRIES = 3  # somebody else may be quicker


class SomeLeft(Exception):
    """For some no other time could be looked for: the job fails, so that somebody looks."""


async def propose(services: Services, viewer: Viewer, office_id: str) -> list[AppointmentRecord]:
    """Hold another time for everybody an office has to call and who has none yet; return whom to call."""
    identity = id_from(office_id, field="officeId")
    async with services.database.reading() as connection:
        office = (await load_offices(connection, [identity])).get(identity)
    if office is None:
        raise NotFound("There is no such office.")
    access.require(viewer, access.Module.APPOINTMENTS, office)
    found, _ = await hold_other_times(services, office)
    return found


async def help_stranded(services: Services, office: OfficeRecord, *, at_most: int = AT_ONCE) -> None:
    """Hold other times after a change that stands: what goes wrong is logged, and a worker makes up for it."""
    try:
        await hold_other_times(services, office, at_most=at_most)
    except Exception:
        log.exception("no other times are held for who lost theirs at office %s", office.id)


async def help_all_stranded(services: Services, office_id: int) -> None:
    """Hold another time for everybody an office has to call: a worker's job; raises SomeLeft."""
    async with services.database.reading() as connection:
        office = (await load_offices(connection, [office_id]))[office_id]
    _, left = await hold_other_times(services, office, waiting=MOST_OF_A_JOB)
    if left:
        raise SomeLeft(f"no other times are held at office {office_id} for appointments {left}")


async def hold_other_times(
    services: Services, office: OfficeRecord, *, waiting: int = MOST, at_most: int = MOST_OF_A_JOB
) -> tuple[list[AppointmentRecord], list[int]]:
    """Hold another time for those an office has to call who have none yet.

    Return whom to call, and for which appointments this failed, which keeps no other from being helped.
    `waiting`: of how many who are to be called; `at_most`: how many times to hold.
    """
    now = services.clock()
    async with services.database.reading() as connection:
        found = await appointment_reads.to_call_back(connection, office.id, now, at_most=waiting)
        held = await appointment_reads.proposals(connection, [one.id for one in found], now)
    without = [record for record in found if record.id not in held]
    left = [record.id for record in without[:at_most] if not await _tried(services, office, record, now)]
    return found, left


async def _tried(services: Services, office: OfficeRecord, record: AppointmentRecord, now: datetime) -> bool:
    """Look for another time and hold it, if there is one; False when that failed."""
    try:
        await _propose(services, office, record, now)
    except Exception:
        log.exception("no other time is held for appointment %s at office %s", record.id, office.id)
        await services.database.check(running=True)  # without it all others would fail, too
        return False
    return True


async def _propose(services: Services, office: OfficeRecord, record: AppointmentRecord, now: datetime) -> None:
    for _ in range(TRIES):
        start = await _nearest(services, record, now)
        if start is None:
            return
        wanted = Wanted(
            office_id=office.id,
            reason_id=record.reason_id,
            start=start,
            modality=Modality(record.modality),
            channel=Channel(record.channel),
            for_office=record.delegated_by,
        )
        try:
            await _hold(services, office, record, wanted, now)
        except (InvalidInput, SlotTaken, Overlap, Collided):
            continue
        return


async def _nearest(services: Services, record: AppointmentRecord, now: datetime) -> datetime | None:
    """Return the offered start nearest to the one that was lost, among those to which it may be moved."""
    day = record.starts_at.date()
    first, last = max(day - timedelta(days=DAYS), now.date()), day + timedelta(days=DAYS)
    agenda = (await services.agendas.current([record.office_id], first, last, now))[record.office_id]
    node = agenda.situation.reasons.get(record.reason_id)
    if node is None or not node.served:
        return None
    query = Query(
        reason=str(record.reason_id),
        from_date=first,
        to_date=last,
        channel=record.channel,
        modality=Modality(record.modality),
    )
    answer = await ask(services, agenda, query, now)
    found = SlotsFound(agenda=agenda, reason=node, query=query, answer=answer, moving=record)
    return next(iter(nearest((await to_be_moved(services, found)).answer.starts, record.starts_at, 1)), None)


async def _hold(
    services: Services, office: OfficeRecord, record: AppointmentRecord, wanted: Wanted, now: datetime
) -> None:
    reference = new_reference()
    async with writing(services.database) as connection:
        decided = await decide(services, connection, office, wanted, now=now)
        # Once more, now that nobody else can change it: it may have a place again, or somebody was quicker to help.
        waits = await bookings.still_waits(connection, record.id, record.starts_at)
        if not waits or await appointment_reads.proposals(connection, [record.id], now):
            return
        await bookings.move(connection, office.id, decided.moves)
        await bookings.insert_hold(
            connection,
            office.id,
            decided.times,
            decided.seat,
            reference=reference,
            reason=record.reason_id,
            channel=record.channel,
            modality=record.modality,
            token_hash=services.secrets.sealed(services.secrets.hold_token(reference)),
            held_by=None,
            expires_at=min(now + timedelta(hours=office.proposal_hold_hours), decided.times.start),
            proposal_for=record.id,
            now=now,
        )
