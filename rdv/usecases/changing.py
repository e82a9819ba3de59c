"""Changing an office's organisation: one way for every change, whether it is tried, published or taken back.

A change writes rows; what follows from it is found out by the engine on the rows as they then are, in the same
transaction. A preview does exactly this and rolls back, so it cannot differ from what publishing does. Nobody is
stranded silently: unless the caller said that they know, a change that leaves appointments without a place is refused
with their list, and nothing of it remains.

Rules of this file: the office's row is locked before anything is read, so no booking is under way; whoever writes a
`Change` only writes rows and raises refusals; seats that have to move are written here.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import Any, ClassVar, Protocol, runtime_checkable

import orjson

from rdv.errors import Busy, IdempotencyConflict, InvalidInput, NotFound, VersionConflict, WouldStrand
from rdv.integrations.viewer import Viewer
from rdv.models import bookings, idempotency, jobs, planning_reads, revisions
from rdv.models.bookings import Collided, Overlap, writing
from rdv.models.database import Connection
from rdv.models.freeze import freeze_at
from rdv.models.nation import Nation, NationCache
from rdv.models.office_reads import OfficeRecord, load_offices
from rdv.models.situation import Situation, load_situations
from rdv.usecases import access, call_backs
from rdv.usecases.call_backs import help_stranded
from rdv.usecases.effects import Effect, Written, effect_of
from rdv.usecases.offices import id_from
from rdv.usecases.services import Services

MOST_CHANGES = 200
FURTHEST_DAYS = 740  # ahead that an office is planned or previewed
MOST_KEY = 200
RESULT = "RESULT"  # the entry of a line of the history that says what came of it


@dataclass(slots=True, kw_only=True)
class Ground:
    """What a change stands on while it writes: the office as it was before all changes, and what was made so far."""

    connection: Connection
    viewer: Viewer
    office: OfficeRecord
    nation: Nation
    now: datetime
    made: list[int] = field(default_factory=list)  # ids of new rows, in order

    @property
    def today(self) -> date:
        """The office's local day."""
        return bookings.local_day(self.now, self.office.time_zone)

    def refuse_frozen(self, field_: str, first: date, *, over: bool) -> None:
        """Refuse to change a day whose roster is settled, unless the caller said that they know."""
        settled = bookings.local_day(freeze_at(self.office, self.now).before, self.office.time_zone)
        if first < settled and not over:
            raise InvalidInput(
                field_,
                "Days before {day} are settled: agents were told. Say overFrozenDay to change them.",
                day=settled,
            )


class Change(Protocol):
    """An intended change of one office. `code` names it in the history; `over_frozen_day` lets settled days move."""

    __dataclass_fields__: ClassVar[dict[str, Any]]  # every change is a dataclass

    @property
    def code(self) -> str: ...
    @property
    def module(self) -> access.Module: ...
    @property
    def over_frozen_day(self) -> bool: ...

    async def write(self, ground: Ground) -> None:
        """Write the rows; raises a Refusal, with the field's name within the change."""


@runtime_checkable
class Touching(Protocol):
    """A change that writes to other offices too."""

    async def touches(self, connection: Connection) -> set[int]:
        """Return which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRequest:
    """Changes to be made together. `version`: refuse when the office is not at it any more.

    `accept_stranded`: go on although appointments lose their place.
    """

    office_id: str
    changes: Sequence[Change]
    version: str | None = None
    accept_stranded: bool = False
    idempotency_key: str | None = None
    listed: bool = False  # as an element of a list: a refusal names which
    cause: dict[str, Any] | None = None  # what is not of this office alone, as its history tells it


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What was changed; `version` is the office's now."""

    office: OfficeRecord
    version: str
    revision: int
    made: tuple[int, ...]
    stranded: tuple[int, ...]
    placed_again: tuple[int, ...]
    moved: int


class _Enough(Exception):
    """Ends a preview's transaction without a trace."""


@asynccontextmanager
async def publishing(services: Services) -> AsyncIterator[Connection]:
    """One transaction of changes; raises Busy when others collide with it."""
    try:
        async with writing(services.database) as connection:
            yield connection
    except (Collided, Overlap):
        raise Busy("Others are changing this office at this moment: try again.") from None


async def apply(services: Services, viewer: Viewer, request: ChangeRequest) -> Changed:
    """Make changes, all or none; raises a Refusal and leaves nothing half-done."""
    now = services.clock()
    key = _key(viewer, request)
    done, stranded = await _made(services, viewer, request, key, now)
    if stranded:
        await help_stranded(services, done.office)
    return done


async def _made(
    services: Services, viewer: Viewer, request: ChangeRequest, key: idempotency.Key | None, now: datetime
) -> tuple[Changed, bool]:
    """Make changes in one transaction; return what was changed, and whether somebody has to be called."""
    async with publishing(services) as connection:
        ground = await prepared(services, connection, viewer, request, now)
        used = await idempotency.claim(connection, key, now) if key else None
        if used is not None:
            return await _again(ground, key, used), False
        check_version(ground, request)
        effect = await judge(services, ground, request)
        if effect.stranded and not request.accept_stranded:
            raise WouldStrand("Appointments that would lose their place: {count}.", appointments=effect.stranded)
        done = await keep(ground, effect, request)
        if key:
            await idempotency.remember(connection, key, done.revision)
    return done, bool(effect.stranded)


async def judge(services: Services, ground: Ground, request: ChangeRequest) -> Effect:
    """Write changes and return what follows from them, which is not written yet."""
    await revisions.remember_first(ground.connection, ground.office.id, ground.now, ground.today)
    written = await _write(ground, request, ground.today)
    return await services.agendas.in_thread(lambda: effect_of(written))


async def keep(ground: Ground, effect: Effect, request: ChangeRequest) -> Changed:
    """Write what follows from changes, and a line of the office's history."""
    connection = ground.connection
    await bookings.sweep(
        connection, ground.office.id, ground.today, ground.now
    )  # the engine gives their seats to others
    await bookings.cancel_all(connection, effect.ended)
    await bookings.defer(connection)  # who gets a place again comes back where another may be, and moves after that
    await planning_reads.mark_stranded(connection, effect.stranded, ground.now)
    await planning_reads.mark_stranded(connection, effect.placed_again, None)
    await bookings.move(connection, ground.office.id, effect.moves)
    what = [{"code": one.code} | _written(one) for one in request.changes]
    cause = [request.cause] if request.cause else []
    number = await revisions.remember(
        connection,
        ground.office.id,
        now=ground.now,
        today=ground.today,
        by=ground.viewer.subject,
        kind=ground.viewer.kind.value,
        what=[*cause, *what, _result(ground, effect)],
    )
    if effect.stranded or effect.ended:
        await jobs.enqueue(connection, call_backs.TASK, office_id=ground.office.id)
    office = (await load_offices(connection, [ground.office.id]))[ground.office.id]
    return Changed(
        office=office,
        version=version_of(office, ground.nation),
        revision=number,
        made=tuple(ground.made),
        stranded=effect.stranded,
        placed_again=effect.placed_again,
        moved=len(effect.moves),
    )


async def try_out(services: Services, viewer: Viewer, request: ChangeRequest, last: date) -> Written:
    """Return what changes would make of an office until a day, and leave everything as it is.

    Rows are only locked while they are written and read: the engine looks at them after they were taken back.
    """
    now = services.clock()
    found: list[Written] = []
    try:
        async with publishing(services) as connection:
            ground = await prepared(services, connection, viewer, request, now)
            check_version(ground, request)
            found.append(await _write(ground, request, last))
            raise _Enough
    except _Enough:
        return found[0]


def version_of(office: OfficeRecord, nation: Nation) -> str:
    """Return what changes whenever an office's organisation does; bookings leave it as it is."""
    return f"{office.version}.{nation.version}"


async def prepared(
    services: Services,
    connection: Connection,
    viewer: Viewer,
    request: ChangeRequest,
    now: datetime,
    *,
    nations: NationCache | None = None,
) -> Ground:
    """Lock the office and check who asks; `nations`: of its own where the transaction changes the nation."""
    identity = id_from(request.office_id, field="officeId")
    known = (await load_offices(connection, [identity])).get(identity)
    if known is None:
        raise NotFound("There is no such office.")
    for module in {one.module for one in request.changes} or {access.Module.PLANNING}:
        access.require(viewer, module, known)
    # All in one order, before anything is read that is decided on.
    others = {
        office for one in request.changes if isinstance(one, Touching) for office in await one.touches(connection)
    }
    await planning_reads.lock_offices(connection, {identity} | others)
    office = (await load_offices(connection, [identity]))[identity]
    if len(request.changes) > MOST_CHANGES:
        raise InvalidInput("changes", "At most {most} changes at once.", most=MOST_CHANGES)
    nation = await (nations or services.agendas.nations).current(connection)
    return Ground(connection=connection, viewer=viewer, office=office, nation=nation, now=now)


def check_version(ground: Ground, request: ChangeRequest) -> None:
    """Refuse to change an office that is not any more what the caller has seen."""
    version = version_of(ground.office, ground.nation)
    if request.version is not None and request.version != version:
        raise VersionConflict("The office was changed meanwhile: look at it again.", version=version)


async def _write(ground: Ground, request: ChangeRequest, last: date) -> Written:
    """Write the changes, and read the office before and after."""
    office, today = ground.office.id, ground.today
    last = max(last, await planning_reads.last_day(ground.connection, office, today))
    movable = any(one.over_frozen_day for one in request.changes)

    async def read() -> Situation:
        found = await load_situations(
            ground.connection,
            ground.nation,
            [office],
            first=today,
            last=last,
            now=ground.now,
            stranded=True,
            movable=movable,
        )
        return found[office]

    before = await read()
    for number, one in enumerate(request.changes):
        try:
            await one.write(ground)
        except InvalidInput as refusal:
            path = f"changes[{number}].{_member(one)}." if request.listed else ""
            raise InvalidInput(path + refusal.field, refusal.message, **refusal.values) from None
    return Written(
        before=before,
        after=await read(),
        version=version_of(ground.office, ground.nation),
        known=await planning_reads.stranded(ground.connection, office, today),
        proposals=await planning_reads.proposals(ground.connection, office, today),
        today=today,
        last=last,
    )


async def _again(ground: Ground, key: idempotency.Key | None, used: idempotency.Used) -> Changed:
    """Return what the same request changed before."""
    revision = await revisions.find(ground.connection, ground.office.id, used.made_id)
    if key is None or used.digest != key.digest or revision is None:
        raise IdempotencyConflict("This idempotency key was used for another request.")
    result: dict[str, Any] = next((one for one in revision.what if one["code"] == RESULT), {})
    return Changed(
        office=ground.office,
        version=version_of(ground.office, ground.nation),
        revision=revision.number,
        made=tuple(result.get("made", ())),
        stranded=tuple(result.get("stranded", ())),
        placed_again=tuple(result.get("placed_again", ())),
        moved=int(result.get("moved", 0)),
    )


def _result(ground: Ground, effect: Effect) -> dict[str, Any]:
    """Return what came of changes, for the history."""
    moved = len(effect.moves)
    return {"code": RESULT, "made": ground.made, "moved": moved} | {
        "stranded": effect.stranded,
        "placed_again": effect.placed_again,
    }


def _member(change: Change) -> str:
    """Return what the change is called as a member of a list of changes."""
    first, *others = change.code.lower().split("_")
    return first + "".join(map(str.title, others))


def _written(change: Change) -> dict[str, Any]:
    """Return what a change says, for the history."""
    said: dict[str, Any] = asdict(change)
    return {name: value for name, value in said.items() if value is not None}


def _key(viewer: Viewer, request: ChangeRequest) -> idempotency.Key | None:
    key = request.idempotency_key
    if key is None:
        return None
    if not 0 < len(key) <= MOST_KEY or not key.isprintable():
        raise InvalidInput("idempotencyKey", "A key has 1 to {most} printable characters.", most=MOST_KEY)
    body = [{"code": one.code} | _written(one) for one in request.changes]
    digest = sha256(orjson.dumps([request.office_id, body], option=orjson.OPT_SORT_KEYS)).hexdigest()
    return idempotency.Key(scope=f"change:{viewer.subject or ''}", key=key, digest=digest)
