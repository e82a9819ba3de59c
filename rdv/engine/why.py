"""Why the other starts are not offered.

The start grids of all counters, whatever they allow, go through the *sieves* in a fixed order. Each sieve has one
code and takes away, counter by counter, the starts that cannot be there for its reason. A start is counted once,
under the sieve after which no counter is left for it, so the counts and the offered starts of a day add up to the
day's grid starts.

Example: 09:00 is on the grids of A (closed by a closure) and B (does not allow the reason). `CLOSURE` takes it from A,
but B is left; `NO_COUNTER` takes it from B: it is counted as `NO_COUNTER`.

A start so late that the visit would run past the opening is a grid start too. No sieve is named after it: it is
counted with those that find no place, `FULL`, and the detail says how many they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from rdv.engine import ticks
from rdv.engine.book import Book
from rdv.engine.compile import Compiled
from rdv.engine.horizon import day_from
from rdv.engine.kind import Kind
from rdv.engine.values import Query, WhyNot

Sieve = tuple[str, Callable[[int], int]]  # a code, and the ticks that a counter keeps
NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sifted:
    """What one sieve took: the starts counted under it, and from which counters."""

    code: str
    lost: int
    taken: dict[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A question; `free` are the ticks at which some counter is free for the visit, agents aside."""

    compiled: Compiled
    query: Query
    kind: Kind
    free: int


def why(book: Book, query: Query, kind: Kind, *, feasible: int, offered: int, now: datetime) -> tuple[WhyNot, ...]:
    """Count the grid starts of the query's days that are not offered, by day and code.

    `feasible` and `offered` are sets of ticks that respect the clock already.
    """
    compiled = book.compiled
    first, last = day_from(query.from_date), day_from(query.to_date)
    within = ticks.interval(*compiled.horizon.days(first, last))
    grid = {c: compiled.grid(c, kind.step) & within for c in range(len(compiled.instance.counters))}
    # What a compact office offers off one counter's grid may be on another's, which a sieve would take it from.
    sifted = _sift(_sieves(compiled, kind, feasible, offered, now), {c: grid[c] & ~offered for c in grid})
    free = _union({c: starts & ticks.erode(~book.busy(c), kind.span) for c, starts in compiled.candidates(kind)})
    asked = _Asked(compiled=compiled, query=query, kind=kind, free=free)
    holidays = _holidays(compiled)
    whole = _union(grid)
    found: list[WhyNot] = []
    for day in range(first, last + 1):
        begin, end = compiled.horizon.days(day, day)
        if whole & ticks.interval(begin, end):
            found += _of_day(asked, sifted, day, ticks.interval(begin, end))
        else:
            found.append(_without_grid(day, holiday=day in holidays))
    return tuple(found)


def _sieves(compiled: Compiled, kind: Kind, feasible: int, offered: int, now: datetime) -> tuple[Sieve, ...]:
    low, high = compiled.bookable(now)
    return (
        # HOLIDAY comes first and takes nothing here: a holiday's openings, and their grid, are gone already.
        ("CLOSURE", lambda c: ticks.erode(~compiled.closed(c), kind.duration)),
        ("NO_COUNTER", lambda c: -(kind.counters >> c & 1)),  # -1 is every tick
        ("NOT_EXPOSED", lambda c: -(compiled.exposed >> c & 1)),
        ("LEAD_TIME", lambda _: -1 << max(low, 0)),
        ("HORIZON", lambda _: (1 << max(high, 0)) - 1),
        ("NO_AGENT", lambda c: compiled.staffed(kind, c)),
        ("FULL", lambda _: feasible),
        ("POLICY", lambda _: offered),
    )


def _sift(sieves: tuple[Sieve, ...], grid: dict[int, int]) -> list[_Sifted]:
    left = dict(grid)
    sifted = []
    for code, keeps in sieves:
        kept = {c: starts & keeps(c) for c, starts in left.items()}
        lost = _union(left) & ~_union(kept)
        taken = {c: left[c] & ~kept[c] & lost for c in left if left[c] & ~kept[c] & lost}
        sifted.append(_Sifted(code=code, lost=lost, taken=taken))
        left = kept
    return sifted


def _of_day(asked: _Asked, sifted: list[_Sifted], day: int, within: int) -> list[WhyNot]:
    found = []
    for sieve in sifted:
        count = (sieve.lost & within).bit_count()
        if count:
            names = tuple(
                asked.compiled.instance.counters[c].id for c, starts in sieve.taken.items() if starts & within
            )
            late, unserved = (0, 0) if sieve.code != "FULL" else _of_full(asked, sieve, within)
            detail = _detail(asked, sieve.code, names) if sieve.code != "FULL" else _full(count, names, late, unserved)
            found.append(
                WhyNot(
                    date=date.fromordinal(day),
                    code=sieve.code,
                    starts=count,
                    detail=detail,
                    counters=names,
                    late=late,
                    unserved=unserved,
                )
            )
    return found


def _of_full(asked: _Asked, sieve: _Sifted, within: int) -> tuple[int, int]:
    """Count the starts that would run past every opening, and those at which a counter is free but no agents are."""
    fitting = _union({c: asked.compiled.fitting(c, asked.kind.duration) & starts for c, starts in sieve.taken.items()})
    lost = sieve.lost & within
    return (lost & ~fitting).bit_count(), (lost & fitting & asked.free).bit_count()


def _without_grid(day: int, *, holiday: bool) -> WhyNot:
    code = "HOLIDAY" if holiday else "CLOSED"
    detail = "the day's openings are cancelled by an exception" if holiday else "no counter has an opening"
    return WhyNot(date=date.fromordinal(day), code=code, starts=0, detail=detail)


def _detail(asked: _Asked, code: str, counters: Sequence[str]) -> str:
    query, instance = asked.query, asked.compiled.instance
    reason = f'reason "{query.reason}"'
    texts = {
        "CLOSURE": f"closed at {_listed(counters)}",
        "NO_COUNTER": f"not for {reason}, {query.channel}, {query.modality} at {_listed(counters)}",
        "NOT_EXPOSED": f"booking is not open at {_listed(counters)}",
        "LEAD_TIME": f"in the past or less than {instance.rules.min_lead_minutes} minutes from now",
        "HORIZON": f"more than {instance.rules.max_lead_days} days from now",
        "NO_AGENT": f"fewer than {asked.compiled.reasons[query.reason].agents} agents present for {reason}",
        "POLICY": "would leave a gap too short to be used",
    }
    return texts[code]


def _full(starts: int, counters: Sequence[str], late: int, unserved: int) -> str:
    """Say what is taken: counters, agents, or both; and how many starts are just too late."""
    tail = f"; {late} of these starts would run past the opening" if 0 < late < starts else ""
    if late == starts:
        return "would run past the opening"
    if not unserved:
        return f"nobody can be moved to free {_listed(counters)}{tail}"
    if unserved == starts - late:
        return f"no agents can be made free{tail}"
    return f"no agents can be made free, or nobody can be moved to free {_listed(counters)}{tail}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(f'"{name}"' for name in names[:NAMES_SHOWN]) + more


def _holidays(compiled: Compiled) -> set[int]:
    """Return the days on which an exception of the office or of a counter cancels every recurring opening."""
    instance = compiled.instance
    exceptions = (*instance.exceptions, *(e for counter in instance.counters for e in counter.exceptions))
    return {exception.date.toordinal() for exception in exceptions if exception.holiday}


def _union(sets: dict[int, int]) -> int:
    union = 0
    for one in sets.values():
        union |= one
    return union
