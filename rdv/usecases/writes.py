"""What writers of appointments share: one transaction, tried again where two writers waited for each other."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rdv.errors import Busy, HoldExpired, IdempotencyConflict, NotAllowed, NotFound, TooLate
from rdv.integrations.viewer import Viewer
from rdv.models import appointment_reads, idempotency
from rdv.models.appointment_reads import AppointmentRecord
from rdv.models.bookings import Collided, Times, writing
from rdv.models.database import Connection
from rdv.models.office_reads import OfficeRecord, load_offices
from rdv.usecases.services import Services

TRIES = 3


async def once(
    services: Services,
    key: idempotency.Key | None,
    now: datetime,
    write: Callable[[Connection], Awaitable[int]],
) -> AppointmentRecord:
    """Write in one transaction, or find what the same request wrote before."""
    async with writing(services.database) as connection:
        used = await idempotency.claim(connection, key, now) if key else None
        if used is None:
            appointment = await write(connection)
            if key:
                await idempotency.remember(connection, key, appointment)
        else:
            if key and used.digest != key.digest:
                raise IdempotencyConflict("This idempotency key was used for another request.")
            appointment = used.made_id
        return await by_id(connection, appointment)


async def again(write: Callable[[], Awaitable[AppointmentRecord]]) -> AppointmentRecord:
    """Write, again if two writers waited for each other: the other is through then. Raises Busy after some tries."""
    for _ in range(TRIES):
        try:
            return await write()
        except Collided:
            continue
    raise Busy("Others are booking here at this moment: try again.")


def change_deadline(record: AppointmentRecord, office: OfficeRecord) -> datetime:
    """Return until when a usager may change an appointment, in the office's time."""
    deadline = record.starts_at - timedelta(minutes=office.change_deadline_minutes)
    return deadline.astimezone(ZoneInfo(office.time_zone))


def check_changeable(record: AppointmentRecord, office: OfficeRecord, now: datetime, *, manages: bool) -> None:
    """Refuse to change what is cancelled, over or, unless the viewer manages it, too near."""
    if record.status == "CANCELLED":
        raise NotAllowed("This appointment is cancelled: make a new one.")
    starts = record.starts_at.astimezone(ZoneInfo(office.time_zone))
    # Whoever lost their place through us may still choose another time.
    deadline = starts if manages or record.stranded_since else change_deadline(record, office)
    if record.status != "BOOKED" or now >= deadline:
        raise TooLate("It is too late to change this appointment.", deadline=deadline)


async def by_id(connection: Connection, appointment: int) -> AppointmentRecord:
    record = await appointment_reads.find(connection, appointment_reads.BY_ID, appointment)
    if record is None:
        raise NotFound("There is no such appointment.")
    return record


async def office_of(connection: Connection, record: AppointmentRecord) -> OfficeRecord:
    return (await load_offices(connection, [record.office_id]))[record.office_id]


async def held_with(services: Services, connection: Connection, viewer: Viewer, token: str) -> AppointmentRecord:
    sealed = services.secrets.sealed(token)
    record = await appointment_reads.find(connection, appointment_reads.BY_TOKEN, sealed)
    if record is None or record.status != "HELD":
        raise HoldExpired("This hold is over: choose a slot again.")
    if record.held_by is not None and record.held_by != viewer.subject:
        raise NotAllowed("Somebody else holds this slot.")
    return record


def times_of(record: AppointmentRecord) -> Times:
    return Times(day=record.day, start=record.starts_at, end=record.ends_at, until=record.occupied_until)
