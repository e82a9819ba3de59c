"""Hold a slot, confirm it, move it: read -> decide -> write -> tell.

Each of these is one transaction under the locks of the office-days concerned (`booking.py`). A refusal is raised
inside it, so nothing of it remains; what collides at the very end is a slot taken, with alternatives.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import sha256

import orjson

from rdv.engine.values import Modality
from rdv.errors import HoldExpired, InvalidInput, NotAllowed, SlotTaken
from rdv.integrations.viewer import Viewer, ViewerKind
from rdv.models import appointment_reads, bookings, idempotency
from rdv.models.appointment_reads import AppointmentRecord
from rdv.models.bookings import Overlap
from rdv.models.database import Connection
from rdv.models.situation import Situation
from rdv.models.usagers import lock_person, save_usager
from rdv.usecases import access
from rdv.usecases.appointment_access import concerned, may_manage, visible
from rdv.usecases.booking import Decided, Wanted, checked_start, decide, left_at, office_for_booking, taken
from rdv.usecases.delegated import check_delegated, still_given
from rdv.usecases.offices import id_from
from rdv.usecases.persons import check_limit, check_period, marks, whose
from rdv.usecases.secrets import new_reference, normalised
from rdv.usecases.services import Services
from rdv.usecases.usager_input import MAX_COMMENT, UsagerRequest, checked_text
from rdv.usecases.writes import again, check_changeable, held_with, office_of, once, times_of

MAX_KEY = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRequest:
    """A slot to be held while the form is filled."""

    office_id: str
    reason_id: str
    start: datetime
    modality: Modality = Modality.IN_PERSON
    delegated_by: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmRequest:
    """A hold that becomes an appointment; the usager may be left out by one who is signed in."""

    hold_token: str
    usager: UsagerRequest | None = None
    comment: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RescheduleRequest:
    """Another time for an appointment."""

    reference: str
    start: datetime
    access_code: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A hold as its holder gets it; the token is shown to nobody else.

    `situation` is its office's, and `left` how many more such could start when it does.
    """

    token: str
    record: AppointmentRecord
    situation: Situation
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """An appointment with its access code."""

    record: AppointmentRecord
    access_code: str


async def find(services: Services, viewer: Viewer, reference: str, access_code: str | None = None) -> AppointmentRecord:
    """Return an appointment the viewer may see; raises NotFound or NotAllowed."""
    async with services.database.reading() as connection:
        record = await appointment_reads.find(connection, appointment_reads.BY_REFERENCE, normalised(reference))
        return await visible(services, connection, viewer, record, access_code)


async def hold(services: Services, viewer: Viewer, request: HoldRequest) -> Held:
    """Reserve a slot for the office's hold time."""
    now = services.clock()
    request = replace(request, start=checked_start(request.start, now))
    giver = None if request.delegated_by is None else id_from(request.delegated_by, field="delegatedBy")
    wanted = Wanted(
        office_id=id_from(request.office_id, field="officeId"),
        reason_id=id_from(request.reason_id, field="reasonId"),
        start=request.start,
        modality=request.modality,
        channel=access.channel_of(viewer),
        for_office=giver,
    )
    key = _key("hold", viewer, request.idempotency_key, request)

    decided: Decided | None = None

    async def write(connection: Connection) -> int:
        nonlocal decided
        office = await office_for_booking(connection, viewer, wanted.office_id, on_behalf_of=giver)
        if viewer.kind is ViewerKind.USAGER and viewer.subject:
            await lock_person(connection, viewer.subject)
            await check_limit(connection, office, now, subject=viewer.subject)
        decided = await decide(services, connection, office, wanted, now=now)
        by = None
        if giver is not None:
            by = await check_delegated(services, connection, giver, wanted, day=decided.times.day, now=now)
        await bookings.move(connection, office.id, decided.moves)
        reference = new_reference()
        return await bookings.insert_hold(
            connection,
            office.id,
            decided.times,
            decided.seat,
            reference=reference,
            reason=decided.reason.id,
            channel=access.channel_of(viewer),
            modality=wanted.modality,
            token_hash=services.secrets.sealed(services.secrets.hold_token(reference)),
            held_by=viewer.subject,
            expires_at=now + timedelta(seconds=office.hold_seconds),
            proposal_for=None,
            delegated_by=giver,
            delegation_id=by,
            now=now,
        )

    record = await _written(services, wanted, lambda: once(services, key, now, write))
    situation, left = await left_at(services, viewer, record, decided)
    return Held(token=services.secrets.hold_token(record.reference), record=record, situation=situation, left=left)


async def confirm(services: Services, viewer: Viewer, request: ConfirmRequest) -> Confirmed:
    """Turn a hold into an appointment."""
    now = services.clock()
    comment = checked_text("comment", request.comment, MAX_COMMENT)
    key = _key("confirm", viewer, request.idempotency_key, request)

    async def write(connection: Connection) -> int:
        found = await held_with(services, connection, viewer, request.hold_token)
        office = await office_for_booking(connection, viewer, found.office_id, on_behalf_of=found.delegated_by)
        details, subject = await whose(connection, viewer, request.usager, phone_needed=found.modality == "PHONE")
        # The person first, then the days, as `hold` does: otherwise two requests could wait in a circle.
        for mark in marks(details, subject):
            await lock_person(connection, mark)
        await bookings.lock(connection, office.id, office.time_zone, [times_of(found)], now)
        record = await held_with(services, connection, viewer, request.hold_token)
        if record.expires_at is None or record.expires_at <= now:
            raise HoldExpired("This hold is over: choose a slot again.")
        await check_limit(connection, office, now, subject=subject, details=details, other_than=record.id)
        await check_period(connection, office, record, subject=subject, details=details)
        await bookings.confirm(
            connection,
            record.id,
            usager=await save_usager(connection, details, subject),
            comment=comment,
            code_hash=_code_hash(services, record.reference),
        )
        return record.id

    return _confirmed(services, await again(lambda: once(services, key, now, write)))


async def reschedule(services: Services, viewer: Viewer, request: RescheduleRequest) -> Confirmed:
    """Give an appointment another time; the old one is given back if and only if the new one is got."""
    now = services.clock()
    request = replace(request, start=checked_start(request.start, now))
    record = await find(services, viewer, request.reference, request.access_code)
    key = _key("reschedule", viewer, request.idempotency_key, request)
    wanted = Wanted(
        office_id=record.office_id,
        reason_id=record.reason_id,
        start=request.start,
        modality=Modality(record.modality),
        channel=access.channel_of(viewer),
        replacing=str(record.id),
        for_office=record.delegated_by,
    )

    async def write(connection: Connection) -> int:
        office = await office_of(connection, record)
        if not office.open_to_booking:
            raise NotAllowed("This office does not take appointments.")
        manages = may_manage(viewer, await concerned(connection, record))
        check_changeable(record, office, now, manages=manages)
        decided = await decide(
            services,
            connection,
            office,
            wanted,
            now=now,
            leaving=[times_of(record)],
            proposals=await bookings.proposals(connection, record.id),
        )
        if record.delegated_by is not None and decided.times.day != record.day:
            await _check_given(services, connection, record.delegated_by, wanted, day=decided.times.day, now=now)
        current = await appointment_reads.find(connection, appointment_reads.BY_ID, record.id)
        if current is None or current.starts_at != record.starts_at:
            raise SlotTaken("The appointment was changed by somebody else at this moment.")
        check_changeable(current, office, now, manages=manages)  # once more: it may have been cancelled before the lock
        await bookings.move(connection, office.id, decided.moves)
        await bookings.reschedule(
            connection,
            office.id,
            record.id,
            decided.times,
            decided.seat,
            channel=access.channel_of(viewer),
            code_hash=_code_hash(services, record.reference),
        )
        return record.id

    return _confirmed(services, await _written(services, wanted, lambda: once(services, key, now, write)))


async def _check_given(
    services: Services, connection: Connection, giver: int, wanted: Wanted, *, day: date, now: datetime
) -> None:
    """Refuse to move what an office has given away to a day for which it does not."""
    try:
        await check_delegated(services, connection, giver, wanted, day=day, now=now)
    except InvalidInput as refusal:
        raise InvalidInput("start", refusal.message, **refusal.values) from None


async def _written(
    services: Services, wanted: Wanted, write: Callable[[], Awaitable[AppointmentRecord]]
) -> AppointmentRecord:
    """Add alternatives to a refusal for want of room, after its transaction has ended."""
    try:
        return await again(write)
    except SlotTaken as refusal:
        raise await _taken(services, wanted, refusal.message) from None
    except Overlap:
        raise await _taken(services, wanted, "This slot is no longer free.") from None


async def _taken(services: Services, wanted: Wanted, message: str) -> SlotTaken:
    """Return the refusal with alternatives that may be booked, on behalf of another office too."""
    return await taken(services, wanted, message, lambda starts: still_given(services, starts, wanted))


def _confirmed(services: Services, record: AppointmentRecord) -> Confirmed:
    return Confirmed(record=record, access_code=services.secrets.access_code(record.reference))


def _code_hash(services: Services, reference: str) -> str:
    return services.secrets.sealed(normalised(services.secrets.access_code(reference)))


def _key(
    purpose: str, viewer: Viewer, key: str | None, request: HoldRequest | ConfirmRequest | RescheduleRequest
) -> idempotency.Key | None:
    """Return the caller's key in the caller's own scope; the body is kept as a digest only."""
    if key is None:
        return None
    if not 0 < len(key) <= MAX_KEY or not key.isprintable():
        raise InvalidInput("idempotencyKey", "A key has 1 to {most} printable characters.", most=MAX_KEY)
    body = asdict(request) | {"idempotency_key": None}
    digest = sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)).hexdigest()
    return idempotency.Key(scope=f"{purpose}:{viewer.subject or ''}", key=key, digest=digest)
