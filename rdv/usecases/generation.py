"""Asking for generated plannings: a draft, a job for a worker, and the word that it is not wanted any more."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from enum import StrEnum
from hashlib import sha256

import orjson

from rdv.engine.roster.values import MOST_AGENTS, MOST_COUNTERS, MOST_DAYS
from rdv.engine.values import MINUTES_PER_DAY
from rdv.errors import IdempotencyConflict, InvalidInput, NotFound
from rdv.integrations.viewer import Viewer
from rdv.models import drafts, idempotency, jobs, planning_reads, rows
from rdv.models.agents import load_agents
from rdv.models.bookings import local_day
from rdv.models.database import Connection
from rdv.models.drafts import PlanningDraft
from rdv.models.idempotency import Key, Used
from rdv.models.office_reads import OfficeRecord, load_counters, load_offices
from rdv.usecases.access import Module, require
from rdv.usecases.changing import FURTHEST_DAYS, MOST_KEY, publishing
from rdv.usecases.offices import id_from
from rdv.usecases.services import Services

TASK = "generate_planning"
MOST_SECONDS = 600
MOST_DEMAND = 50_000
MOST_DRAFTS = 100
MOST_NEEDED = 1_000
MOST_UNDER_WAY = 5
DEPARTEMENT = re.compile(r"[0-9][0-9AB][0-9]?")


class DraftStatus(StrEnum):
    """What has become of a generated planning; INFEASIBLE: there is one, but some rules cannot be kept."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    DONE = "DONE"
    INFEASIBLE = "INFEASIBLE"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"
    PUBLISHED = "PUBLISHED"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeastByReason:
    """How many agents who can serve a reason have to be there whenever the office is open."""

    reason_id: str
    agents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRules:
    """Hard rules of a roster; what is not a matter of single agents."""

    block_minutes: int = 30
    shortest_shift_minutes: int = 120
    longest_shift_minutes: int = 240
    break_minutes: int = 30
    least_counters: int = 0
    least_by_reason: Sequence[LeastByReason] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedDemand:
    """How many minutes of a reason are expected in the block of a day that begins at a time."""

    date: date
    start_time: int
    reason_id: str
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """What is to be planned. `seconds`: the work budget; `demand` None = forecast from past appointments."""

    first: date
    last: date
    seconds: int = 30
    rules: GenerationRules = field(default_factory=GenerationRules)
    demand: Sequence[ExpectedDemand] | None = None


async def generate(
    services: Services, viewer: Viewer, office_id: str, request: GenerationRequest, key: str | None = None
) -> PlanningDraft:
    """Ask for a planning of one office; raises a Refusal."""
    async with publishing(services) as connection:
        identity = id_from(office_id, field="officeId")
        claimed = _key(viewer, office_id, request, key)
        used = await idempotency.claim(connection, claimed, services.clock()) if claimed else None
        if claimed and used is not None:
            return await _again(connection, viewer, claimed, used)
        made = await _ask(services, connection, viewer, identity, request)
        if claimed:
            await idempotency.remember(connection, claimed, made.id or 0)
    return made


async def generate_everywhere(
    services: Services, viewer: Viewer, departement: str, request: GenerationRequest
) -> list[PlanningDraft]:
    """Ask for a planning of every office of a département that takes bookings and assigns agents, all or none."""
    if not DEPARTEMENT.fullmatch(departement):
        raise InvalidInput("departement", "This is not the code of a département.")
    async with publishing(services) as connection:
        found = await load_offices(connection, await planning_reads.offices_of(connection, departement))
        for one in found.values():
            require(viewer, Module.PLANNING, one)
        staffed = [one.id for one in found.values() if one.staffed]
        if not staffed:
            raise InvalidInput("departement", "No office of this département assigns agents.")
        return [await _ask(services, connection, viewer, one, request) for one in sorted(staffed)]


async def cancel(services: Services, viewer: Viewer, draft_id: str) -> PlanningDraft:
    """Give up a planning that is not ready; raises a Refusal."""
    async with publishing(services) as connection:
        draft = await find(connection, viewer, draft_id)
        if not await drafts.cancel(connection, draft.id or 0, services.clock()):
            raise InvalidInput("draftId", "This planning is not being generated any more.")
        return await find(connection, viewer, draft_id)


async def find(connection: Connection, viewer: Viewer, draft_id: str) -> PlanningDraft:
    """Return a draft of an office the viewer plans; raises NotFound or NotAllowed."""
    draft = await drafts.draft(connection, id_from(draft_id, field="draftId"))
    if draft is None:
        raise NotFound("There is no such planning.")
    office = (await load_offices(connection, [draft.office_id]))[draft.office_id]
    require(viewer, Module.PLANNING, office)
    return draft


async def latest(
    services: Services, viewer: Viewer, office: OfficeRecord, *, before: int | None, first: int
) -> list[PlanningDraft]:
    """Return an office's drafts, the latest first; raises NotAllowed."""
    require(viewer, Module.PLANNING, office)
    if not 1 <= first <= MOST_DRAFTS:
        raise InvalidInput("first", "Ask for 1 to {most}.", most=MOST_DRAFTS)
    async with services.database.reading() as connection:
        return await drafts.latest(connection, office.id, before=before, first=first)


async def _ask(
    services: Services, connection: Connection, viewer: Viewer, identity: int, request: GenerationRequest
) -> PlanningDraft:
    now = services.clock()
    office = (await load_offices(connection, [identity])).get(identity)
    if office is None:
        raise NotFound("There is no such office.")
    require(viewer, Module.PLANNING, office)
    await planning_reads.lock_office(connection, identity)
    if not office.staffed:
        raise InvalidInput("officeId", "This office does not assign agents, so there is no roster to plan.")
    _check_days(request, local_day(now, office.time_zone))
    _check_rules(request.rules)
    reasons = (await services.agendas.nations.current(connection)).tree
    named = {("rules.leastByReason", one.reason_id) for one in request.rules.least_by_reason}
    named |= {("demand", one.reason_id) for one in request.demand or ()}
    for where, reason in sorted(named):
        if not reasons.leaves(id_from(reason, field=f"{where}.reasonId")):
            raise InvalidInput(f"{where}.reasonId", "There is no such reason.")
    _check_demand(request)
    people = sum(not one.retired for one in await load_agents(connection, [identity]))
    counters = len(await load_counters(connection, [identity]))
    if people > MOST_AGENTS or counters > MOST_COUNTERS:
        raise InvalidInput(
            "officeId",
            "A roster has at most {agents} agents and {counters} counters.",
            agents=MOST_AGENTS,
            counters=MOST_COUNTERS,
        )
    if await drafts.count_under_way(connection, identity) >= MOST_UNDER_WAY:
        raise InvalidInput("officeId", "Several plannings are being generated already: wait, or cancel one.")
    if await drafts.under_way(connection, identity, request.first, request.last):
        raise InvalidInput("from", "Some of these days are being planned already: cancel that first.")
    draft = PlanningDraft(
        office_id=identity,
        from_date=request.first,
        until_date=request.last,
        seconds=request.seconds,
        rules=asdict(request.rules),
        demand=None if request.demand is None else [_plain(one) for one in request.demand],
        requested_by=viewer.subject,
        requested_at=now,
    )
    draft.id = await rows.add(connection, draft)
    await jobs.enqueue(connection, TASK, draft_id=draft.id)
    return draft


def _plain(one: ExpectedDemand) -> dict[str, object]:
    return asdict(one) | {"date": one.date.isoformat()}


def _check_days(request: GenerationRequest, today: date) -> None:
    if request.first < today:
        raise InvalidInput("from", "This day is past.")
    if request.last < request.first:
        raise InvalidInput("to", "The end is not after the start.")
    if (request.last - today).days > FURTHEST_DAYS:
        raise InvalidInput("to", "At most {most} days ahead.", most=FURTHEST_DAYS)
    if (request.last - request.first).days >= MOST_DAYS:
        raise InvalidInput("to", "At most {most} days at once.", most=MOST_DAYS)
    if not 1 <= request.seconds <= MOST_SECONDS:
        raise InvalidInput("seconds", "A planning takes 1 to {most} seconds.", most=MOST_SECONDS)


def _check_rules(rules: GenerationRules) -> None:
    block = rules.block_minutes
    if not 5 <= block <= 240 or MINUTES_PER_DAY % block:
        raise InvalidInput("rules.blockMinutes", "A block lasts 5 to 240 minutes and divides a day.")
    lengths = {
        "shortestShiftMinutes": rules.shortest_shift_minutes,
        "longestShiftMinutes": rules.longest_shift_minutes,
        "breakMinutes": rules.break_minutes,
    }
    for name, minutes in lengths.items():
        least = 0 if name == "breakMinutes" else block
        if not least <= minutes <= MINUTES_PER_DAY or minutes % block:
            raise InvalidInput(f"rules.{name}", "Shifts and breaks last whole blocks of {block} min.", block=block)
    if rules.longest_shift_minutes < rules.shortest_shift_minutes:
        raise InvalidInput("rules.longestShiftMinutes", "The longest shift is not shorter than the shortest.")
    needed = {"leastCounters": [rules.least_counters], "leastByReason": [one.agents for one in rules.least_by_reason]}
    for name, numbers in needed.items():
        if any(not 0 <= number <= MOST_NEEDED for number in numbers):
            raise InvalidInput(f"rules.{name}", "A number from 0 to {most}.", most=MOST_NEEDED)


def _check_demand(request: GenerationRequest) -> None:
    if len(request.demand or ()) > MOST_DEMAND:
        raise InvalidInput("demand", "At most {most} rows.", most=MOST_DEMAND)
    for number, one in enumerate(request.demand or ()):
        if not request.first <= one.date <= request.last:
            raise InvalidInput(f"demand[{number}].date", "This day is not one of those to be planned.")
        if one.start_time % request.rules.block_minutes:
            raise InvalidInput(f"demand[{number}].startTime", "Demand begins with a block.")
        if not 0 <= one.minutes <= MOST_NEEDED * MINUTES_PER_DAY:
            raise InvalidInput(f"demand[{number}].minutes", "Minutes are not negative.")


def _key(viewer: Viewer, office_id: str, request: GenerationRequest, key: str | None) -> Key | None:
    if key is None:
        return None
    if not 0 < len(key) <= MOST_KEY or not key.isprintable():
        raise InvalidInput("idempotencyKey", "A key has 1 to {most} printable characters.", most=MOST_KEY)
    digest = sha256(orjson.dumps([office_id, asdict(request)])).hexdigest()
    return Key(scope=f"generate:{viewer.subject or ''}", key=key, digest=digest)


async def _again(connection: Connection, viewer: Viewer, key: Key, used: Used) -> PlanningDraft:
    if used.digest != key.digest:
        raise IdempotencyConflict("This idempotency key was used for another request.")
    return await find(connection, viewer, str(used.made_id))
