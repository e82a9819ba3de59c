"""Which starts are offered, how many more could start then, and what keeps the others from being offered.

`Office` is the engine's face to a server: compile once, ask many times, from one thread at a time. `solve` answers a
whole instance. Both are exact: never a start that could not be honoured, never one hidden that could be, unless the
work budget runs out; then the start is not offered and is counted in `undecided`.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from rdv.engine import ticks
from rdv.engine.book import Book
from rdv.engine.budget import DEFAULT, Budget
from rdv.engine.compact import compact, off_grid
from rdv.engine.compile import Compiled
from rdv.engine.horizon import day_from
from rdv.engine.kind import Kind
from rdv.engine.values import Answer, Instance, Place, Policy, Query, Result, Seated
from rdv.engine.why import why

SETS, ROW_BYTES = 12, 64  # of ticks, in any situation; an appointment with its place in what is kept of all
BOOKS_KEPT = 8  # rescheduling pages open at the same time for one office and its period


class Office:
    """One office's situation, ready to be asked about the local dates `first` to `last`.

    It is valid as long as nothing of the situation changes and, where holds expire, until `valid_until`.
    """

    def __init__(
        self, instance: Instance, first: date, last: date, *, budget: Budget = DEFAULT, before: "Office | None" = None
    ) -> None:
        """Compile; the instance's own queries are not looked at. Nothing is placed before it is asked for.

        `before` is the same office for the same dates a moment ago: where only appointments differ, what it found out
        about other times is taken over. The answers do not depend on it.
        """
        shared = before.compiled.with_appointments(instance) if before else None
        self.compiled: Compiled = shared or Compiled(instance, first, last)
        self.valid_until = self.compiled.live.columns.next_expiry()  # the moment the next hold expires, if any does
        self.instance = instance
        self.book = Book(self.compiled, budget=budget)
        if before and shared:
            self.book.carry(before.book)
        self._replacing: OrderedDict[str, Book] = OrderedDict()

    @property
    def undecided(self) -> int:
        """How many starts and strandings so far were given up for want of budget."""
        return sum(book.undecided for book in (self.book, *self._replacing.values()))

    @property
    def bytes(self) -> int:
        """About how much memory this takes by now: it grows with each kind of visit, and each start, that is asked for.

        An estimate from what there is of everything; the tests compare it with what Python counts.
        """
        compiled, kinds = self.compiled, self.book.kinds
        rooms, agents = len(compiled.rooms), len(compiled.present)
        sets = SETS + 4 * rooms + 2 * agents + kinds * (3 + 2 * rooms + agents)
        rows = len(compiled.live) * (1 + len(self._replacing)) * ROW_BYTES
        books = sum(book.bytes for book in (self.book, *list(self._replacing.values())))
        return sets * ticks.size(compiled.horizon.length) + rows + books

    def forget(self) -> None:
        """Forget what only makes the next questions faster."""
        for book in (self.book, *self._replacing.values()):
            book.forget()
        self.compiled.forget()

    @property
    def settled(self) -> Counter[str]:
        """How many starts so far each stage has decided, by the stage's name (see `book.py`)."""
        return sum((book.settled for book in (self.book, *self._replacing.values())), Counter())

    def covers(self, query: Query) -> bool:
        """Tell whether the compiled dates contain the query's."""
        horizon = self.compiled.horizon
        return horizon.first <= day_from(query.from_date) and day_from(query.to_date) <= horizon.last

    def answer(
        self, query: Query, *, now: datetime | None = None, explain: bool = False, remaining: bool = True
    ) -> Answer:
        """Return the offered starts of a query, ascending, as datetimes with the office's offset.

        `now` (default: the instance's) moves the lead time and the horizon only. Without `remaining` nothing is
        counted. Raises KeyError for an unknown reason and ValueError for dates that were not compiled.
        """
        if not self.covers(query):
            raise ValueError(f"the office is not compiled for {query.from_date} to {query.to_date}")
        kind = self.compiled.kind(query.reason, query.channel, query.modality)
        book = self._book(query.replacing)
        moment = now or self.instance.now
        feasible, offered = self._offered(book, kind, query, moment)
        starts = ticks.members(offered)
        return Answer(
            starts=tuple(map(self.compiled.horizon.moment, starts)),
            remaining=self._remaining(book, kind, starts) if remaining else (0,) * len(starts),
            why=why(book, query, kind, feasible=feasible, offered=offered, now=moment) if explain else (),
        )

    def remaining(self, query: Query, starts: Iterable[datetime]) -> tuple[int, ...]:
        """Return how many such appointments could start together at each of some of a query's offered starts."""
        kind = self.compiled.kind(query.reason, query.channel, query.modality)
        earliest = self.compiled.horizon.earliest
        return self._remaining(self._book(query.replacing), kind, [earliest(start, 0) for start in starts])

    def leaves_one_less(self, query: Query, start: datetime) -> bool:
        """Tell whether one less can start at an offered start once somebody is booked there; if not, count anew.

        As a rule it is so, since who is booked may sit wherever the start was offered. But counters whose grids lack
        the start take them too, a compact office offers other starts then, and whoever makes room for them cannot get
        back to a counter that is not exposed.
        """
        compiled = self.compiled
        kind = self.bookable(compiled.kind(query.reason, query.channel, query.modality))
        at = compiled.horizon.earliest(start, 0)
        takes = kind.counters & compiled.exposed & compiled.counters_open(at, kind.duration)
        return (
            self.instance.rules.policy is not Policy.COMPACT
            and all(counter.exposed for counter in self.instance.counters)
            and compiled.candidate_visit(kind, at).counters == takes
        )

    def bookable_window(self, query: Query, now: datetime) -> tuple[int, int]:
        """Return the ticks `[low, high)` of a query's days that may be booked: all that an answer has of the clock."""
        begin, end = self.compiled.horizon.days(day_from(query.from_date), day_from(query.to_date))
        low, high = self.compiled.bookable(now)
        low = min(max(begin, low), end)
        return low, max(min(end, high), low)

    def bookable_until(self, query: Query, now: datetime) -> datetime | None:
        """Return the first moment at which a query's bookable window is another one; None when it stays as it is."""
        horizon = self.compiled.horizon
        begin, end = horizon.days(day_from(query.from_date), day_from(query.to_date))
        low, high = self.compiled.bookable(now)
        found = []
        if (low := max(low, begin)) < end:
            lead = timedelta(minutes=self.instance.rules.min_lead_minutes)
            found.append(horizon.moment(low) - lead + datetime.resolution)  # until then it is not too late for `low`
        if high < end:
            found.append(horizon.next_day(now))
        return min(found, default=None)

    def offered(self, query: Query, *, now: datetime | None = None) -> int:
        """Return the offered starts of a query as a set of ticks; raises as `answer` does."""
        kind = self.compiled.kind(query.reason, query.channel, query.modality)
        return self._offered(self._book(query.replacing), kind, query, now or self.instance.now)[1]

    def first(self, query: Query, *, now: datetime | None = None) -> tuple[datetime, int] | None:
        """Return the earliest offered start of a query and how many could start then; None when there is none.

        Looks day by day, since nearly always one of the first days has one. Raises KeyError and ValueError as `answer`
        does.
        """
        if not self.covers(query):
            raise ValueError(f"the office is not compiled for {query.from_date} to {query.to_date}")
        kind = self.compiled.kind(query.reason, query.channel, query.modality)
        book = self._book(query.replacing)
        for later in range((query.to_date - query.from_date).days + 1):
            day = query.from_date + timedelta(days=later)
            _, offered = self._offered(book, kind, replace(query, from_date=day, to_date=day), now or self.instance.now)
            if offered:
                start = (offered & -offered).bit_length() - 1
                return self.compiled.horizon.moment(start), book.remaining(self.bookable(kind), start)
        return None

    def seat(self, query: Query, start: datetime, *, now: datetime | None = None) -> Seated | None:
        """Return a place for an appointment at a start, and who has to move for it; None when it cannot be had.

        The start is a candidate within lead time and horizon (rules 2 and 5); a compact office takes every feasible
        one, on the grid or not, since what it showed when the usager chose may have changed. Raises KeyError and
        ValueError as `answer` does.
        """
        if not self.covers(query):
            raise ValueError(f"the office is not compiled for {query.from_date} to {query.to_date}")
        kind = self.compiled.kind(query.reason, query.channel, query.modality)
        horizon = self.compiled.horizon
        at = horizon.earliest(start, 0)
        begin, end = self.bookable_window(query, now or self.instance.now)
        if not begin <= at < end or horizon.moment(at) != start.astimezone(UTC):
            return None
        found = self._book(query.replacing).seat(self.bookable(kind), at)
        if found is None:
            return None
        new, moves = found
        return Seated(
            place=self._place(new.counter, new.agents),
            moves={name: self._place(seat.counter, seat.agents) for name, seat in moves.items()},
        )

    def bookable(self, kind: Kind) -> Kind:
        """Return a kind with every start that may be booked: those of a compact office may lie off the grid."""
        return off_grid(kind) if self.instance.rules.policy is Policy.COMPACT else kind

    def result(self, *, explain: bool = False) -> Result:
        """Answer the instance's own queries, with a place for every live appointment that can have one."""
        answers = tuple(self.answer(query, explain=explain) for query in self.instance.queries)
        placement = self.book.placement()
        assignment = {name: self._place(seat.counter, seat.agents) for name, seat in placement.seats.items()}
        live = self.compiled.live
        ordered = {name: assignment[name] for name in map(live.id, range(len(live))) if name in assignment}
        return Result(answers=answers, stranded=placement.stranded, assignment=ordered, undecided=self.undecided)

    def disturbed(self) -> tuple[tuple[str, ...], dict[str, Place]]:
        """Return who is stranded, and a place for whoever may have to leave theirs: the others can stay."""
        placement = self.book.disturbed()
        return placement.stranded, {n: self._place(s.counter, s.agents) for n, s in placement.seats.items()}

    def _book(self, replacing: str | None) -> Book:
        if replacing is None:
            return self.book
        book = self._replacing.pop(replacing, None) or self.book.without(replacing)
        if book is not self.book:
            self._replacing[replacing] = book
            if len(self._replacing) > BOOKS_KEPT:
                self.book.undecided += self._replacing.popitem(last=False)[1].undecided
        return book

    def _remaining(self, book: Book, kind: Kind, starts: Iterable[int]) -> tuple[int, ...]:
        bookable = self.bookable(kind)
        return tuple(book.remaining(bookable, start) for start in starts)

    def _offered(self, book: Book, kind: Kind, query: Query, now: datetime) -> tuple[int, int]:
        """Return the feasible starts of the query's days, whatever the clock says, and the offered ones."""
        first, last = day_from(query.from_date), day_from(query.to_date)
        low, high = self.bookable_window(query, now)
        found = book.findings(kind, low, high)
        feasible = found.feasible & ticks.interval(low, high)
        if self.instance.rules.policy is Policy.COMPACT and feasible:
            return feasible, compact(book, kind, feasible, (low, high), (first, last))
        return feasible, feasible

    def _place(self, counter: int, agents: int) -> Place:
        agents_of = self.instance.agents or ()
        names = tuple(agents_of[agent].id for agent in ticks.members(agents))
        return Place(self.instance.counters[counter].id, names)


def solve(instance: Instance, *, explain: bool = False, budget: Budget = DEFAULT) -> Result:
    """Answer every query of an instance and find a place for every live appointment."""
    today = instance.now.astimezone(instance.zone).date()
    first = min((query.from_date for query in instance.queries), default=today)
    last = max((query.to_date for query in instance.queries), default=today)
    return Office(instance, first, last, budget=budget).result(explain=explain)
