"""From rows to the engine's values: any number of offices' situations in one statement, whatever their size.

What is read is integers and short arrays in one JSON text per office, and its appointments packed (`packed.py`): an
agenda costs a small part of what entities cost. Engine ids are the rows' ids as texts, so nothing personal gets into
the engine.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from rdv.engine import values
from rdv.engine.columns import Columns
from rdv.models import packed
from rdv.models.appointment_reads import AgentRecord
from rdv.models.booking_horizon import FURTHEST_DAYS, BookingHorizon, horizon_at
from rdv.models.cuts import outside
from rdv.models.database import packed_rows
from rdv.models.delegation import Delegated, delegated_from
from rdv.models.freeze import freeze_at
from rdv.models.nation import Nation
from rdv.models.office_reads import OFFICE_COLUMNS, CounterRecord, OfficeRecord, counter_record, office_record
from rdv.models.quotas import Quotas, quotas_from
from rdv.models.reads import Version
from rdv.models.reason_tree import ReasonNode, ReasonTree, overrides_from

# The day versions only grow, so their sum does.
VERSION_COLUMNS = """
o.version as office_version, (select version from national_version) as national_version,
(select coalesce(sum(d.version), 0)::bigint from office_day d
 where d.office_id = o.id and d.day between :first and :last) as days_version
"""

LIVE = """a.office_id = o.id and a.day between :first and :last
 and a.status in ('HELD', 'BOOKED', 'ARRIVED', 'IN_PROGRESS') and (a.status <> 'HELD' or a.expires_at > :now)
 and (a.stranded_since is null or :stranded)"""

# One row an office: everything its engine instance needs for the days :first to :last.
SITUATIONS = f"""
select {OFFICE_COLUMNS},
       {VERSION_COLUMNS},
       json_build_object(
         'counters', (select json_agg(json_build_array(id, label, exposed, reason_ids, channels, modalities, retired)
                             order by id) from counter c where office_id = o.id and (not retired or id in (
                             select a.counter_id from appointment a where {LIVE}))),
         'agents', (select json_agg(json_build_array(id, reason_ids, counter_ids, display_name, retired) order by id)
                    from agent e where office_id = o.id and o.staffed and (not retired or id in (
                    select g.agent_id from appointment_agent g join appointment a on a.id = g.appointment_id
                    where {LIVE}))),
         'overrides', (select json_agg(json_build_array(reason_id, served, duration_minutes, buffer_minutes,
                              agents_required, modalities)) from office_reason where office_id = o.id),
         'openings', (select json_agg(json_build_array(counter_id, agent_id, on_date, weekdays, from_date, until_date,
                             every_weeks, nth_of_month, start_minute, end_minute) order by id)
                      from opening where office_id = o.id and layer = :layer
                       and coalesce(on_date, until_date, :first) >= :first
                       and coalesce(on_date, from_date, :last) <= :last),
         'owners', (select json_agg(distinct jsonb_build_array(counter_id, agent_id, application_id is not null))
                    from opening where office_id = o.id and layer = :layer),
         'periods', (select json_agg(json_build_array(counter_id, from_date, until_date)) from template_application
                     where office_id = o.id and counter_id is not null),
         'exceptions', (select json_agg(json_build_array(counter_id, agent_id, on_date, start_minute, end_minute)
                               order by id)
                        from day_exception e where office_id = o.id and on_date between :first and :last
                         and (source is null or (:rostered)) and (:layer = 'APPOINTMENT' or start_minute is null)
                         and (source is not null or not (:rostered) or not exists (
                         select 1 from day_exception r where r.office_id = o.id and r.source = 'ROSTER'
                          and r.on_date = e.on_date and r.counter_id is not distinct from e.counter_id
                          and r.agent_id is not distinct from e.agent_id))),
         'closures', (select json_agg(json_build_array(counter_ids, agent_id, from_date, from_minute, to_date,
                             to_minute) order by id)
                      from closure where office_id = o.id and to_date >= :first and from_date <= :last),
         'quotas', (select json_agg(json_build_array(reason_id, most_a_day)) from reason_quota where office_id = o.id),
         'shares', (select json_agg(json_build_array(channel, percent)) from channel_share where office_id = o.id),
         'delegations', (select json_agg(json_build_array(id, to_office_id, reason_id, share_percent, channels,
                                from_date, until_date)) from delegation where office_id = o.id and status = 'ACCEPTED'
                          and from_date <= :last and coalesce(until_date, :first) >= :first)
       )::text as document,
       (select {packed.APPOINTMENTS} from appointment a where {LIVE}) as appointments,
       (select {packed.SERVED_BY} from appointment a join appointment_agent g on g.appointment_id = a.id
        where {LIVE}) as served_by,
       (select {packed.DAYS} from office_day d where d.office_id = o.id and d.day between :first and :last) as days
from office o join site s on s.id = o.site_id
where o.id = any(:offices)
"""

T = TypeVar("T")


class Run(Protocol):
    """Does what takes its time where it holds nobody up."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]: ...


LONG_PAST = values.Opening(date=date(1970, 1, 1), start_minute=0, end_minute=1)
Period = tuple[date, date | None]
PAD = timedelta(days=1)  # appointments across midnight, and zones on either side of UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """One office's situation for some days: its record, every reason as it has it, and the engine's instance.

    `counters` and `agents` in use are by the engine's ids, as people see them; agents only where they are assigned.
    Appointments of frozen days are pinned in it; in `listed` they are as they were read. It holds until `until`, when
    another day's are, or another day opens to booking, whatever the versions say. `days`: their versions, packed.
    """

    office: OfficeRecord
    tree: ReasonTree
    reasons: Mapping[int, ReasonNode]
    counters: Mapping[str, CounterRecord]
    agents: Mapping[str, AgentRecord]
    instance: values.Instance
    listed: packed.Listed
    horizon: BookingHorizon
    quotas: Quotas
    delegated: tuple[Delegated, ...]
    until: datetime
    version: Version
    days: bytes | None


async def directly(work: Callable[[], T]) -> T:
    """Do something here and now."""
    return work()


async def load_situations(
    connection: AsyncConnection,
    nation: Nation,
    offices: Sequence[int],
    *,
    first: date,
    last: date,
    now: datetime,
    stranded: bool = False,
    movable: bool = False,
    rostered: bool = True,
    layer: str = "APPOINTMENT",
    run: Run = directly,
) -> dict[int, Situation]:
    """Read offices' situations for the local days `first` to `last` in one statement; unknown ids are left out.

    `stranded`: with the appointments that are known to fit nowhere; otherwise these take no room. `movable`: those of
    frozen days may move all the same. Not `rostered`: as if no roster was published. `layer` WALK_IN: with the hours
    for coming without an appointment in the place of the others. `run`: where rows are turned into values. One
    statement more for each office that counts open days, when the days do not begin today or end before the last that
    can be booked.
    """
    bound = parameters(offices, first, last, now, stranded=stranded, rostered=rostered, layer=layer)
    rows = await packed_rows(connection, SITUATIONS, bound)
    days = (first - PAD, last + PAD)
    found = await run(lambda: {row["id"]: _situation(row, nation, days, now, movable=movable) for row in rows})
    for identity, one in found.items():
        if one.office.lead_in_open_days and not _decides(one, first, last, now):
            today = now.astimezone(one.instance.zone).date()
            later = today + timedelta(days=FURTHEST_DAYS)
            whole = await load_situations(connection, nation, [identity], first=today, last=later, now=now, run=run)
            found[identity] = _with_horizon(one, whole[identity].horizon)
    return found


def _decides(situation: Situation, first: date, last: date, now: datetime) -> bool:
    """Tell whether the days read are all that the horizon depends on."""
    today = now.astimezone(situation.instance.zone).date()
    days = situation.horizon.days
    return first <= today and (days is None or today + timedelta(days=days) <= last)


def _with_horizon(situation: Situation, horizon: BookingHorizon) -> Situation:
    rules = replace(situation.instance.rules, max_lead_days=horizon.days)
    return replace(situation, horizon=horizon, instance=replace(situation.instance, rules=rules))


def parameters(
    offices: Sequence[int],
    first: date,
    last: date,
    now: datetime,
    *,
    stranded: bool = False,
    rostered: bool = True,
    layer: str = "APPOINTMENT",
) -> dict[str, Any]:
    """Return what `SITUATIONS` is bound to."""
    days = {"first": first - PAD, "last": last + PAD}
    asked = {"now": now, "stranded": stranded, "rostered": rostered, "layer": layer}
    return {"offices": list(offices), **days, **asked, **packed.NAMES}


def _situation(
    row: Mapping[str, Any], nation: Nation, days: tuple[date, date], now: datetime, *, movable: bool
) -> Situation:
    tree, holidays = nation.tree, nation.holidays.on(row["departement"], *days)
    document = {name: rows or [] for name, rows in orjson.loads(row["document"]).items()}
    record = office_record(row)
    freeze = freeze_at(record, now)
    reasons = tree.at_office(record.kind, overrides_from(document["overrides"]))
    listed = packed.listed(row["appointments"], row["served_by"])
    appointments = listed.columns
    instance = _Reader(document, record, tree, reasons, holidays).instance(
        now, appointments if movable else appointments.pinned_before(freeze.before)
    )
    horizon = horizon_at(record, instance, now)
    return Situation(
        office=record,
        tree=tree,
        reasons=reasons,
        counters={str(one[0]): counter_record(record.id, *one[:-1]) for one in document["counters"] if not one[-1]},
        agents={str(one[0]): AgentRecord(id=one[0], display_name=one[3]) for one in document["agents"] if not one[-1]},
        instance=replace(instance, rules=replace(instance.rules, max_lead_days=horizon.days)),
        listed=listed,
        horizon=horizon,
        quotas=quotas_from(document["quotas"], document["shares"]),
        delegated=delegated_from(document["delegations"], tree),
        until=freeze.until if horizon.until is None else min(freeze.until, horizon.until),
        # The nation was read before: with the version it had then, a change in between is found out next time.
        version=Version(row["office_version"], nation.version, row["days_version"]),
        days=row["days"],
    )


class _Reader:
    """Turns one office's document into an instance."""

    def __init__(
        self,
        document: dict[str, list[Any]],
        record: OfficeRecord,
        tree: ReasonTree,
        reasons: Mapping[int, ReasonNode],
        holidays: frozenset[date],
    ) -> None:
        self.document = document
        self.record = record
        self.tree = tree
        self.reasons = reasons
        self.openings: dict[tuple[int | None, int | None], list[values.Opening]] = {}
        for counter, agent, *rest in document["openings"]:
            self.openings.setdefault((counter, agent), []).append(_opening(rest))
        # Whoever has openings, but none in these days, is closed; without any they would have the office's.
        for counter, agent, _ in document["owners"]:
            self.openings.setdefault((counter, agent), [LONG_PAST])
        self.exceptions = self._exceptions()
        self._fill_up_with_the_offices()
        own = {e.date for e in self.exceptions.get((None, None), ())}
        self.holidays = tuple(values.DayException(date=day, holiday=True) for day in sorted(holidays - own))

    def instance(self, now: datetime, appointments: Columns) -> values.Instance:
        record = self.record
        booked = set(map(int, appointments.reason.names))
        return values.Instance(
            zone=ZoneInfo(record.time_zone),
            now=now,
            rules=values.Rules(
                step_minutes=record.step_minutes,
                min_lead_minutes=record.min_lead_minutes,
                max_lead_days=record.max_lead_days,
                policy=values.Policy(record.slot_policy.lower()),
            ),
            openings=tuple(self.openings.get((None, None), ())),
            exceptions=(*self.exceptions.get((None, None), ()), *self.holidays),
            closures=tuple(self._closures()),
            reasons=tuple(_reason(node) for node in self.reasons.values() if node.bookable or node.id in booked),
            counters=tuple(map(self._counter, self.document["counters"])),
            agents=tuple(map(self._agent, self.document["agents"])) if record.staffed else None,
            appointments=appointments,
        )

    def _fill_up_with_the_offices(self) -> None:
        """Outside the periods for which it has templates of its own, a counter without other hours has the office's."""
        always = {counter for counter, _, applied in self.document["owners"] if not applied}
        periods: dict[int, list[Period]] = {}
        for counter, first, last in self.document["periods"]:
            if counter not in always:
                periods.setdefault(counter, []).append((date.fromisoformat(first), _date(last)))
        for counter, own in periods.items():
            around = self.openings.get((None, None), [])
            for first, last in own:
                around = [kept for one in around for kept in outside(one, first, last)]
            self.openings.setdefault((counter, None), []).extend(around)
            exceptions = self.exceptions.setdefault((counter, None), [])
            decided = {one.date for one in exceptions}
            exceptions += [
                one
                for one in self.exceptions.get((None, None), ())
                if one.date not in decided and not any(f <= one.date and (u is None or one.date <= u) for f, u in own)
            ]

    def _exceptions(self) -> dict[tuple[int | None, int | None], list[values.DayException]]:
        ranges: dict[tuple[int | None, int | None, str], list[tuple[int, int]]] = {}
        for counter, agent, day, start, end in self.document["exceptions"]:
            found = ranges.setdefault((counter, agent, day), [])
            if start is not None:
                found.append((start, end))
        grouped: dict[tuple[int | None, int | None], list[values.DayException]] = {}
        for (counter, agent, day), found in ranges.items():
            exception = values.DayException(date=date.fromisoformat(day), ranges=tuple(found))
            grouped.setdefault((counter, agent), []).append(exception)
        return grouped

    def _closures(self) -> list[values.Closure]:
        return [
            values.Closure(**_wall(rest), counters=_texts(counters))
            for counters, agent, *rest in self.document["closures"]
            if agent is None
        ]

    def _counter(self, row: list[Any]) -> values.Counter:
        identity, _label, exposed, reasons, channels, modalities, retired = row
        if retired:
            # Somebody pinned is bound to it all the same, and has no place.
            return values.Counter(id=str(identity), openings=(LONG_PAST,), exposed=False)
        openings = tuple(self.openings.get((identity, None), ()))
        own = tuple(self.exceptions.get((identity, None), ()))
        # A public holiday closes counters with openings of their own too, unless somebody decided otherwise.
        decided = {e.date for e in own}
        closed = tuple(h for h in self.holidays if h.date not in decided) if openings else ()
        return values.Counter(
            id=str(identity),
            openings=openings,
            exceptions=own + closed,
            reasons=self._leaves(reasons),
            channels=None if channels is None else frozenset(map(values.Channel, channels)),
            modalities=None if modalities is None else frozenset(map(values.Modality, modalities)),
            exposed=exposed,
        )

    def _agent(self, row: list[Any]) -> values.Agent:
        identity, reasons, counters, _name, retired = row
        absences = (rest for _, agent, *rest in self.document["closures"] if agent == identity)
        return values.Agent(
            id=str(identity),
            reasons=frozenset() if retired else self._leaves(reasons),
            counters=_texts(counters),
            openings=tuple(self.openings.get((None, identity), ())),
            exceptions=tuple(self.exceptions.get((None, identity), ())),
            absences=tuple(values.WallRange(**_wall(rest)) for rest in absences),
        )

    def _leaves(self, nodes: list[int] | None) -> frozenset[str] | None:
        """A specialisation on a node means every leaf under it."""
        if nodes is None:
            return None
        return frozenset(str(leaf) for node in nodes for leaf in self.tree.leaves(node))


def _opening(values_of_row: list[Any]) -> values.Opening:
    on_date, weekdays, from_date, until_date, every_weeks, nth, start, end = values_of_row
    return values.Opening(
        date=_date(on_date),
        weekdays=frozenset(weekdays),
        from_date=_date(from_date),
        until_date=_date(until_date),
        every_weeks=every_weeks,
        nth_of_month=None if nth is None else frozenset(nth),
        start_minute=start,
        end_minute=end,
    )


def _reason(node: ReasonNode) -> values.Reason:
    return values.Reason(
        id=str(node.id),
        duration_minutes=node.duration_minutes,
        buffer_minutes=node.buffer_minutes,
        agents=node.agents_required,
    )


def _wall(row: list[Any]) -> dict[str, Any]:
    from_date, from_minute, to_date, to_minute = row
    return {
        "from_date": date.fromisoformat(from_date),
        "from_minute": from_minute,
        "to_date": date.fromisoformat(to_date),
        "to_minute": to_minute,
    }


def _texts(ids: list[int] | None) -> frozenset[str] | None:
    return None if ids is None else frozenset(map(str, ids))


def _date(value: str | None) -> date | None:
    return None if value is None else date.fromisoformat(value)
