"""One run: for each number of workers the limit, then a while at 80 % of it, with memory and statements beside it."""

import os
import platform
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib.metadata import version
from typing import Any

from benchmarks.load import ladder
from benchmarks.load.figures import figures
from benchmarks.load.generator import Plan, Records, drive
from benchmarks.load.probes import statements_by_operation, touch
from benchmarks.load.scenarios import SCENARIOS, Scenario
from benchmarks.load.servers import Worker, serving
from benchmarks.load.target import Target, look

FORMAT = "rdv-load/2"  # from 2 on without what leads in, and without what the generator takes to read answers
SHARE = 0.8  # of the capacity, for the run that is reported
WARM_OFFICES = 50
LEAD_IN_SECONDS = 1.0

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What shall be run. `rates` empty = look for the limit from `start` on."""

    scenarios: Sequence[str]
    workers: Sequence[int]
    rates: Sequence[float]
    start: float
    seconds: float
    step_seconds: float
    agendas_kept_mb: int | None
    memory: bool
    now: datetime


def run(
    wish: Wish,
    *,
    database: str | None,
    url: str | None,
    data: Mapping[str, Any],
    tell: Tell,
    fresh: Callable[[], None] = lambda: None,
    save: Callable[[dict[str, Any]], None] = lambda _: None,
) -> dict[str, Any]:
    """Return a report; either a database, which is served, or the address of a server that runs.

    `data`: what the database was seeded with, as the report shall tell it. `fresh` takes away what a run has
    booked; `save` is given what there is after each leg, so that a failure loses one of them.
    """
    found: dict[str, Any] = {"format": FORMAT, "taken_at": wish.now.isoformat(), "machine": _machine()}
    found |= {
        "data": dict(data),
        "seconds": wish.seconds,
        "step_seconds": wish.step_seconds,
        "memory": None,
        "legs": [],
    }
    if url is not None:
        found["legs"] = [_leg(wish, SCENARIOS[name], [Worker(url)], tell) for name in wish.scenarios]
        return found
    assert database is not None
    found["memory"] = _memory(wish, database, tell) if wish.memory else None
    for name in wish.scenarios:
        for workers in wish.workers:
            fresh()
            with serving(database, workers, agendas_kept_mb=wish.agendas_kept_mb) as served:
                found["legs"].append(_leg(wish, SCENARIOS[name], served, tell))
            save(found)
    fresh()
    return found


def _leg(wish: Wish, scenario: Scenario, workers: Sequence[Worker], tell: Tell) -> dict[str, Any]:
    target = look(workers[0].url)
    name = f"{scenario.name}, {len(workers)}"
    runs = iter(range(1_000_000))

    def at(rate: float, seconds: float) -> Records:
        tell(f"{name}: {rate:.0f} requests/s for {seconds:.0f} s")
        mark = f"{wish.now:%Y%m%d%H%M%S}-{scenario.name}-{len(workers)}-{next(runs)}"
        return drive(plan(scenario, target, workers, rate=rate, seconds=seconds, today=wish.now.date(), run=mark))

    tell(f"{name}: statements")
    statements = statements_by_operation(scenario, target, workers, wish.now)
    steps = (
        ladder.walk(lambda rate: at(rate, wish.step_seconds), wish.rates)
        if wish.rates
        else ladder.climb(lambda rate: at(rate, wish.step_seconds), wish.start)
    )
    capacity = ladder.capacity(steps)
    found: dict[str, Any] = {"scenario": scenario.name, "workers": len(workers), "statements": statements}
    found |= {"steps": steps, "capacity": capacity, "measured": None}
    if capacity is not None:
        told = at(round(SHARE * capacity, 1), wish.seconds)
        held = figures(told)
        every = held["operations"]["all"]
        held["rate"] = round(SHARE * capacity, 1)
        held["tail"] = round(every["latency_ms"]["p99"] / every["latency_ms"]["p50"], 2)
        held["cores"] = told.cores
        held["processor_ms"] = round(1000 * told.processor_seconds / every["requests"], 3) or None
        found["measured"] = held
    found["memory"] = [worker.memory() for worker in workers]
    return found


def plan(
    scenario: Scenario, target: Target, workers: Sequence[Worker], *, rate: float, seconds: float, today: date, run: str
) -> Plan:
    """Return what the generator has to do for a scenario."""
    offices = target.offices[: scenario.offices]
    booking = {"hold_slot": 5, "confirm_appointment": 3, "appointment": 1}
    return Plan(
        urls=[worker.url for worker in workers],
        rate=rate,
        seconds=seconds,
        weights=scenario.weights,
        offices=offices,
        reasons=target.reasons,
        words=target.words,
        first=str(today + timedelta(days=1)),
        to=str(today + timedelta(days=scenario.days)),
        run=run,
        processes=[worker.process for worker in workers if worker.process is not None],
        lead_in=LEAD_IN_SECONDS,
        warm=WARM_OFFICES,
        prepare={name: times for name, times in booking.items() if name in scenario.weights},
    )


def _memory(wish: Wish, database: str, tell: Tell) -> dict[str, Any]:
    """Return what one worker takes before and after every office was asked."""
    with serving(database, 1, agendas_kept_mb=wish.agendas_kept_mb) as (worker,):
        target = look(worker.url)
        before = worker.memory()
        tell(f"memory: {len(target.offices)} offices")
        seconds = touch(worker, target, wish.now.date())
        return {
            "offices": len(target.offices),
            "agendas": worker.metric("rdv_agendas"),
            "agendas_mb": (worker.metric("rdv_agendas_bytes") or 0) / 1e6,
            "before_mib": before,
            "after_mib": worker.memory(),
            "seconds": round(seconds, 1),
        }


def _machine() -> dict[str, Any]:
    asked = ["node", "--version"]  # of whichever node there is
    node = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 - fixed words
    return {
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "node": node,
        "rdv": version("rdv"),
    }
