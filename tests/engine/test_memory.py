"""What an office says it takes is about what Python counts, so that what is kept of thousands can be bounded."""

import gc
import tracemalloc
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from rdv.engine.columns import Columns
from rdv.engine.slots import Office
from rdv.engine.values import Agent, Appointment, Counter, Instance, Opening, Query, Reason

ZONE = ZoneInfo("Europe/Paris")
FIRST, DAYS = date(2027, 3, 1), 60
MINUTES = (15, 30, 60)
OPEN, CLOSE = 9 * 60, 17 * 60


def filled(counters: int, *, booked: float, agents: int = 0, specialised: bool = False) -> Instance:
    """Return an office of 60 days; two counters of five may take fewer reasons than the others."""
    random = Random(1)  # noqa: S311 - the test's own choices
    appointments = []
    for day in (FIRST + timedelta(days=n) for n in range(DAYS)):
        for counter in range(min(counters, agents or counters) if day.isoweekday() <= 5 else 0):
            at = OPEN
            while at < CLOSE:
                minutes = min(random.choice(MINUTES[:2] if specialised and counter % 5 < 2 else MINUTES), CLOSE - at)
                if minutes in MINUTES and random.random() < booked:
                    appointments.append(
                        Appointment(
                            id=str(len(appointments)),
                            reason=f"r{minutes}",
                            start=datetime(day.year, day.month, day.day, tzinfo=ZONE) + timedelta(minutes=at),
                            duration_minutes=minutes,
                            counter=f"c{counter}",
                            agents=(f"a{counter}",) if agents else (),
                        )
                    )
                at += minutes
    some = frozenset({"r15", "r30"})
    return Instance(
        zone=ZONE,
        now=datetime(2027, 2, 28, 12, tzinfo=ZONE),
        openings=(Opening(start_minute=OPEN, end_minute=CLOSE, weekdays=frozenset(range(1, 6))),),
        reasons=tuple(Reason(id=f"r{one}", duration_minutes=one, agents=min(agents, 1)) for one in MINUTES),
        counters=tuple(
            Counter(id=f"c{n}", reasons=some if specialised and n % 5 < 2 else None) for n in range(counters)
        ),
        agents=tuple(Agent(id=f"a{n}") for n in range(agents)) if agents else None,
        appointments=tuple(appointments),
    )


def asked(instance: Instance) -> Office:
    """Compile an office and ask it for a month of each reason, starts counted."""
    office = Office(instance, FIRST, FIRST + timedelta(days=92))
    for reason in instance.reasons:
        office.answer(Query(reason=reason.id, from_date=FIRST, to_date=FIRST + timedelta(days=30)))
    return office


@pytest.mark.parametrize(
    "instance",
    [
        filled(5, booked=0.7),
        filled(20, booked=0.6),
        filled(10, booked=0.95, specialised=True),
        filled(8, booked=0.8, agents=8),
    ],
    ids=["small", "large", "specialised and full", "with agents"],
)
def test_an_office_tells_about_how_much_memory_it_takes(instance: Instance) -> None:
    columns = Columns.of(instance.appointments)
    columns = replace(columns, ids=np.arange(len(columns)))  # as they come from the database
    asked(replace(instance, appointments=columns))  # what all offices share is there
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    office = asked(replace(instance, appointments=columns.only(np.arange(len(columns)))))
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.6 < office.bytes / (after - before) < 1.7, (office.bytes, after - before)
