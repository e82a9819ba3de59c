"""An `rdv-instance/1` document becomes an `Instance`, or a `MalformedInstance` that names the path and the fault.

Two steps. `wire.py` checks each field by itself. Then this module builds the values and checks what fields say about
each other, each rule where the value is built: ends after starts, references to things that exist, ids given once, a
size that can be answered. Nothing is repaired: a document that contradicts itself is refused, because every answer to
it would be wrong for someone.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from pydantic import ValidationError

from rdv.engine import wire
from rdv.engine.values import (
    Agent,
    Appointment,
    Closure,
    Counter,
    DayException,
    Instance,
    Opening,
    Query,
    Reason,
    Rules,
    Status,
    WallRange,
)

MAX_ALL_OPENINGS = 20_000  # openings of all owners together
MAX_AGENDA_DAYS = 1_000_000  # (counters + agents) x days from the first to the last appointment or query
MAX_OPENING_DAYS = 10_000_000  # recurring openings of all owners x the same days
MAX_ASKED_DAYS = 200_000  # days of all queries together: as many lists of starts
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class MalformedInstance(ValueError):
    """A document is no instance; `path` says where (empty: the document as a whole), `fault` says what.

    Its text is always one line of at most some hundred characters, whatever the document contains.
    """

    def __init__(self, path: str, fault: str) -> None:
        self.path = path
        self.fault = fault
        line = f"{path}: {fault}" if path else fault
        super().__init__("".join(c if c.isprintable() else repr(c)[1:-1] for c in line)[:500])


def parse_instance(document: object) -> Instance:
    """Turn a parsed JSON document into an instance; raises MalformedInstance."""
    try:
        shape = wire.InstanceShape.model_validate(document)
    except ValidationError as error:
        raise malformed(error) from None
    instance = _instance(shape)
    _check_size(instance)
    _check_pins(instance)
    return instance


def malformed(error: ValidationError) -> MalformedInstance:
    """Return the first of a document's faults."""
    first: Any = error.errors(include_url=False, include_input=False)[0]
    faults = {"missing": "is missing", "extra_forbidden": "is not a known field"}
    fault = faults.get(first["type"], str(first["msg"]).removeprefix("Value error, "))
    return MalformedInstance(_path(first["loc"]), fault[:1].lower() + fault[1:])


def _path(places: Iterable[object]) -> str:
    """Write a place in a document: `counters[1].openings[0].end`."""
    path = ""
    for place in places:
        if isinstance(place, int):
            path += f"[{place}]"
        elif _IDENTIFIER.fullmatch(str(place)):
            path += f".{place}" if path else str(place)
        else:
            path += f'["{str(place)[: wire.MAX_TEXT]}"]'
    return path


class _Ids:
    """The ids of one list, each given once; refuses references to others."""

    def __init__(self, path: str, noun: str, ids: Iterable[str]) -> None:
        self.noun = noun
        self.known: set[str] = set()
        for at, one in enumerate(ids):
            if one in self.known:
                raise MalformedInstance(f"{path}[{at}].id", f'"{one}" is already the id of another {noun}')
            self.known.add(one)

    def one(self, path: str, wanted: str) -> str:
        if wanted not in self.known:
            raise MalformedInstance(path, f'unknown {self.noun} "{wanted}"')
        return wanted

    def some(self, path: str, wanted: Sequence[str] | None) -> frozenset[str] | None:
        if wanted is None:
            return None
        return frozenset(self.one(f"{path}[{at}]", one) for at, one in enumerate(wanted))


def _instance(shape: wire.InstanceShape) -> Instance:
    _check_openings(shape)
    reasons = _Ids("reasons", "reason", (r.id for r in shape.reasons))
    counters = _Ids("counters", "counter", (c.id for c in shape.counters))
    agents = None if shape.agents is None else _Ids("agents", "agent", (a.id for a in shape.agents))
    _Ids("appointments", "appointment", (a.id for a in shape.appointments))
    by_id = {reason.id: reason for reason in shape.reasons}
    return Instance(
        zone=shape.time_zone,
        now=shape.now,
        rules=Rules(
            step_minutes=shape.office.step_minutes,
            min_lead_minutes=shape.office.min_lead_minutes,
            max_lead_days=shape.office.max_lead_days,
            policy=shape.office.policy,
        ),
        openings=_openings("openings", shape.openings),
        exceptions=_exceptions("exceptions", shape.exceptions),
        closures=tuple(_closure(f"closures[{at}]", c, counters) for at, c in enumerate(shape.closures)),
        reasons=tuple(map(_reason, shape.reasons)),
        counters=tuple(_counter(f"counters[{at}]", c, reasons) for at, c in enumerate(shape.counters)),
        agents=None
        if shape.agents is None
        else tuple(_agent(f"agents[{at}]", a, reasons, counters) for at, a in enumerate(shape.agents)),
        appointments=tuple(
            _appointment(f"appointments[{at}]", a, by_id, counters, agents) for at, a in enumerate(shape.appointments)
        ),
        queries=tuple(_query(f"queries[{at}]", q, reasons) for at, q in enumerate(shape.queries)),
    )


def _openings(path: str, shapes: Sequence[wire.OpeningShape]) -> tuple[Opening, ...]:
    return tuple(_opening(f"{path}[{at}]", shape) for at, shape in enumerate(shapes))


def _opening(path: str, shape: wire.OpeningShape) -> Opening:
    if (shape.date is None) == (shape.weekdays is None):
        raise MalformedInstance(path, "has neither weekdays nor a date" if shape.date is None else "has both of them")
    recurring = {"from", "until", "every_weeks", "nth_of_month"}
    written = {"from" if name == "from_" else name for name in shape.model_fields_set}
    if shape.date is not None and written & recurring:
        raise MalformedInstance(f"{path}.{min(written & recurring)}", "is not for an opening by date")
    if shape.every_weeks > 1 and shape.from_ is None:
        raise MalformedInstance(f"{path}.every_weeks", "above 1 needs a from")
    if shape.from_ is not None and shape.until is not None and shape.until < shape.from_:
        raise MalformedInstance(f"{path}.until", f"{shape.until} is before from {shape.from_}")
    _check_order(f"{path}.end", shape.start, shape.end)
    return Opening(
        start_minute=shape.start,
        end_minute=shape.end,
        date=shape.date,
        weekdays=frozenset(wire.WEEKDAYS.index(name) + 1 for name in shape.weekdays or ()),
        from_date=shape.from_,
        until_date=shape.until,
        every_weeks=shape.every_weeks,
        nth_of_month=None if shape.nth_of_month is None else frozenset(shape.nth_of_month),
    )


def _check_order(path: str, start: int, end: int) -> None:
    if end <= start:
        raise MalformedInstance(path, f"{clock_time(end)} is not after start {clock_time(start)}")


def clock_time(minute: int) -> str:
    """Write a minute of the day: 09:00."""
    return f"{minute // 60:02}:{minute % 60:02}"


def _exceptions(path: str, shapes: Sequence[wire.ExceptionShape]) -> tuple[DayException, ...]:
    exceptions = []
    for at, shape in enumerate(shapes):
        for nth, (start, end) in enumerate(shape.openings):
            _check_order(f"{path}[{at}].openings[{nth}][1]", start, end)
        ranges = tuple((start, end) for start, end in shape.openings)
        # The format has no word for holidays: a day without any range is taken for one.
        exceptions.append(DayException(date=shape.date, ranges=ranges, holiday=not ranges))
    return tuple(exceptions)


def _check_range(path: str, shape: wire.RangeShape) -> None:
    if shape.to <= shape.from_:
        to, begin = (f"{day}T{clock_time(minute)}" for day, minute in (shape.to, shape.from_))
        raise MalformedInstance(f"{path}.to", f"{to} is not after from {begin}")


def _closure(path: str, shape: wire.ClosureShape, counters: _Ids) -> Closure:
    _check_range(path, shape)
    return Closure(
        from_date=shape.from_[0],
        from_minute=shape.from_[1],
        to_date=shape.to[0],
        to_minute=shape.to[1],
        counters=counters.some(f"{path}.counters", shape.counters),
    )


def _absence(path: str, shape: wire.RangeShape) -> WallRange:
    _check_range(path, shape)
    return WallRange(from_date=shape.from_[0], from_minute=shape.from_[1], to_date=shape.to[0], to_minute=shape.to[1])


def _reason(shape: wire.ReasonShape) -> Reason:
    step = (shape.step_minutes or 0) if "step_minutes" in shape.model_fields_set else None
    return Reason(
        id=shape.id,
        duration_minutes=shape.duration_minutes,
        buffer_minutes=shape.buffer_minutes,
        agents=shape.agents,
        step_minutes=step,
    )


def _counter(path: str, shape: wire.CounterShape, reasons: _Ids) -> Counter:
    return Counter(
        id=shape.id,
        openings=_openings(f"{path}.openings", shape.openings),
        exceptions=_exceptions(f"{path}.exceptions", shape.exceptions),
        reasons=reasons.some(f"{path}.reasons", shape.reasons),
        channels=None if shape.channels is None else frozenset(shape.channels),
        modalities=None if shape.modalities is None else frozenset(shape.modalities),
        exposed=shape.exposed,
    )


def _agent(path: str, shape: wire.AgentShape, reasons: _Ids, counters: _Ids) -> Agent:
    return Agent(
        id=shape.id,
        reasons=reasons.some(f"{path}.reasons", shape.reasons),
        counters=counters.some(f"{path}.counters", shape.counters),
        openings=_openings(f"{path}.openings", shape.openings),
        exceptions=_exceptions(f"{path}.exceptions", shape.exceptions),
        absences=tuple(_absence(f"{path}.absences[{at}]", a) for at, a in enumerate(shape.absences)),
    )


def _appointment(
    path: str,
    shape: wire.AppointmentShape,
    reasons: dict[str, wire.ReasonShape],
    counters: _Ids,
    agents: _Ids | None,
) -> Appointment:
    reason = reasons.get(shape.reason)
    if reason is None:
        raise MalformedInstance(f"{path}.reason", f'unknown reason "{shape.reason}"')
    if shape.counter is not None:
        counters.one(f"{path}.counter", shape.counter)
    serving = tuple(shape.agents or ())
    if agents is not None:  # without a list of agents there is nothing the names could refer to
        agents.some(f"{path}.agents", serving)
    if len(set(serving)) < len(serving):
        raise MalformedInstance(f"{path}.agents", "names an agent twice")
    return Appointment(
        id=shape.id,
        reason=shape.reason,
        start=shape.start,
        duration_minutes=reason.duration_minutes if shape.duration_minutes is None else shape.duration_minutes,
        buffer_minutes=reason.buffer_minutes if shape.buffer_minutes is None else shape.buffer_minutes,
        channel=shape.channel,
        modality=shape.modality,
        counter=shape.counter,
        agents=serving,
        pinned=shape.pinned,
        status=Status(shape.status),
        expires_at=shape.expires_at,
    )


def _query(path: str, shape: wire.QueryShape, reasons: _Ids) -> Query:
    days = (shape.to - shape.from_).days + 1
    if days < 1:
        raise MalformedInstance(f"{path}.to", f"{shape.to} is before from {shape.from_}")
    if days > wire.MAX_QUERY_DAYS:
        raise MalformedInstance(f"{path}.to", f"{days} days are more than {wire.MAX_QUERY_DAYS}")
    return Query(
        reason=reasons.one(f"{path}.reason", shape.reason),
        from_date=shape.from_,
        to_date=shape.to,
        channel=shape.channel,
        modality=shape.modality,
        replacing=shape.replacing,
    )


def _check_openings(shape: wire.InstanceShape) -> None:
    owners = (*shape.counters, *(shape.agents or ()))
    count = len(shape.openings) + sum(len(owner.openings) for owner in owners)
    if count > MAX_ALL_OPENINGS:
        raise MalformedInstance("", f"{count} openings are more than {MAX_ALL_OPENINGS}")


def _check_size(instance: Instance) -> None:
    """Refuse what would take gigabytes or hours: very many agendas or openings over very many days."""
    days = [day.toordinal() for query in instance.queries for day in (query.from_date, query.to_date)]
    days += [a.start.toordinal() for a in instance.appointments if a.takes_room(instance.now)]
    span = max(days) - min(days) + 1 if days else 0
    asked = sum((query.to_date - query.from_date).days + 1 for query in instance.queries)
    if asked > MAX_ASKED_DAYS:
        raise MalformedInstance("queries", f"{asked} days in all are more than {MAX_ASKED_DAYS}")
    agendas = len(instance.counters) + len(instance.agents or ())
    if span * agendas > MAX_AGENDA_DAYS:
        raise MalformedInstance("", f"{agendas} counters and agents over {span} days are too many")
    owners: list[Instance | Counter | Agent] = [instance, *instance.counters, *(instance.agents or ())]
    openings = sum(opening.date is None for owner in owners for opening in owner.openings)
    if span * openings > MAX_OPENING_DAYS:
        raise MalformedInstance("", f"{openings} recurring openings over {span} days are too many")


def _check_pins(instance: Instance) -> None:
    """Refuse pinned appointments that use one counter or one agent at once: no plan could keep them all."""
    pinned = [(at, a) for at, a in enumerate(instance.appointments) if a.pinned and a.takes_room(instance.now)]
    counters = ((a.counter, "counter", at) for at, a in pinned if a.counter is not None)
    agents = ((agent, f"agents[{nth}]", at) for at, a in pinned for nth, agent in enumerate(a.agents))
    used = [*counters, *(agents if instance.agents is not None else ())]
    by_user: dict[tuple[bool, str], list[tuple[datetime, int, str]]] = {}
    for name, field, at in used:
        by_user.setdefault((field == "counter", name), []).append((instance.appointments[at].start, at, field))
    for (_, name), uses in by_user.items():
        uses.sort()
        for (_, one, _), (start, other, field) in pairwise(uses):
            earlier = instance.appointments[one]
            if start < earlier.start + timedelta(minutes=earlier.duration_minutes + earlier.buffer_minutes):
                fault = f'"{name}" is pinned to appointment "{earlier.id}" at the same time'
                raise MalformedInstance(f"appointments[{other}].{field}", fault)
