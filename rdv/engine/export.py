"""Engine values written as documents: `Result` as `rdv-result/1`, `Instance` as `rdv-instance/1`.

Writing an instance and parsing it again gives the same answers. It keeps ids only, nothing about persons; whoever
exports a live office chooses ids that mean nothing outside it. Statuses the format does not know (arrived, in
progress) take room like booked ones and are written as `BOOKED`.
"""

from collections.abc import Iterable
from typing import Any

from rdv.engine.document import clock_time
from rdv.engine.values import (
    MINUTES_PER_DAY,
    Agent,
    Appointment,
    Closure,
    Counter,
    DayException,
    Instance,
    Opening,
    Query,
    Reason,
    Result,
    Status,
    WallRange,
)
from rdv.engine.wire import WEEKDAYS

Document = dict[str, Any]
_WRITTEN_AS = {Status.ARRIVED: "BOOKED", Status.IN_PROGRESS: "BOOKED"}


def result_document(result: Result, *, explain: bool = False) -> Document:
    """Write a result; `why` with `explain` only, `undecided` only where the work budget ran out."""
    results = []
    for answer in result.answers:
        one: Document = {"starts": [s.isoformat() for s in answer.starts], "remaining": list(answer.remaining)}
        if explain:
            one["why"] = [
                {"date": w.date.isoformat(), "code": w.code, "starts": w.starts, "detail": w.detail} for w in answer.why
            ]
        results.append(one)
    places = {
        name: {"counter": place.counter, "agents": list(place.agents)} for name, place in result.assignment.items()
    }
    return {
        "format": "rdv-result/1",
        "results": results,
        "stranded": list(result.stranded),
        "assignment": places,
        **({"undecided": result.undecided} if result.undecided else {}),
    }


def instance_document(instance: Instance) -> Document:
    """Write an instance; absent stays absent, so that defaults are the reader's."""
    rules = instance.rules
    # The format knows no horizon before today: what begins today is then too near.
    closed = rules.max_lead_days is not None and rules.max_lead_days < 0
    lead = max(rules.min_lead_minutes, 2 * MINUTES_PER_DAY) if closed else rules.min_lead_minutes
    return _present(
        format="rdv-instance/1",
        time_zone=instance.zone.key,
        now=instance.now.astimezone(instance.zone).isoformat(),
        office={
            "step_minutes": rules.step_minutes,
            "min_lead_minutes": lead,
            "max_lead_days": 0 if closed else rules.max_lead_days,
            "policy": rules.policy.value,
        },
        openings=[_opening(o) for o in instance.openings],
        exceptions=[_exception(e) for e in instance.exceptions],
        closures=[_closure(c) for c in instance.closures],
        reasons=[_reason(r) for r in instance.reasons],
        counters=[_counter(c) for c in instance.counters],
        agents=None if instance.agents is None else [_agent(a) for a in instance.agents],
        appointments=[_appointment(a, instance) for a in instance.appointments],
        queries=[_query(q) for q in instance.queries],
    )


def _present(**fields: object) -> Document:
    return {name.rstrip("_"): value for name, value in fields.items() if value is not None}


def _opening(opening: Opening) -> Document:
    hours = {"start": clock_time(opening.start_minute), "end": clock_time(opening.end_minute)}
    if opening.date is not None:
        return {"date": opening.date.isoformat(), **hours}
    return _present(
        weekdays=[WEEKDAYS[weekday - 1] for weekday in sorted(opening.weekdays)],
        from_=None if opening.from_date is None else opening.from_date.isoformat(),
        until=None if opening.until_date is None else opening.until_date.isoformat(),
        every_weeks=opening.every_weeks,
        nth_of_month=None if opening.nth_of_month is None else sorted(opening.nth_of_month),
        **hours,
    )


def _exception(exception: DayException) -> Document:
    ranges = [[clock_time(start), clock_time(end)] for start, end in exception.ranges]
    return {"date": exception.date.isoformat(), "openings": ranges}


def _range(wall: WallRange) -> Document:
    return {
        "from": f"{wall.from_date.isoformat()}T{clock_time(wall.from_minute)}",
        "to": f"{wall.to_date.isoformat()}T{clock_time(wall.to_minute)}",
    }


def _closure(closure: Closure) -> Document:
    return _present(**_range(closure), counters=_sorted(closure.counters))


def _sorted(names: Iterable[str] | None) -> list[str] | None:
    return None if names is None else sorted(str(name) for name in names)


def _reason(reason: Reason) -> Document:
    written = _present(
        id=reason.id,
        duration_minutes=reason.duration_minutes,
        buffer_minutes=reason.buffer_minutes,
        agents=reason.agents,
        step_minutes=reason.step_minutes,
    )
    # 0 stands for the duration, which the format writes as null; absent is the office's.
    return written | {"step_minutes": None} if reason.step_minutes == 0 else written


def _counter(counter: Counter) -> Document:
    return _present(
        id=counter.id,
        openings=[_opening(o) for o in counter.openings],
        exceptions=[_exception(e) for e in counter.exceptions],
        reasons=_sorted(counter.reasons),
        channels=_sorted(counter.channels),
        modalities=_sorted(counter.modalities),
        exposed=counter.exposed,
    )


def _agent(agent: Agent) -> Document:
    return _present(
        id=agent.id,
        reasons=_sorted(agent.reasons),
        counters=_sorted(agent.counters),
        openings=[_opening(o) for o in agent.openings],
        exceptions=[_exception(e) for e in agent.exceptions],
        absences=[_range(a) for a in agent.absences],
    )


def _appointment(appointment: Appointment, instance: Instance) -> Document:
    expires = appointment.expires_at
    return _present(
        id=appointment.id,
        reason=appointment.reason,
        start=appointment.start.astimezone(instance.zone).isoformat(),
        channel=str(appointment.channel),
        modality=appointment.modality.value,
        counter=appointment.counter,
        agents=list(appointment.agents) or None,
        pinned=appointment.pinned,
        status=_WRITTEN_AS.get(appointment.status, appointment.status.value),
        expires_at=None if expires is None else expires.astimezone(instance.zone).isoformat(),
        duration_minutes=appointment.duration_minutes,
        buffer_minutes=appointment.buffer_minutes,
    )


def _query(query: Query) -> Document:
    return _present(
        reason=query.reason,
        channel=str(query.channel),
        modality=query.modality.value,
        from_=query.from_date.isoformat(),
        to=query.to_date.isoformat(),
        replacing=query.replacing,
    )
