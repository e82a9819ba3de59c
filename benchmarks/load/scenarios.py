"""What callers do: which documents of `queries/` in which proportion, at how many offices.

*campaign*: the declaration opens, the country is told to make an appointment, and everybody looks at the same few large
offices again and again; one search in twenty-four goes on to a hold, one hold in four is confirmed.

*search*: the same searches, and nobody books: what the answers that are kept, and the agendas, are worth by themselves.

*school-day*: an ordinary working day at every office. Somebody who books reads the reasons, is shown their office and
looks at it once, searches about five times with other days, holds one start, and confirms it three times in four; one
in five reads the appointment again, and some cancel. Others only look where it is earliest, or when the office is open.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`weights` in percent by document; `offices` are those that are asked, the largest first; None = all."""

    name: str
    weights: Mapping[str, float]
    offices: int | None
    days: int  # a search covers so many from tomorrow on


SCENARIOS = {
    one.name: one
    for one in (
        Scenario(
            name="campaign",
            weights={"search_slots": 95, "hold_slot": 4, "confirm_appointment": 1},
            offices=5,
            days=30,
        ),
        Scenario(name="search", weights={"search_slots": 100}, offices=5, days=30),
        Scenario(
            name="school-day",
            weights={
                "search_slots": 42,
                "office": 10,
                "reasons": 9,
                "orientation": 9,
                "hold_slot": 8,
                "earliest_slots": 6,
                "confirm_appointment": 6,
                "office_hours": 5,
                "appointment": 4,
                "cancel_appointment": 1,
            },
            offices=None,
            days=14,
        ),
    )
}
