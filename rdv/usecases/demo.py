"""A demo: one département's offices organised and booked from a seed, so that there is something to try.

Read -> decide -> write, one transaction an office: whoever interrupts it loses one office's work, which the next start
does again. What was filled is remembered, with its parameters; later starts fill only days that have come since.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from rdv.errors import BadSetting
from rdv.integrations.viewer import Profile, Scope, Viewer, ViewerKind
from rdv.models import demo as demo_rows
from rdv.models.database import Connection, Database
from rdv.models.demo import AgentRow, AppointmentRow, CounterRow, DemoOffice, Filling, UsagerRow
from rdv.models.nation import Nation, NationCache
from rdv.models.office_reads import OfficeRecord, load_overrides
from rdv.models.reason_tree import ReasonNode
from rdv.models.situation import load_situations
from rdv.usecases.demo_bookings import Booking, Crowd, rows
from rdv.usecases.demo_organisation import DAYS_AHEAD, MOST_AGENTS, MOST_COUNTERS, Ids, Organisation, organise

KINDS = ("SIP", "SIE", "SPF", "CDIF", "TRESORERIE")
STALE_DAYS = 7  # so many of the coming days may be missing before an office is topped up

Tell = Callable[[int, int], None]  # offices done, of how many


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoWish:
    """What the demo shall look like."""

    departement: str
    fill: float
    seed: int
    now: datetime
    reset: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What there is to try: an office and a reason with free slots; `other` = offices were filled in another way."""

    office: OfficeRecord
    reason: ReasonNode
    other: Filling | None


async def is_loaded(database: Database) -> bool:
    """Tell whether the country's data are there."""
    async with database.reading() as connection:
        return await demo_rows.is_loaded(connection)


async def prepare(database: Database, wish: DemoWish, tell: Tell) -> Prepared:
    """Organise and book the département's offices where that has not been done; raises BadSetting."""
    async with database.transaction() as guard:
        await demo_rows.lock_demo(guard)  # of two demos on one database, the second waits and then finds it done
        async with database.transaction() as connection:
            await demo_rows.make_memory(connection)
            offices = await _offices(connection, wish)
            nation = await NationCache().current(connection)
        for done, office in enumerate(offices):
            tell(done, len(offices))
            await _prepare_office(database, nation, office, wish)
        tell(len(offices), len(offices))
    wanted = Filling(fill=wish.fill, seed=wish.seed)
    others = [o.filling for o in offices if o.filling not in (None, wanted) and not wish.reset]
    record, reason = await _to_try(database, nation, offices, wish)
    async with database.transaction() as connection:
        await demo_rows.name_agent(connection, record.id, personas(record)["agent_local"].subject or "")
    return Prepared(office=record, reason=reason, other=others[0] if others else None)


async def _offices(connection: Connection, wish: DemoWish) -> list[DemoOffice]:
    """Return the offices that are the demo's, or that nobody has organised yet."""
    found = await demo_rows.load_demo_offices(connection, wish.departement, KINDS)
    if not found:
        known = await demo_rows.load_departements(connection, KINDS)
        raise BadSetting(f"--departement: there is no office in {wish.departement!r}; known are {', '.join(known)}")
    mine = [office for office in found if office.filling is not None or not office.counters]
    if not mine:
        raise BadSetting(f"--departement: the offices of {wish.departement!r} are organised already, not by the demo")
    return mine


async def _prepare_office(database: Database, nation: Nation, office: DemoOffice, wish: DemoWish) -> None:
    days = _missing(office, wish)
    if not days:
        return
    async with database.transaction() as connection:
        await demo_rows.lock_office(connection, office.record.id)
        filling = office.filling
        if wish.reset and filling is not None:
            await demo_rows.empty_office(connection, office.record.id)
            filling = None
        if filling is None:
            filling = Filling(fill=wish.fill, seed=wish.seed)
            await _organise(connection, nation, office, wish)
            await demo_rows.remember_filling(connection, office.record.id, filling)
        bookings = await _book(connection, nation, office.record, filling, days, now=wish.now)
        random = _random(filling.seed, office.record.code, days[0], "people")
        await _write_bookings(connection, office.record.id, bookings, random)
        await demo_rows.remember_days(connection, office.record.id, days)


def _missing(office: DemoOffice, wish: DemoWish) -> list[date]:
    """Return the coming days that are to be filled: all, those that have come since, or none yet."""
    today = _today(office.record, wish.now)
    coming = [today + timedelta(days=n) for n in range(DAYS_AHEAD + 1)]
    if office.filling is None or wish.reset:
        return coming
    missing = [day for day in coming if day not in office.filled]
    return missing if len(missing) > STALE_DAYS else []


async def _organise(connection: Connection, nation: Nation, office: DemoOffice, wish: DemoWish) -> None:
    record = office.record
    overrides = (await load_overrides(connection, [record.id])).get(record.id, {})
    ids = Ids(
        counters=await demo_rows.next_ids(connection, CounterRow, MOST_COUNTERS),
        agents=await demo_rows.next_ids(connection, AgentRow, MOST_AGENTS),
    )
    plan = organise(
        record.id,
        nation.tree.at_office(record.kind, overrides),
        ids,
        _random(wish.seed, record.code),
        today=_today(record, wish.now),
        has_openings=office.has_openings,
    )
    await _write_organisation(connection, record.id, plan)


async def _write_organisation(connection: Connection, office: int, plan: Organisation) -> None:
    await demo_rows.open_office(connection, office, staffed=plan.staffed)
    for some in (plan.counters, plan.agents, plan.openings, plan.exceptions, plan.closures):
        await demo_rows.copy_rows(connection, some)


async def _book(
    connection: Connection,
    nation: Nation,
    record: OfficeRecord,
    filling: Filling,
    days: Sequence[date],
    *,
    now: datetime,
) -> list[Booking]:
    await demo_rows.lock_days(connection, record.id, days)
    found = await load_situations(connection, nation, [record.id], first=days[0], last=days[-1], now=now)
    situation = found[record.id]
    crowd = Crowd(situation.instance, situation.reasons, days)
    return [
        booking for day in days for booking in crowd.book(day, filling.fill, _random(filling.seed, record.code, day))
    ]


async def _write_bookings(connection: Connection, office: int, bookings: Sequence[Booking], random: Random) -> None:
    appointments = await demo_rows.next_ids(connection, AppointmentRow, len(bookings))
    usagers = await demo_rows.next_ids(connection, UsagerRow, len(bookings))
    written = [
        rows(booking, office=office, appointment_id=appointment, usager_id=usager, random=random)
        for booking, appointment, usager in zip(bookings, appointments, usagers, strict=True)
    ]
    await demo_rows.copy_rows(connection, [one.usager for one in written])
    await demo_rows.copy_rows(connection, [one.appointment for one in written])
    await demo_rows.copy_rows(connection, [serving for one in written for serving in one.serving])


async def _to_try(
    database: Database, nation: Nation, offices: Sequence[DemoOffice], wish: DemoWish
) -> tuple[OfficeRecord, ReasonNode]:
    """Return an office, a SIP if possible, and a reason it has a free slot for; if all is booked, one it serves."""
    served_by: list[tuple[OfficeRecord, ReasonNode]] = []
    for record in sorted((office.record for office in offices), key=lambda o: (KINDS.index(o.kind), o.code)):
        first = _today(record, wish.now)
        last = first + timedelta(days=DAYS_AHEAD)
        async with database.reading() as connection:
            found = await load_situations(connection, nation, [record.id], first=first, last=last, now=wish.now)
        situation = found[record.id]
        crowd = Crowd(situation.instance, situation.reasons, (first, last))
        served = [node for node in situation.reasons.values() if node.bookable and node.served]
        served_by += [(situation.office, node) for node in served[:1]]
        free = next((node for node in served if crowd.has_free(node)), None)
        if free is not None:
            return situation.office, free
    if not served_by:
        raise BadSetting(f"--departement: no office in {wish.departement!r} serves a reason")
    return served_by[0]


def personas(office: OfficeRecord) -> dict[str, Viewer]:
    """Return who there is to be in the demo; local ones belong to the given office."""
    own = frozenset({office.code})
    agent, administrator = ViewerKind.AGENT, ViewerKind.ADMINISTRATOR

    def staff(name: str, kind: ViewerKind, profile: Profile, scope: Scope) -> Viewer:
        return Viewer(
            kind=kind,
            subject=f"demo-{name.replace('_', '-')}",
            name=f"Demo {name.replace('_', ' ')}",
            profile=profile,
            scope=scope,
            offices=own if scope is Scope.OWN else frozenset(),
            departement=office.departement if scope is Scope.DEPARTEMENT else None,
        )

    return {
        "usager": Viewer(kind=ViewerKind.USAGER, subject="demo-usager-1", name="Camille Exemple"),
        "usager2": Viewer(kind=ViewerKind.USAGER, subject="demo-usager-2", name="Dominique Fictif"),
        "agent_local": staff("agent_local", agent, Profile.LOCAL, Scope.OWN),
        "admin_local": staff("admin_local", administrator, Profile.LOCAL, Scope.OWN),
        "agent_national": staff("agent_national", agent, Profile.NATIONAL, Scope.NATIONAL),
        "admin_national": staff("admin_national", administrator, Profile.NATIONAL, Scope.NATIONAL),
        "agent_departement": staff("agent_departement", agent, Profile.LOCAL, Scope.DEPARTEMENT),
        "kiosk": Viewer(kind=ViewerKind.DEVICE, subject="demo-kiosk", scope=Scope.OWN, offices=own),
    }


def _today(record: OfficeRecord, now: datetime) -> date:
    return now.astimezone(ZoneInfo(record.time_zone)).date()


def _random(*seed: object) -> Random:
    """Return a generator of one purpose's own, so that nothing depends on what was drawn before."""
    return Random(":".join(map(str, seed)))  # noqa: S311 - decides what a demo looks like, nothing secret
