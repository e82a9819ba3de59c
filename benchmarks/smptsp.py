"""The assignment core on a public benchmark: jobs to qualified workers, nobody twice at once, the fewest workers.

Workers are counters, jobs are visits (`rdv/engine/fewest.py`). The reference is the optimum of the catalogue. A plan is
judged by the referee, for whom each instance is an office with a reason per job; one that is not valid, or that takes
more workers than the catalogue's optimum, stops the run. *Bound* is what we proved ourselves.
"""

import csv
import gzip
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from time import perf_counter, process_time
from typing import Any
from zoneinfo import ZoneInfo

from rdv.engine.fewest import Fewest, fewest
from rdv.engine.referee import violations
from rdv.engine.values import Appointment, Counter, Instance, Opening, Place, Reason
from rdv.engine.visits import Problem, Visit

DATA = files("benchmarks") / "data" / "smptsp"
BEGINNING = datetime(2027, 3, 1, tzinfo=UTC)
SECONDS = 60.0  # per instance


@dataclass(frozen=True, slots=True)
class Case:
    """One instance: jobs as intervals, and the jobs each worker is qualified for."""

    name: str
    optimum: int
    jobs: list[tuple[int, int]]
    qualified: list[frozenset[int]]


def read(name: str, optimum: int) -> Case:
    """Read one instance; its README tells the format."""
    with (DATA / f"{name}.dat.gz").open("rb") as packed, gzip.open(packed, "rt", encoding="ascii") as text:
        lines = [line for line in text if not line.startswith("#")]
    jobs_end = 2 + int(lines[1].split("=")[1])
    jobs = [(int(start), int(end)) for start, end in (line.split() for line in lines[2:jobs_end])]
    workers = lines[jobs_end + 1 : jobs_end + 1 + int(lines[jobs_end].split("=")[1])]
    qualified = [frozenset(map(int, line.split(":")[1].split())) for line in workers]
    return Case(name, optimum, jobs, qualified)


def catalogue() -> list[Case]:
    """Return all instances, as the catalogue lists them."""
    with (DATA / "catalogue.csv").open(encoding="ascii") as text:
        return [read(row["instance"], int(float(row["UB_2014"]))) for row in csv.DictReader(text)]


def problem_of(case: Case) -> Problem:
    counters = [sum(1 << w for w, jobs in enumerate(case.qualified) if job in jobs) for job in range(len(case.jobs))]
    visits = (
        Visit(id=str(job), start=start, until=end, counters=counters[job]) for job, (start, end) in enumerate(case.jobs)
    )
    return Problem(visits=tuple(visits), counter_count=len(case.qualified))


def office_of(case: Case) -> Instance:
    """Return an instance as the referee knows it: an office whose counters take the reasons of their jobs."""
    return Instance(
        zone=ZoneInfo("UTC"),
        now=BEGINNING,
        openings=(Opening(start_minute=0, end_minute=24 * 60, weekdays=frozenset(range(1, 8))),),
        reasons=tuple(Reason(id=str(job), duration_minutes=end - start) for job, (start, end) in enumerate(case.jobs)),
        counters=tuple(
            Counter(id=str(worker), reasons=frozenset(map(str, jobs))) for worker, jobs in enumerate(case.qualified)
        ),
        appointments=tuple(
            Appointment(
                id=str(job),
                reason=str(job),
                start=BEGINNING + timedelta(minutes=start),
                duration_minutes=end - start,
            )
            for job, (start, end) in enumerate(case.jobs)
        ),
    )


def run() -> list[dict[str, Any]]:
    """Return one row per instance; stops at a plan that is not valid or not the catalogue's optimum."""
    return [_row(case) for case in catalogue()]


def _row(case: Case) -> dict[str, Any]:
    began, worked = perf_counter(), process_time()
    found = fewest(problem_of(case), stop=lambda: perf_counter() - began > SECONDS)
    seconds, worked = perf_counter() - began, process_time() - worked
    assert isinstance(found, Fewest), case.name
    plan = {name: Place(str(seat.counter)) for name, seat in found.seats.items()}
    assert violations(office_of(case), plan) == [], case.name
    assert found.used == case.optimum, f"{case.name}: {found.used} workers, the optimum is {case.optimum}"
    assert seconds < SECONDS, f"{case.name}: {seconds:.0f} s"
    return {
        "name": f"smptsp {case.name}: {len(case.jobs)} jobs, {len(case.qualified)} workers",
        "value": f"{found.used} found",
        "reference": f"{case.optimum} optimum",
        "ratio": found.used / case.optimum,
        "checked": f"bound {found.bound}, {seconds:.1f} s, processor {worked:.1f} s",
    }


if __name__ == "__main__":
    for case in catalogue():
        print(*_row(case).values(), flush=True)
