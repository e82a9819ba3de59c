"""Agents: what they can do, when they are there, and when they are not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from rdv.errors import InvalidInput, NotFound
from rdv.models import rows
from rdv.models.offices import Agent
from rdv.models.planning import Closure, DayException, Opening
from rdv.usecases.access import Module
from rdv.usecases.changing import Ground
from rdv.usecases.closures import check_range, counter_ids
from rdv.usecases.offices import id_from
from rdv.usecases.opening_changes import NTH, TimeRange, Weekday, check_period, check_ranges
from rdv.usecases.organisation import reason_ids
from rdv.usecases.usager_input import checked_text

LONGEST_NAME = 100
LONGEST_SUBJECT = 200
MOST_WEEKS = 52


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateAgent:
    """Somebody who receives at the office; None = no restriction. `subject` is their account."""

    code: ClassVar[str] = "CREATE_AGENT"
    module: ClassVar[Module] = Module.OFFICE_ORGANISATION
    over_frozen_day: ClassVar[bool] = False

    display_name: str
    subject: str | None = None
    reason_ids: Sequence[str] | None = None
    counter_ids: Sequence[str] | None = None
    most_minutes_a_day: int = 420
    most_minutes_a_week: int = 2100
    preferred_counter_ids: Sequence[str] | None = None

    async def write(self, ground: Ground) -> None:
        """Write them; the id is the next of those made. Raises InvalidInput."""
        row = Agent(office_id=ground.office.id, **await _columns(ground, self))
        ground.made.append(await rows.add(ground.connection, row))


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateAgent:
    """An agent as they are from now on, all of it."""

    code: ClassVar[str] = "UPDATE_AGENT"
    module: ClassVar[Module] = Module.OFFICE_ORGANISATION

    agent_id: str
    display_name: str
    subject: str | None = None
    reason_ids: Sequence[str] | None = None
    counter_ids: Sequence[str] | None = None
    most_minutes_a_day: int = 420
    most_minutes_a_week: int = 2100
    preferred_counter_ids: Sequence[str] | None = None
    over_frozen_day: bool = False

    async def write(self, ground: Ground) -> None:
        """Write it; raises NotFound or InvalidInput."""
        agent = await agent_id(ground, self.agent_id)
        await rows.change(ground.connection, Agent, {"id": agent}, **await _columns(ground, self, other_than=agent))


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireAgent:
    """An agent who does not receive at the office any more; others serve who was theirs."""

    code: ClassVar[str] = "RETIRE_AGENT"
    module: ClassVar[Module] = Module.OFFICE_ORGANISATION

    agent_id: str
    over_frozen_day: bool = False

    async def write(self, ground: Ground) -> None:
        """Write it; raises NotFound."""
        agent = await agent_id(ground, self.agent_id)
        await rows.change(ground.connection, Agent, {"id": agent}, retired=True, subject=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceRange(TimeRange):
    """A recurring range of presence, as the office's openings recur."""

    weekdays: Sequence[Weekday]
    from_date: date | None = None
    until_date: date | None = None
    every_weeks: int = 1
    nth_of_month: Sequence[int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAgentPresence:
    """When an agent is there, all of it; no range = whenever the office is open."""

    code: ClassVar[str] = "SET_AGENT_PRESENCE"
    module: ClassVar[Module] = Module.PLANNING

    agent_id: str
    ranges: Sequence[PresenceRange]
    over_frozen_day: bool = False

    async def write(self, ground: Ground) -> None:
        """Write it; raises NotFound or InvalidInput."""
        agent = await agent_id(ground, self.agent_id)
        for at, one in enumerate(self.ranges):
            _check_presence(one, f"ranges[{at}].")
        check_ranges(self.ranges, [_when(one, at) for at, one in enumerate(self.ranges)])
        whose: dict[str, Any] = {"office_id": ground.office.id, "agent_id": agent}
        await rows.remove(ground.connection, Opening, **whose, on_date=None)
        await rows.add_all(ground.connection, [Opening(**whose, **_presence(one)) for one in self.ranges])


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAgentException:
    """What replaces an agent's recurring presence on one day; no range = not there; None = as it recurs."""

    code: ClassVar[str] = "SET_AGENT_EXCEPTION"
    module: ClassVar[Module] = Module.PLANNING

    agent_id: str
    on_date: date
    ranges: Sequence[TimeRange] | None = None
    over_frozen_day: bool = False

    async def write(self, ground: Ground) -> None:
        """Write it; raises NotFound or InvalidInput."""
        agent = await agent_id(ground, self.agent_id)
        check_period(self.on_date, None)
        check_ranges(self.ranges or ())
        ground.refuse_frozen("onDate", self.on_date, over=self.over_frozen_day)
        key: dict[str, Any] = {"office_id": ground.office.id, "agent_id": agent, "on_date": self.on_date}
        await rows.remove(ground.connection, DayException, **key)
        if self.ranges is None:
            return
        away: list[tuple[int | None, int | None]] = [(None, None)]
        ranges = [(one.start_time, one.end_time) for one in self.ranges] or away
        await rows.add_all(
            ground.connection, [DayException(**key, start_minute=start, end_minute=end) for start, end in ranges]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AddAbsence:
    """From one wall-clock time to another an agent is not there."""

    code: ClassVar[str] = "ADD_ABSENCE"
    module: ClassVar[Module] = Module.PLANNING

    agent_id: str
    from_date: date
    from_time: int = 0
    to_date: date
    to_time: int = 24 * 60
    over_frozen_day: bool = False

    async def write(self, ground: Ground) -> None:
        """Write it; its id is the next of those made. Raises NotFound or InvalidInput."""
        agent = await agent_id(ground, self.agent_id)
        check_range(self.from_date, self.from_time, self.to_date, self.to_time)
        ground.refuse_frozen("fromDate", self.from_date, over=self.over_frozen_day)
        made = await rows.add(
            ground.connection,
            Closure(
                office_id=ground.office.id,
                agent_id=agent,
                from_date=self.from_date,
                from_minute=self.from_time,
                to_date=self.to_date,
                to_minute=self.to_time,
            ),
        )
        ground.made.append(made)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveAbsence:
    """An absence that is taken back."""

    code: ClassVar[str] = "REMOVE_ABSENCE"
    module: ClassVar[Module] = Module.PLANNING
    over_frozen_day: ClassVar[bool] = False

    absence_id: str

    async def write(self, ground: Ground) -> None:
        """Remove it; raises NotFound."""
        identity = id_from(self.absence_id, field="absenceId")
        found = await rows.values(ground.connection, Closure, office_id=ground.office.id, id=identity)
        if not found or found[0]["agent_id"] is None:
            raise NotFound("There is no such absence at this office.")
        await rows.remove(ground.connection, Closure, id=identity)


async def agent_id(ground: Ground, given: str, *, field: str = "agentId") -> int:
    """Return an agent of the office who receives; raises NotFound."""
    identity = id_from(given, field=field)
    key = {"office_id": ground.office.id, "id": identity, "retired": False}
    if not await rows.values(ground.connection, Agent, **key):
        raise NotFound("There is no such agent at this office.")
    return identity


async def _columns(ground: Ground, given: CreateAgent | UpdateAgent, *, other_than: int = 0) -> dict[str, Any]:
    name = checked_text("displayName", given.display_name, LONGEST_NAME)
    if not name:
        raise InvalidInput("displayName", "A name is needed.")
    for field, value, most in (
        ("mostMinutesADay", given.most_minutes_a_day, 1440),
        ("mostMinutesAWeek", given.most_minutes_a_week, 7 * 1440),
    ):
        if not 1 <= value <= most:
            raise InvalidInput(field, "Give a number from {least} to {most}.", least=1, most=most)
    subject = checked_text("subject", given.subject, LONGEST_SUBJECT)
    if subject and any(one["id"] != other_than for one in await rows.values(ground.connection, Agent, subject=subject)):
        raise InvalidInput("subject", "This account belongs to another agent.")
    return {
        "display_name": name,
        "subject": subject,
        "reason_ids": reason_ids(ground, given.reason_ids),
        "counter_ids": await counter_ids(ground, given.counter_ids),
        "most_minutes_a_day": given.most_minutes_a_day,
        "most_minutes_a_week": given.most_minutes_a_week,
        "preferred_counter_ids": await counter_ids(ground, given.preferred_counter_ids, field="preferredCounterIds"),
    }


def _check_presence(one: PresenceRange, path: str) -> None:
    if not one.weekdays:
        raise InvalidInput(f"{path}weekdays", "Name at least one day of the week.")
    if one.until_date is not None and one.from_date is not None and one.until_date < one.from_date:
        raise InvalidInput(f"{path}untilDate", "The last day is before the first.")
    if not 1 <= one.every_weeks <= MOST_WEEKS:
        raise InvalidInput(f"{path}everyWeeks", "Give a number from {least} to {most}.", least=1, most=MOST_WEEKS)
    if one.every_weeks > 1 and one.from_date is None:
        raise InvalidInput(f"{path}fromDate", "Every n-th week is counted from a first day: give it.")
    if one.nth_of_month is not None and not (one.nth_of_month and NTH.issuperset(one.nth_of_month)):
        raise InvalidInput(f"{path}nthOfMonth", "Give numbers from 1 to 5, or -1.")


def _when(one: PresenceRange, at: int) -> object:
    """Return what tells ranges apart that may overlap: those of the same days for ever."""
    plain = one.from_date is None and one.until_date is None and one.nth_of_month is None and one.every_weeks == 1
    return tuple(sorted(day.number for day in one.weekdays)) if plain else at


def _presence(one: PresenceRange) -> dict[str, Any]:
    return {
        "weekdays": sorted({day.number for day in one.weekdays}),
        "from_date": one.from_date,
        "until_date": one.until_date,
        "every_weeks": one.every_weeks,
        "nth_of_month": None if one.nth_of_month is None else sorted(set(one.nth_of_month)),
        "start_minute": one.start_time,
        "end_minute": one.end_time,
    }
