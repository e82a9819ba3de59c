"""An office's week, as it holds or as a draft would make it, in the values that pictures draw."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from rdv.engine.outlook import Outlook, Range
from rdv.engine.values import Appointment, Place, Status
from rdv.errors import NotFound
from rdv.integrations.viewer import Profile, Scope, Viewer, ViewerKind
from rdv.models import drafts
from rdv.models.bookings import local_day
from rdv.models.office_reads import load_office_by_code
from rdv.models.situation import Situation, load_situations
from rdv.pictures.week import MINUTES_PER_DAY, Block, CounterDay, CounterWeek, Shift, Span, State, Week
from rdv.usecases.changing import ChangeRequest, try_out
from rdv.usecases.drafts import ApplyDraft, shift
from rdv.usecases.effects import Effect, effect_of
from rdv.usecases.services import Services

# Whoever runs the command has the database anyway.
OPERATOR = Viewer(kind=ViewerKind.ADMINISTRATOR, profile=Profile.NATIONAL, scope=Scope.NATIONAL)
STATES = {Status.HELD: State.HELD, Status.ARRIVED: State.ARRIVED, Status.IN_PROGRESS: State.ARRIVED}
DAYS = 7


async def week_picture(services: Services, code: str, monday: date, *, language: str, draft: int | None = None) -> Week:
    """Return an office's week from a Monday on; raises NotFound, or InvalidInput for a draft that is not ready."""
    now = services.clock()
    last = monday + timedelta(days=DAYS - 1)
    async with services.database.reading() as connection:
        office = await load_office_by_code(connection, code)
        if office is None:
            raise NotFound("There is no such office.")
        nation = await services.agendas.nations.current(connection)

        async def situation(layer: str) -> Situation:
            found = await load_situations(
                connection, nation, [office.id], first=monday, last=last, now=now, stranded=True, layer=layer
            )
            return found[office.id]

        now_holds, walk_in = await situation("APPOINTMENT"), await situation("WALK_IN")
        shifts = [
            (one["on_date"], str(one["counter_id"]), one["agent_id"], (one["start_minute"], one["end_minute"]))
            for one in await drafts.published(connection, office.id, monday, last)
        ]
        planned = None if draft is None else await drafts.whole_draft(connection, draft)
    then, effect = now_holds, None
    if draft is not None:
        request = ChangeRequest(
            office_id=str(office.id), changes=[ApplyDraft(draft_id=str(draft), over_frozen_day=True)]
        )
        written = await try_out(services, OPERATOR, request, last)
        then = written.after
        effect = await services.agendas.in_thread(lambda: effect_of(written))
        covered = set(_days(planned.from_date, planned.until_date)) if planned else set()
        shifts = [one for one in shifts if one[0] not in covered]
        for each in map(shift, planned.result["shifts"] if planned and planned.result else []):
            shifts.append((each.date, each.counter, int(each.agent), (each.start_minute, each.end_minute)))
    drawn = _Drawn(now_holds, then, walk_in, effect, monday, last, language, draft)
    return await services.agendas.in_thread(lambda: drawn.week(shifts))


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Turns situations into a week."""

    now_holds: Situation
    then: Situation
    walk_in: Situation
    effect: Effect | None
    first: date
    last: date
    language: str
    draft: int | None

    def week(self, shifts: Sequence[tuple[date, str, int, Span]]) -> Week:
        instance = self.then.instance
        after, before = (Outlook(one.instance, self.first, self.last) for one in (self.then, self.now_holds))
        queue = Outlook(self.walk_in.instance, self.first, self.last)
        lost, placed = after.disturbed()
        groups = self._groups({int(one.reason) for one in instance.appointments})
        blocks: dict[tuple[str, date], list[Block]] = defaultdict(list)
        stranded: dict[date, list[Block]] = defaultdict(list)
        for one in sorted(instance.appointments, key=lambda each: (each.start, each.id)):
            place = placed.get(one.id) or Place(one.counter or "", one.agents)
            for day, block in self._blocks(one, place, groups, lost=one.id in lost):
                if self.first <= day <= self.last:
                    (stranded[day] if one.id in lost else blocks[place.counter, day]).append(block)
        there: dict[tuple[str, date], list[Shift]] = defaultdict(list)
        for day, counter, agent, (start, end) in sorted(shifts):
            known = self.then.agents.get(str(agent))
            if known is not None:
                there[counter, day].append(Shift(start_minute=start, end_minute=end, agent=known.display_name))
        dates = list(_days(self.first, self.last))
        counters = []
        for name, record in self.then.counters.items():
            open_at, was, walk = (_by_day(outlook.ranges(name)) for outlook in (after, before, queue))
            counters.append(
                CounterWeek(
                    label=record.label,
                    days={
                        day: CounterDay(
                            open=tuple(open_at.get(day, ())),
                            before=None if self.draft is None else tuple(was.get(day, ())),
                            walk_in=tuple(walk.get(day, ())),
                            blocks=tuple(blocks.get((name, day), ())),
                            shifts=tuple(there.get((name, day), ())),
                        )
                        for day in dates
                    },
                )
            )
        shown = {b.group for those in (*blocks.values(), *stranded.values()) for b in those}
        return Week(
            office=self.then.office.name,
            code=self.then.office.code,
            dates=dates,
            counters=counters,
            stranded=stranded,
            holidays=frozenset(one.date for one in instance.exceptions if one.holiday),
            groups={at: self._label(node) for at, node in enumerate(dict.fromkeys(groups.values())) if at in shown},
            draft=self.draft,
        )

    def _blocks(
        self, one: Appointment, place: Place, groups: dict[int, int], *, lost: bool
    ) -> Iterator[tuple[date, Block]]:
        """Return an appointment day by day."""
        zone = self.then.instance.zone
        end = one.start + timedelta(minutes=one.duration_minutes)
        until = end + timedelta(minutes=one.buffer_minutes)
        reason = int(one.reason)
        names = [self.then.agents[agent].display_name for agent in place.agents if agent in self.then.agents]
        for day in _days(local_day(one.start, zone.key), local_day(until - timedelta(microseconds=1), zone.key)):
            yield (
                day,
                Block(
                    start_minute=_minute(one.start, day, zone),
                    end_minute=_minute(end, day, zone),
                    until_minute=_minute(until, day, zone),
                    reason=self._label(reason),
                    group=list(dict.fromkeys(groups.values())).index(groups[reason]),
                    state=self._state(one, place, lost=lost),
                    agents=tuple(names),
                ),
            )

    def _state(self, one: Appointment, place: Place, *, lost: bool) -> State:
        if lost:
            return State.STRANDED
        if self.effect is not None and int(one.id) in self.effect.moves and place.counter != one.counter:
            return State.MOVED
        return STATES.get(one.status, State.BOOKED)

    def _label(self, reason: int) -> str:
        labels = self.then.reasons[reason].labels
        return labels.get(self.language) or next(iter(labels.values()))

    def _groups(self, reasons: set[int]) -> dict[int, int]:
        """Return what reasons are coloured by: their roots, or what is below where all have the same root."""
        paths = {reason: self._path(reason) for reason in sorted(reasons)}
        level = 0 if len({path[0] for path in paths.values()}) != 1 else 1
        return {reason: path[min(level, len(path) - 1)] for reason, path in paths.items()}

    def _path(self, reason: int) -> list[int]:
        parent = self.then.reasons[reason].parent_id
        return [reason] if parent is None else [*self._path(parent), reason]


def _minute(moment: datetime, day: date, zone: ZoneInfo) -> int:
    """Return where on a day's clock a moment is: its begin or end where it is before or after the day."""
    local = moment.astimezone(zone)
    if local.date() != day:
        return 0 if local.date() < day else MINUTES_PER_DAY
    return local.hour * 60 + local.minute


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _by_day(ranges: Iterable[Range]) -> dict[date, list[Span]]:
    found: dict[date, list[Span]] = defaultdict(list)
    for day, start, end in ranges:
        found[day].append((start, end))
    return found
