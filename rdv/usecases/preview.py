"""What intended changes would lead to, before anyone outside sees it, and with nothing changed.

The changes are written and taken back (`changing.try_out`); the engine compares the office before and after them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from rdv.engine.outlook import Outlook, Range
from rdv.engine.values import Answer, Appointment, Channel, Modality, Query, WhyNot
from rdv.errors import InvalidInput
from rdv.integrations.viewer import Viewer
from rdv.models.appointment_reads import AgentRecord
from rdv.models.bookings import local_day
from rdv.models.office_reads import CounterRecord, OfficeRecord
from rdv.models.reason_tree import ReasonNode
from rdv.models.situation import Situation
from rdv.usecases.agendas import Agenda
from rdv.usecases.changing import FURTHEST_DAYS, ChangeRequest, try_out
from rdv.usecases.effects import Effect, Written, effect_of, settled
from rdv.usecases.offices import id_from
from rdv.usecases.rationing import Rationing
from rdv.usecases.services import Services
from rdv.usecases.slots import SlotsFound, nearest

MOST_DAYS = 370
MOST_ALTERNATIVES = 3
ALTERNATIVE_DAYS = 28  # around the time that is lost
MOST_WITH_ALTERNATIVES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRequest:
    """Changes, the days to look at, and for whom; `reason_ids` None = every reason that can be booked there."""

    change: ChangeRequest
    first: date
    last: date
    channel: Channel = Channel.INTERNET
    reason_ids: Sequence[str] | None = None
    explain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonPreview:
    """How many starts of a reason each day offers, before and after; `why` of days that offer none after."""

    node: ReasonNode
    before: dict[date, int]
    after: dict[date, int]
    why: tuple[WhyNot, ...]
    found: SlotsFound  # what `why` is about


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterPreview:
    """When a counter is open, before and after; None = it is not there."""

    was: CounterRecord | None
    will_be: CounterRecord | None
    before: tuple[Range, ...]
    after: tuple[Range, ...]
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPreview:
    """How long an agent receives and is there, before and after, in minutes."""

    agent: AgentRecord
    served_before: int
    served_after: int
    present_before: int
    present_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranded:
    """An appointment that would lose its place, and free starts nearest to it after the changes."""

    appointment_id: int
    alternatives: tuple[datetime, ...]
    duration_minutes: int
    modality: Modality


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What changes would lead to; `office` is as it would be."""

    office: OfficeRecord
    situation: Situation
    version: str
    reasons: tuple[ReasonPreview, ...]
    counters: tuple[CounterPreview, ...]
    agents: tuple[AgentPreview, ...]
    stranded: tuple[Stranded, ...]
    effect: Effect


async def preview(services: Services, viewer: Viewer, request: PreviewRequest) -> Preview:
    """Return what changes would lead to on some days; raises what making them would."""
    if request.last < request.first:
        raise InvalidInput("to", "The last day is before the first.")
    today = local_day(services.clock(), "UTC")
    for name, day in (("from", request.first), ("to", request.last)):
        if abs((day - today).days) > FURTHEST_DAYS:
            raise InvalidInput(name, "At most {most} days ahead.", most=FURTHEST_DAYS)
    if (request.last - request.first).days >= MOST_DAYS:
        raise InvalidInput("to", "Ask for at most {most} days.", most=MOST_DAYS)
    written = await try_out(services, viewer, request.change, request.last)
    if request.first < written.today:
        raise InvalidInput("from", "A preview begins today at the earliest.")
    return await services.agendas.in_thread(lambda: _Comparison(written, request).preview())


class _Comparison:
    """The office before and after changes, on the days of a preview."""

    def __init__(self, written: Written, request: PreviewRequest) -> None:
        self.written = written
        self.request = request
        self.before = Outlook(written.before.instance, request.first, request.last)
        self.effect = effect_of(written)
        self.after = Outlook(settled(written.after.instance, self.effect), request.first, request.last)
        # What quotas, kept time and delegations leave, where there are any.
        self.rationing = {id(outlook): _rationing(*side) for side in self._sides() for outlook in side[1:]}

    def preview(self) -> Preview:
        after, effect = self.written.after, self.effect
        return Preview(
            office=after.office,
            situation=after,
            version=self.written.version,
            reasons=tuple(self._reason(node) for node in self._nodes()),
            counters=tuple(self._counters()),
            agents=tuple(self._agents()),
            stranded=tuple(self._stranded(effect)),
            effect=effect,
        )

    def _nodes(self) -> list[ReasonNode]:
        bookable = [n for n in self.written.after.reasons.values() if n.bookable]
        if self.request.reason_ids is not None:
            wanted = {id_from(one, field="reasonIds") for one in self.request.reason_ids}
            return [node for node in bookable if node.id in wanted]
        was = self.written.before.reasons
        return [node for node in bookable if node.served or was[node.id].served]

    def _reason(self, node: ReasonNode) -> ReasonPreview:
        before, after = (self._starts(*side, node.id) for side in self._sides())
        query = self._query(node)
        why: tuple[WhyNot, ...] = ()
        if self.request.explain and node.served:
            answer = _rationed(self.rationing[id(self.after)], self.after.answer(query, explain=True), query)
            why = tuple(w for w in answer.why if w.date not in after)
        agenda = Agenda(self.written.after, self.after.office)
        found = SlotsFound(agenda=agenda, reason=node, query=query, answer=Answer(starts=(), remaining=(), why=why))
        return ReasonPreview(node=node, before=before, after=after, why=why, found=found)

    def _sides(self) -> tuple[tuple[Situation, Outlook], tuple[Situation, Outlook]]:
        return (self.written.before, self.before), (self.written.after, self.after)

    def _starts(self, situation: Situation, outlook: Outlook, reason: int) -> dict[date, int]:
        node = situation.reasons[reason]
        if not (node.served and situation.office.open_to_booking):
            return {}
        query, rationing = self._query(node), self.rationing[id(outlook)]
        found = outlook.starts(query)
        return found if rationing is None else {day: n for day, n in found.items() if rationing.left(query, day)[0]}

    def _query(self, node: ReasonNode) -> Query:
        modality = Modality.IN_PERSON if Modality.IN_PERSON in node.modalities else Modality(node.modalities[0])
        return Query(
            reason=str(node.id),
            from_date=self.request.first,
            to_date=self.request.last,
            channel=self.request.channel,
            modality=modality,
        )

    def _counters(self) -> list[CounterPreview]:
        was, will_be = self.written.before.counters, self.written.after.counters
        return [
            CounterPreview(
                was=was.get(one),
                will_be=will_be.get(one),
                before=tuple(self.before.ranges(one)),
                after=tuple(self.after.ranges(one)),
                changed=was.get(one) != will_be.get(one) or self.before.differs(one, self.after),
            )
            for one in {**was, **will_be}
        ]

    def _agents(self) -> list[AgentPreview]:
        known = {**self.written.before.agents, **self.written.after.agents}
        served = [outlook.served_minutes(*outlook.disturbed()) for _, outlook in self._sides()]
        present = [outlook.present_minutes() for _, outlook in self._sides()]
        return [
            AgentPreview(
                agent=record,
                served_before=served[0].get(one, 0),
                served_after=served[1].get(one, 0),
                present_before=present[0].get(one, 0),
                present_after=present[1].get(one, 0),
            )
            for one, record in known.items()
        ]

    def _stranded(self, effect: Effect) -> list[Stranded]:
        ids = {str(one) for one in effect.stranded}
        lost = {one.id: one for one in self.written.after.instance.appointments if one.id in ids}
        # Whom to offer another time may lie outside the days that are looked at.
        beyond = Outlook(self.after.instance, self.written.today, self._last_alternative(list(lost.values())))
        rationing = _rationing(self.written.after, beyond)
        return [self._lost(lost[str(one)], beyond, rationing, at) for at, one in enumerate(effect.stranded)]

    def _last_alternative(self, lost: Sequence[Appointment]) -> date:
        days = [one.start.date() for one in lost[:MOST_WITH_ALTERNATIVES]]
        return max(days, default=self.written.today) + timedelta(days=ALTERNATIVE_DAYS)

    def _lost(self, one: Appointment, beyond: Outlook, rationing: Rationing | None, at: int) -> Stranded:
        day = one.start.astimezone(beyond.instance.zone).date()
        node = self.written.after.reasons[int(one.reason)]
        starts: list[datetime] = []
        if node.served and at < MOST_WITH_ALTERNATIVES:
            query = replace(
                self._query(node),
                from_date=max(day - timedelta(days=ALTERNATIVE_DAYS), beyond.first),
                to_date=min(day + timedelta(days=ALTERNATIVE_DAYS), beyond.last),
                channel=one.channel,
                modality=one.modality,
            )
            free = _rationed(rationing, beyond.answer(query), query)
            starts = nearest(free.starts, one.start, MOST_ALTERNATIVES)
        return Stranded(
            appointment_id=int(one.id),
            alternatives=tuple(starts),
            duration_minutes=node.duration_minutes,
            modality=one.modality,
        )


def _rationing(situation: Situation, outlook: Outlook) -> Rationing | None:
    """Return what quotas, kept time and delegations leave, where there are any."""
    return Rationing(situation, outlook.office) if situation.quotas or situation.delegated else None


def _rationed(rationing: Rationing | None, answer: Answer, query: Query) -> Answer:
    return answer if rationing is None else rationing.applied(answer, query, explain=True)
