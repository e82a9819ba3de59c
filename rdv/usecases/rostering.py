"""What a worker does for a draft: reads the office, plans, tells how far it is, and stops when it is told to.

Openings and presence are taken as they would be without any published roster, so planning again does not narrow what
the last planning had narrowed.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from threading import Event
from typing import Any

from anyio import CapacityLimiter, create_task_group, to_thread

from rdv.engine.outlook import Outlook, Range
from rdv.engine.roster.forecast import beyond, forecast, past_days
from rdv.engine.roster.plan import Budget, Progress, TooFine, plan
from rdv.engine.roster.values import (
    MINUTES_PER_DAY,
    Demand,
    Plan,
    RosterAgent,
    RosterCounter,
    RosterInstance,
    RosterRules,
    Shift,
    Status,
    Visit,
)
from rdv.engine.roster.values import Ranges as DayRanges
from rdv.models import drafts, rows
from rdv.models.bookings import local_day
from rdv.models.drafts import PlanningDraft, VisitRow
from rdv.models.offices import Agent
from rdv.models.situation import Situation, load_situations
from rdv.usecases.services import Services

PAST_WEEKS = 8  # what demand is forecast from
SECONDS_BETWEEN_LOOKS = 0.5  # at whether a draft was cancelled


@dataclass(slots=True)
class _Watch:
    """What the planning thread and the event loop tell each other."""

    stop: Event = field(default_factory=Event)
    progress: Progress | None = None

    def told(self, progress: Progress) -> None:
        self.progress = progress

    @property
    def percent(self) -> int:
        return int(100 * self.progress.share) if self.progress else 0

    @property
    def gap(self) -> float | None:
        if self.progress is None or self.progress.bound <= 0:
            return None
        return max(self.progress.bound - self.progress.objective, 0) / self.progress.bound


async def generate_planning(services: Services, draft_id: int) -> None:
    """Work a draft out, unless it was cancelled; what goes wrong is noted, and raised for the log."""
    async with services.database.reading() as connection:
        wanted = await drafts.begin(connection, draft_id) and await drafts.whole_draft(connection, draft_id)
    if not wanted:
        return
    try:
        instance = await _instance(services, wanted)
        found = await _planned(services, wanted, instance)
    except Exception:
        await _finish(services, draft_id, status="FAILED")
        raise
    if found is None:
        await _finish(services, draft_id, status="FAILED", failure="TOO_FINE")
    elif found.status is Status.UNDECIDED:
        await _finish(services, draft_id, status="FAILED", failure="UNDECIDED")
    elif found.status is not Status.CANCELLED:
        status = "INFEASIBLE" if found.status is Status.INFEASIBLE else "DONE"
        infeasible = [asdict(one) | {"date": one.date.isoformat()} for one in found.conflicts]
        result = _result(instance, found)
        await _finish(
            services,
            draft_id,
            status=status,
            progress_percent=100,
            gap=found.gap,
            result=result,
            infeasible=infeasible,
        )


async def _finish(services: Services, draft_id: int, **found: object) -> None:
    async with services.database.reading() as connection:
        await drafts.finish(connection, draft_id, finished_at=services.clock(), **found)


async def _planned(services: Services, draft: PlanningDraft, instance: RosterInstance) -> Plan | None:
    """Return the plan; None where too many shifts are possible."""
    watch = _Watch()

    async def look() -> None:
        """Until the planning ends, write how far it is, and see whether it is still wanted."""
        try:
            while True:
                await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
                async with services.database.reading() as connection:
                    if not await drafts.progress(connection, draft.id or 0, watch.percent, watch.gap):
                        watch.stop.set()
        finally:
            watch.stop.set()  # also when the worker has to end

    def work() -> Plan | None:
        try:
            budget = Budget(seconds=draft.seconds)
            return plan(instance, budget=budget, on_progress=watch.told, cancelled=watch.stop.is_set)
        except TooFine:
            return None

    async with create_task_group() as tasks:
        tasks.start_soon(look)
        found = await to_thread.run_sync(work, limiter=CapacityLimiter(1))
        tasks.cancel_scope.cancel()
    return found


async def _instance(services: Services, draft: PlanningDraft) -> RosterInstance:
    """Return what is planned from, as the rows now say."""
    now, office = services.clock(), draft.office_id
    async with services.database.reading() as connection:
        nation = await services.agendas.nations.current(connection)

        async def situation(first: date, last: date, *, rostered: bool) -> Situation:
            found = await load_situations(
                connection, nation, [office], first=first, last=last, now=now, rostered=rostered
            )
            return found[office]

        ahead = await situation(draft.from_date, draft.until_date, rostered=False)
        zone = ahead.office.time_zone
        weeks = past_days(local_day(now, zone), PAST_WEEKS)
        behind = await situation(weeks[0], weeks[-1], rostered=True) if draft.demand is None else None
        past = await drafts.visits(connection, office, zone, first=weeks[0], last=weeks[-1], now=now) if behind else []
        promised = await drafts.visits(connection, office, zone, first=draft.from_date, last=draft.until_date, now=now)
        agents = await rows.values(connection, Agent, office_id=office, retired=False)
        # In whole weeks: agents have maxima for these.
        monday = draft.from_date - timedelta(days=draft.from_date.weekday())
        sunday = draft.until_date + timedelta(days=6 - draft.until_date.weekday())
        published = await drafts.published(connection, office, monday, sunday)
    reader = _Reader(draft, ahead, behind, agents)
    return await services.agendas.in_thread(lambda: reader.instance(past, promised, published))


@dataclass(slots=True)
class _Reader:
    """Turns an office's situation into what a roster is planned from."""

    draft: PlanningDraft
    ahead: Situation
    behind: Situation | None
    agents: list[dict[str, Any]]

    def instance(
        self, past: list[VisitRow], promised: list[VisitRow], published: list[dict[str, Any]]
    ) -> RosterInstance:
        outlook = Outlook(self.ahead.instance, self.draft.from_date, self.draft.until_date)
        rules = self._rules()
        standing = {one.counter for one in self.ahead.instance.appointments}  # also where nobody can book
        return RosterInstance(
            agents=tuple(self._agent(outlook, one) for one in self.agents),
            counters=tuple(
                RosterCounter(id=one.id, openings=_by_day(outlook.ranges(one.id)), reasons=one.reasons)
                for one in self.ahead.instance.counters
                if one.id in self.ahead.counters and (one.exposed or one.id in standing)
            ),
            demand=self._demand(outlook, past, promised, rules.block_minutes),
            booked=_visits(promised),
            rules=rules,
            previous=tuple(_shift(one) for one in published if self._planned(one["on_date"])),
            worked=_worked(one for one in published if not self._planned(one["on_date"])),
        )

    def _planned(self, day: date) -> bool:
        return self.draft.from_date <= day <= self.draft.until_date

    def _rules(self) -> RosterRules:
        asked = self.draft.rules or {}
        return RosterRules(
            block_minutes=asked["block_minutes"],
            shortest_minutes=asked["shortest_shift_minutes"],
            longest_minutes=asked["longest_shift_minutes"],
            break_minutes=asked["break_minutes"],
            least_open=asked["least_counters"],
            least_by_reason={
                leaf: one["agents"] for one in asked["least_by_reason"] for leaf in self._leaves(one["reason_id"])
            },
        )

    def _agent(self, outlook: Outlook, row: dict[str, Any]) -> RosterAgent:
        known = next(one for one in self.ahead.instance.agents or () if one.id == str(row["id"]))
        return RosterAgent(
            id=known.id,
            presence=_by_day(outlook.presence(known.id)),
            reasons=known.reasons,
            counters=known.counters,
            preferred=frozenset(map(str, row["preferred_counter_ids"] or ())),
            most_minutes_a_day=row["most_minutes_a_day"],
            most_minutes_a_week=row["most_minutes_a_week"],
        )

    def _demand(
        self, outlook: Outlook, past: list[VisitRow], promised: list[VisitRow], block: int
    ) -> tuple[Demand, ...]:
        if self.draft.demand is not None:
            expected = tuple(one for row in self.draft.demand for one in self._given(row))
        else:
            expected = self._forecast(outlook, past, block)
        return beyond(expected, _visits(promised), block_minutes=block)

    def _forecast(self, outlook: Outlook, past: list[VisitRow], block: int) -> tuple[Demand, ...]:
        if self.behind is None:
            return ()
        weeks = past_days(local_day(self.behind.instance.now, self.behind.office.time_zone), PAST_WEEKS)
        earlier = Outlook(self.behind.instance, weeks[0], weeks[-1])
        return forecast(_visits(past), sorted(_open_days(earlier)), sorted(_open_days(outlook)), block_minutes=block)

    def _given(self, row: dict[str, Any]) -> list[Demand]:
        """Return a row of a given table; what is said of a node is shared out among what is under it."""
        leaves = self._leaves(row["reason_id"])
        share, more = divmod(row["minutes"], len(leaves))
        return [
            Demand(
                date=date.fromisoformat(row["date"]),
                start_minute=row["start_time"],
                reason=leaf,
                minutes=share + (at < more),
            )
            for at, leaf in enumerate(leaves)
        ]

    def _leaves(self, reason: str) -> list[str]:
        return sorted(map(str, self.ahead.tree.leaves(int(reason))))


def _shift(row: dict[str, Any]) -> Shift:
    return Shift(
        date=row["on_date"],
        start_minute=row["start_minute"],
        end_minute=row["end_minute"],
        agent=str(row["agent_id"]),
        counter=str(row["counter_id"]),
    )


def _worked(published: Iterable[dict[str, Any]]) -> dict[tuple[str, date], int]:
    """Return the minutes of published shifts by agent and Monday."""
    found: dict[tuple[str, date], int] = defaultdict(int)
    for row in published:
        day: date = row["on_date"]
        found[str(row["agent_id"]), day - timedelta(days=day.weekday())] += row["end_minute"] - row["start_minute"]
    return found


def _visits(found: Iterable[VisitRow]) -> tuple[Visit, ...]:
    """Return appointments as rosters are planned with; what goes on after midnight is left out."""
    return tuple(
        Visit(
            date=one.day,
            start_minute=one.start_minute,
            end_minute=min(one.start_minute + one.minutes, MINUTES_PER_DAY),
            reason=str(one.reason_id),
        )
        for one in found
    )


def _open_days(outlook: Outlook) -> set[date]:
    return {day for one in outlook.instance.counters for day, _, _ in outlook.ranges(one.id)}


def _by_day(ranges: Iterable[Range]) -> dict[date, DayRanges]:
    found: dict[date, list[tuple[int, int]]] = defaultdict(list)
    for day, start, end in ranges:
        found[day].append((start, end))
    return {day: tuple(those) for day, those in found.items()}


def _result(instance: RosterInstance, found: Plan) -> dict[str, Any]:
    """Return a plan as it is kept: with the days on which each counter and agent could have been planned."""
    return {
        "shifts": [
            [one.date.isoformat(), one.start_minute, one.end_minute, int(one.agent), int(one.counter)]
            for one in sorted(found.shifts, key=lambda shift: (shift.date, shift.start_minute, shift.counter))
        ],
        "counters": {one.id: [day.isoformat() for day in one.openings] for one in instance.counters},
        "agents": {one.id: [day.isoformat() for day in one.presence] for one in instance.agents},
        "served": dict(found.served),
        "wanted": dict(found.wanted),
    }
