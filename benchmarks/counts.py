"""How long counting takes where counters differ: how many could start at each start of a month, by reason.

The office of the load data with most counters, as the engine sees it: 40 counters of which every fourth takes one kind
of matter only, 20 working days, 60 to 90 % booked; once with as many agents as counters and ten to spare on three days
a week. Each reason is asked of an office that knows nothing yet, with and without counts.

The reference of the times is the same answer without counts. On one day every count of some reasons is put to CP-SAT
alone, which has a variable for each visit and counter; what it decides must be what we say.
"""

import gc
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from statistics import mean
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.engine import FIRST, written
from rdv.engine import solver
from rdv.engine.compile import Compiled
from rdv.engine.slots import Office
from rdv.engine.values import Agent, Appointment, Counter, Instance, Opening, Query, Reason
from rdv.engine.visits import Problem, Visit
from rdv.usecases import bench_visits
from rdv.usecases.bench_country import AFTERNOON, CLOSING, DURATIONS, MORNING, NOON, ROOTS
from rdv.usecases.bench_rules import PART_TIME, specialised_in

ZONE = ZoneInfo("Europe/Paris")
COUNTERS, SPARE_AGENTS, DAYS = 40, 10, 28
FULLEST = 19  # quarters of a counter's day that are booked, of 26: more than most offices have
SAMPLE_DAYS = 1
REFERENCE_SECONDS = 2.0  # deterministic, per start


def office(*, staffed: bool) -> Instance:
    """Return the office: always the same one."""
    random = Random(1)
    patterns = bench_visits.patterns(random, 7)
    halves = ((MORNING, NOON), (AFTERNOON, CLOSING))
    openings = tuple(
        Opening(start_minute=start, end_minute=end, weekdays=frozenset(range(1, 6))) for start, end in halves
    )
    part_time = tuple(replace(one, weekdays=frozenset(PART_TIME)) for one in openings)
    appointments: list[Appointment] = []
    for day in (FIRST + timedelta(days=n) for n in range(DAYS)):
        if day.isoweekday() > 5:
            continue
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZONE)
        for at in range(COUNTERS):
            for start, minutes in random.choice(patterns[random.choice((7, 8)), FULLEST + random.randint(-1, 1)]):
                own = specialised_in(at)
                root = random.randrange(ROOTS) if own is None else own
                appointments.append(
                    Appointment(
                        id=str(len(appointments)),
                        reason=_leaf(root, minutes),
                        start=midnight + timedelta(minutes=start),
                        duration_minutes=minutes,
                        counter=f"C{at}",
                        agents=(f"A{at}",) if staffed else (),
                    )
                )
    agents = tuple(Agent(id=f"A{at}", reasons=_skills(at)) for at in range(COUNTERS)) + tuple(
        Agent(id=f"A{COUNTERS + at}", openings=part_time) for at in range(SPARE_AGENTS)
    )
    return Instance(
        zone=ZONE,
        now=datetime(2027, 2, 28, 12, tzinfo=ZONE),
        openings=openings,
        reasons=tuple(
            Reason(id=_leaf(root, minutes), duration_minutes=minutes) for root in range(ROOTS) for minutes in DURATIONS
        ),
        counters=tuple(Counter(id=f"C{at}", reasons=_skills(at)) for at in range(COUNTERS)),
        agents=agents if staffed else None,
        appointments=tuple(appointments),
    )


def run() -> list[dict[str, Any]]:
    """Return the rows of the table; a count that is not CP-SAT's, or is undecided, stops the run."""
    return [row for staffed in (False, True) for row in _measured(staffed=staffed)]


def _measured(*, staffed: bool) -> list[dict[str, Any]]:
    instance = office(staffed=staffed)
    last = FIRST + timedelta(days=DAYS - 1)
    without, counted, starts = [], [], 0
    for reason in instance.reasons:
        query = Query(reason=reason.id, from_date=FIRST, to_date=last)
        seconds = []
        for remaining in (False, True):
            asked = Office(instance, FIRST, last)
            gc.collect()
            began = perf_counter()
            answer = asked.answer(query, remaining=remaining)
            seconds.append(perf_counter() - began)
            assert asked.undecided == 0, (reason.id, asked.undecided)
        without.append(seconds[0])
        counted.append(seconds[1])
        starts += len(answer.starts)
    label = f"counts of 40 counters{' and 50 agents' if staffed else ''}"
    checked = _checked(instance)
    return [
        {
            "name": f"{label}, {name}",
            "value": written(take(counted)),
            "reference": f"{written(take(without))} without counts",
            "ratio": take(counted) / take(without),
            "checked": f"{starts} starts, {checked}",
        }
        for name, take in (("mean of 12 reasons", mean), ("slowest", max))
    ]


def _checked(instance: Instance) -> str:
    """Compare the counts of some days with those of CP-SAT; return how many it decided."""
    found: list[bool] = []
    for later in range(SAMPLE_DAYS):
        day = FIRST + timedelta(days=later)
        asked = Office(instance, day, day)
        for reason in instance.reasons[:: len(DURATIONS) + 1]:
            query = Query(reason=reason.id, from_date=day, to_date=day)
            answer = asked.answer(query)
            kind = asked.compiled.kind(query.reason, query.channel, query.modality)
            for start, count in zip(answer.starts, answer.remaining, strict=True):
                at = asked.compiled.horizon.earliest(start, 0)
                theirs = _by_solver(asked.compiled, asked.compiled.candidate_visit(kind, at))
                assert theirs in {None, count}, (reason.id, start, count, theirs)
                found.append(theirs is not None)
    return f"{sum(found)} counts are CP-SAT's, {len(found) - sum(found)} it left open"


def _by_solver(compiled: Compiled, visit: Visit) -> int | None:
    """Return how many copies fit beside whoever is there in the same half of the day, None: not found out in time."""
    near = [v for v in compiled.visits() if _half_day(compiled, v.start) == _half_day(compiled, visit.start)]
    problem = Problem(visits=tuple(near), counter_count=COUNTERS, agent_count=len(compiled.present))
    copies = [replace(visit, id=f"copy {number}") for number in range(visit.counters.bit_count())]
    count, undecided = solver.most_copies(problem, copies, at_least=1, seconds=REFERENCE_SECONDS)
    return None if undecided else count


def _half_day(compiled: Compiled, tick: int) -> tuple[date, bool]:
    moment = compiled.horizon.moment(tick)
    return moment.date(), 60 * moment.hour + moment.minute < NOON


def _skills(at: int) -> frozenset[str] | None:
    own = specialised_in(at)
    return None if own is None else frozenset(_leaf(own, minutes) for minutes in DURATIONS)


def _leaf(root: int, minutes: int) -> str:
    return f"r{root}-{minutes}"
