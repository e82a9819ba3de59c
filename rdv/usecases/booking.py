"""Hold a slot, confirm it, move it, cancel it: read -> decide -> write -> tell.

The engine decides under the locks of the office-days concerned, on what is so after taking them; the constraints of
the database have the last word. A refusal is raised inside the transaction, so nothing of it remains.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType

from rdv.engine.values import Channel, Modality, Place, Query, Seated
from rdv.errors import InvalidInput, NotAllowed, NotFound, SlotTaken
from rdv.integrations.viewer import Viewer, ViewerKind
from rdv.models.appointment_reads import AppointmentRecord
from rdv.models.bookings import Seat, Times, cancel_all, local_day, lock_days, lock_offices
from rdv.models.database import Connection
from rdv.models.freeze import freeze_at
from rdv.models.office_reads import OfficeRecord, load_offices
from rdv.models.reason_tree import ReasonNode
from rdv.models.situation import Situation
from rdv.usecases import access
from rdv.usecases.agendas import Agenda, standard_window
from rdv.usecases.appointment_access import may_manage
from rdv.usecases.offices import check_modality, served_leaf
from rdv.usecases.rationing import DELEGATED
from rdv.usecases.services import Services
from rdv.usecases.slots import FIRST_YEAR, LAST_YEAR, ask, nearest

ALTERNATIVES = 5
Among = Callable[[list[datetime]], Awaitable[list[datetime]]]
ALTERNATIVE_DAYS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A slot that somebody wants: what for and when; `replacing` is the engine's id of the appointment to be moved.

    `for_office`: the one that has delegated it to the office.
    """

    office_id: int
    reason_id: int
    start: datetime
    modality: Modality
    channel: Channel
    replacing: str | None = None
    for_office: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What the engine decided under the locks, ready to be written."""

    agenda: Agenda
    reason: ReasonNode
    times: Times
    seat: Seat
    moves: Mapping[int, Seat]

    @property
    def office(self) -> OfficeRecord:
        return self.agenda.situation.office


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeSlot:
    """A free start as an alternative to one that is taken."""

    start: datetime
    end: datetime
    remaining: int
    modality: Modality


async def office_for_booking(
    connection: Connection, viewer: Viewer, office_id: int, *, on_behalf_of: int | None = None
) -> OfficeRecord:
    """Return an office the viewer may book at, or for another that delegates to it; raises NotFound or NotAllowed."""
    found = await load_offices(connection, [office_id] if on_behalf_of is None else [office_id, on_behalf_of])
    office = found.get(office_id)
    if office is None or (on_behalf_of is not None and on_behalf_of not in found):
        raise NotFound("There is no such office.")
    if viewer.kind not in (ViewerKind.ANONYMOUS, ViewerKind.USAGER) and not may_manage(viewer, found.values()):
        raise NotAllowed("You may not do this for this office.")
    if not office.open_to_booking:
        raise NotAllowed("This office does not take appointments.")
    return office


def checked_start(start: datetime, now: datetime) -> datetime:
    """Return a start in UTC; refuses one that no clock shows, that is no whole minute, or that is past."""
    if not FIRST_YEAR <= start.year <= LAST_YEAR:
        raise InvalidInput("start", "This date is out of range.")
    if start.second or start.microsecond:
        raise InvalidInput("start", "A start is a whole minute.")
    if start < now:
        raise InvalidInput("start", "This start is in the past.")
    return start.astimezone(UTC)


async def decide(
    services: Services,
    connection: Connection,
    office: OfficeRecord,
    wanted: Wanted,
    *,
    now: datetime,
    leaving: Sequence[Times] = (),
    proposals: Mapping[int, Times] = MappingProxyType({}),
) -> Decided:
    """Lock the days concerned, read them, and find a seat; raises SlotTaken (without alternatives) or InvalidInput.

    `leaving` are the times an appointment gives up, when one is moved, and `proposals` the holds that were to help its
    usager, which end. The transaction may have written nothing of the office before. Somebody who came to stand over
    midnight while the locks were taken may bind a day to these that is not locked: what would move there is a slot
    taken.
    """
    zone = office.time_zone
    nations = services.agendas.nations
    before = await nations.at_least(connection, await lock_offices(connection, office.id, wanted.for_office))
    longest = max((n.duration_minutes + n.buffer_minutes for n in before.tree.nodes.values()), default=0)
    roughly = _times(wanted.start, longest, 0, zone)
    times = [roughly, *leaving, *proposals.values()]
    window = standard_window(roughly.day, roughly.day, now)
    locked = await lock_days(connection, office.id, zone, times, now, of=window)
    await cancel_all(connection, list(proposals))
    first, last = _run_around(locked.days, roughly.day)
    untouched = not (locked.swept or proposals) and standard_window(first, last, now) == window
    nation = await nations.at_least(connection, locked.version.nation)
    agenda = await services.agendas.under_lock(
        connection, nation, office.id, (first, last), now, version=locked.version if untouched else None
    )
    reason = served_leaf(agenda.situation.reasons, wanted.reason_id)
    check_modality(reason, wanted.modality)
    query = Query(
        reason=str(reason.id),
        from_date=roughly.day,
        to_date=roughly.day,
        channel=wanted.channel,
        modality=wanted.modality,
        replacing=wanted.replacing,
    )

    def seat() -> Seated | None:
        with agenda.asking:
            left, limit = agenda.rationing.left(query, roughly.day) if agenda.rationing else (1, "")
            if limit == DELEGATED:
                raise InvalidInput(
                    "officeId", "Another office receives for this reason that day: see where in its slots."
                )
            if not left:
                raise SlotTaken("This slot is no longer free.")
            return agenda.engine.seat(query, wanted.start, now=now)

    seated = await services.agendas.asked([agenda], seat, locked=True)
    if seated is None:
        _check_candidate(agenda, query, wanted.start, now)
        raise SlotTaken("This slot is no longer free.")
    if not _within(seated, agenda, locked.days):
        raise SlotTaken("This slot is no longer free.")
    return Decided(
        agenda=agenda,
        reason=reason,
        times=_times(wanted.start, reason.duration_minutes, reason.buffer_minutes, zone),
        seat=_seat(seated.place),
        moves={int(name): _seat(place) for name, place in seated.moves.items()},
    )


async def left_at(
    services: Services, viewer: Viewer, record: AppointmentRecord, decided: Decided | None
) -> tuple[Situation, int]:
    """Return the situation of an appointment's office, and how many more such could start when this one does.

    On what it was `decided`, if it just was, one more could, so that the office needs not be read again; except where
    it may be in the way of more or of fewer: on a frozen day it now is where it is, and see `leaves_one_less`.
    """
    now = services.clock()
    query = Query(
        reason=str(record.reason_id),
        from_date=record.day,
        to_date=record.day,
        channel=access.channel_of(viewer),
        modality=Modality(record.modality),
    )
    before = (
        decided is not None
        and freeze_at(decided.office, now).before <= record.starts_at
        and decided.agenda.engine.leaves_one_less(query, record.starts_at)
    )
    if decided is not None and before:
        agenda = decided.agenda
    else:
        agenda = (await services.agendas.current([record.office_id], record.day, record.day, now))[record.office_id]
    answer = await ask(services, agenda, query, now, counted=[record.starts_at])
    return agenda.situation, max(sum(answer.remaining) - before, 0)


async def taken(services: Services, wanted: Wanted, message: str, among: Among) -> SlotTaken:
    """Return the refusal with free starts near the wanted one, as they are now; `among` keeps those that may be."""
    now = services.clock()
    day = wanted.start.astimezone(UTC).date()
    first, last = max(day - timedelta(days=ALTERNATIVE_DAYS), now.date()), day + timedelta(days=ALTERNATIVE_DAYS)
    agenda = (await services.agendas.current([wanted.office_id], first, last, now))[wanted.office_id]
    reason = agenda.situation.reasons[wanted.reason_id]
    query = Query(
        reason=str(reason.id),
        from_date=first,
        to_date=last,
        channel=wanted.channel,
        modality=wanted.modality,
        replacing=wanted.replacing,
    )
    free = await among(list((await ask(services, agenda, query, now)).starts))
    starts = nearest(free, wanted.start, ALTERNATIVES)
    return SlotTaken(message, alternatives=await _alternatives(services, agenda, query, starts, now) if starts else ())


async def _alternatives(
    services: Services, agenda: Agenda, query: Query, starts: list[datetime], now: datetime
) -> list[FreeSlot]:
    duration = timedelta(minutes=agenda.situation.reasons[int(query.reason)].duration_minutes)
    answer = await ask(services, agenda, query, now, counted=starts)
    return [
        FreeSlot(start=start, end=_later(start, duration), remaining=remaining, modality=query.modality)
        for start, remaining in zip(answer.starts, answer.remaining, strict=True)
        if start in starts
    ]


def _check_candidate(agenda: Agenda, query: Query, start: datetime, now: datetime) -> None:
    """Say what is wrong with a start that is not taken but never was one."""
    compiled = agenda.engine.compiled
    tick = compiled.horizon.earliest(start, 0)
    kind = agenda.engine.bookable(compiled.kind(query.reason, query.channel, query.modality))
    if compiled.horizon.moment(tick) != start or not any(s >> tick & 1 for _, s in compiled.candidates(kind)):
        raise InvalidInput("start", "This is not one of the office's start times for this reason.")
    low, high = compiled.bookable(now)
    if tick < low:
        raise InvalidInput("start", "This start is too near: the office wants to know earlier.")
    if tick >= high:
        raise InvalidInput("start", "This start is too far ahead: it cannot be booked yet.")


def _within(seated: Seated, agenda: Agenda, locked: list[date]) -> bool:
    """Tell whether every appointment that moves stands on a locked day."""
    appointments, zone = agenda.situation.listed.columns, agenda.situation.office.time_zone
    rows = [row for row in map(appointments.row_of, seated.moves) if row is not None]
    return all(local_day(appointments[row].start, zone) in locked for row in rows)


def _run_around(days: list[date], day: date) -> tuple[date, date]:
    """Return the first and the last of the days, ascending, that follow each other without a gap around one of them."""
    first = last = day
    while first - timedelta(days=1) in days:
        first -= timedelta(days=1)
    while last + timedelta(days=1) in days:
        last += timedelta(days=1)
    return first, last


def _times(start: datetime, duration_minutes: int, buffer_minutes: int, zone: str) -> Times:
    end = start.astimezone(UTC) + timedelta(minutes=duration_minutes)
    return Times(
        day=local_day(start, zone),
        start=start.astimezone(UTC),
        end=end,
        until=end + timedelta(minutes=buffer_minutes),
    )


def _later(start: datetime, duration: timedelta) -> datetime:
    """Add to the instant, not to the wall clock, and keep the zone."""
    return (start.astimezone(UTC) + duration).astimezone(start.tzinfo)


def _seat(place: Place) -> Seat:
    return Seat(counter_id=int(place.counter), agent_ids=tuple(map(int, place.agents)))
