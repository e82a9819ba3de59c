"""Give up an appointment, or a hold."""

from datetime import datetime, timedelta

from rdv.integrations.viewer import Viewer
from rdv.models import bookings
from rdv.models.appointment_reads import AppointmentRecord
from rdv.models.bookings import Seat
from rdv.models.database import Connection
from rdv.models.office_reads import OfficeRecord
from rdv.usecases.appointment_access import concerned, may_manage
from rdv.usecases.appointments import find
from rdv.usecases.secrets import new_reference
from rdv.usecases.services import Services
from rdv.usecases.usager_input import MAX_COMMENT, checked_text
from rdv.usecases.writes import again, by_id, check_changeable, held_with, office_of, once, times_of


async def release(services: Services, viewer: Viewer, hold_token: str) -> AppointmentRecord:
    """Give a hold back before it is over; its slot is free at once. Raises HoldExpired or NotAllowed."""
    now = services.clock()

    async def write(connection: Connection) -> int:
        found = await held_with(services, connection, viewer, hold_token)
        office = await office_of(connection, found)
        await bookings.lock(connection, office.id, office.time_zone, [times_of(found)], now)
        record = await held_with(services, connection, viewer, hold_token)  # once more: perhaps confirmed meanwhile
        await bookings.cancel_all(connection, [record.id])
        return record.id

    return await again(lambda: once(services, None, now, write))


async def cancel(
    services: Services, viewer: Viewer, reference: str, access_code: str | None, why: str | None
) -> AppointmentRecord:
    """Cancel an appointment; its time is free at once. One that is cancelled stays so."""
    now = services.clock()
    text = checked_text("why", why, MAX_COMMENT)
    found = await find(services, viewer, reference, access_code)

    async def write(connection: Connection) -> int:
        office = await office_of(connection, found)
        proposals = await bookings.proposals(connection, found.id)
        times = [times_of(found), *proposals.values()]
        await bookings.lock(connection, office.id, office.time_zone, times, now)
        await bookings.cancel_all(connection, list(proposals))
        record = await by_id(connection, found.id)
        if record.status != "CANCELLED":
            check_changeable(record, office, now, manages=may_manage(viewer, await concerned(connection, record)))
            await bookings.cancel(connection, record.id, text)
            await _keep_for_a_while(services, connection, office, record, now)
        return record.id

    return await again(lambda: once(services, None, now, write))


async def _keep_for_a_while(
    services: Services, connection: Connection, office: OfficeRecord, record: AppointmentRecord, now: datetime
) -> None:
    """Hold the time of a cancelled appointment for nobody, so that it cannot be passed on."""
    until = min(now + timedelta(minutes=office.resale_delay_minutes), record.starts_at)
    if until <= now or record.stranded_since is not None:
        return
    reference = new_reference()
    await bookings.insert_hold(
        connection,
        office.id,
        times_of(record),
        Seat(counter_id=record.counter_id, agent_ids=tuple(agent.id for agent in record.agents)),
        reference=reference,
        reason=record.reason_id,
        channel=record.channel,
        modality=record.modality,
        token_hash=services.secrets.sealed(services.secrets.hold_token(reference)),
        held_by=None,
        expires_at=until,
        proposal_for=None,
        now=now,
    )
