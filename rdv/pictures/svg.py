"""The week as SVG: a row a counter, a column a day, time from left to right; and as a page around it."""

from dataclasses import dataclass
from datetime import date
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rdv.pictures.week import Block, Span, Week
from rdv.pictures.words import Words, initials, span

LABEL, DAY, GAP = 164, 230, 10  # widths, in pixels
HEAD, ROW, HEAT = 86, 58, 34  # heights
LONGEST_LABEL = 22
STRIP = 12  # of a row, for who is at the counter

# Told apart by colour-blind people too (Okabe and Ito), dark enough for white letters on them.
COLOURS = ("#0072b2", "#b85c00", "#00734f", "#a3457f", "#4a5a8a", "#7a5c00", "#3d6b7d", "#6b4f3a")


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle with what it says when it is pointed at, and what is written into it."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    says: str = ""
    text: str = ""
    colour: str = ""


def draw_svg(week: Week, words: Words) -> str:
    """Return the picture as one SVG document."""
    return _render("week.svg.j2", week, words)


def draw_html(week: Week, words: Words) -> str:
    """Return a page with the picture and the same as a table, without anything from elsewhere."""
    return _render("week.html.j2", week, words)


def _render(template: str, week: Week, words: Words) -> str:
    drawing = _Drawing(week, words)
    svg = Markup(_environment().get_template("week.svg.j2").render(d=drawing, w=words, week=week))  # noqa: S704 - escaped by Jinja
    if template == "week.svg.j2":
        return str(svg)
    return _environment().get_template(template).render(d=drawing, w=words, week=week, svg=svg, span=span)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("rdv.pictures"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


class _Drawing:
    """Where everything is."""

    def __init__(self, week: Week, words: Words) -> None:
        self.week, self.words = week, words
        self.rows = len(week.counters) + bool(self.any_stranded)
        self.width = LABEL + DAY * len(week.shown)
        self.bottom = HEAD + ROW * self.rows
        self.height = self.bottom + HEAT + 46
        self.day, self.gap, self.head, self.row, self.heat = DAY, GAP, HEAD, ROW, HEAT

    @property
    def any_stranded(self) -> bool:
        return any(self.week.stranded.get(day) for day in self.week.shown)

    def top(self, row: int) -> float:
        return HEAD + ROW * row

    def left(self, column: int) -> float:
        return LABEL + DAY * column + GAP / 2

    def hours(self, column: int) -> list[tuple[float, str]]:
        """Return the lines of a day's hours, few enough to be read."""
        first, last = self.week.hours
        step = 60 if last - first <= 6 * 60 else 120 if last - first <= 14 * 60 else 240
        return [(self.at(column, minute), f"{minute // 60}") for minute in range(first, last, step)]

    def at(self, column: int, minute: float) -> float:
        first, last = self.week.hours
        return round(self.left(column) + (DAY - GAP) * (minute - first) / (last - first), 2)

    def ground(self, row: int, column: int, day: date) -> list[Box]:
        """Return when a counter is open that day."""
        one = self.week.counters[row].on(day)
        found = [self._box(row, column, s, "open") for s in one.open]
        return found + [self._box(row, column, s, "walk-in", says=self._walk_in(s)) for s in one.walk_in]

    def boxes(self, row: int, column: int, day: date) -> list[Box]:
        """Return a counter's day: what is compared, appointments, who is there."""
        one = self.week.counters[row].on(day)
        found = [self._box(row, column, s, "opened") for s in one.opened]
        found += [self._box(row, column, s, "shut") for s in one.shut]
        for block in one.blocks:
            found += self._block(row, column, block)
        found += [
            self._box(
                row,
                column,
                (s.start_minute, s.end_minute),
                "shift",
                says=f"{span((s.start_minute, s.end_minute))} {s.agent}",
                text=s.agent,
            )
            for s in one.shifts
        ]
        return found

    def lost(self, column: int, day: date) -> list[Box]:
        """Return who has no place that day."""
        row = len(self.week.counters)
        return [box for one in self.week.stranded.get(day, ()) for box in self._block(row, column, one)]

    def load(self, column: int, day: date) -> list[Box]:
        """Return the cells of a day's heat map."""
        found = []
        for minute, share in self.week.cells(day):
            left, right = self.at(column, minute), self.at(column, minute + 30)
            found.append(
                Box(
                    x=left,
                    y=self.bottom + 6,
                    width=round(right - left, 2),
                    height=HEAT - 8,
                    kind="cell" if share is not None else "cell none",
                    says=f"{span((minute, minute + 30))} {self.words.percent(share)}",
                    colour="" if share is None else heat(share),
                )
            )
        return found

    def label(self, text: str) -> str:
        """Return a counter's name as far as there is room for it."""
        return text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 1]}…"

    def colour(self, group: int) -> str:
        return COLOURS[group % len(COLOURS)]

    def _walk_in(self, s: Span) -> str:
        return f"{span(s)} {self.words.legend()['walk_in']}"

    def _block(self, row: int, column: int, one: Block) -> list[Box]:
        whole = (one.start_minute, one.end_minute)
        after = [self._box(row, column, (one.end_minute, one.until_minute), "buffer")]
        return [
            *(after if one.until_minute > one.end_minute else []),
            self._box(
                row,
                column,
                whole,
                f"block {one.state.value.lower()}",
                says=self.words.block(one),
                text=one.reason,
                colour=self.colour(one.group),
            ),
        ]

    def _box(
        self, row: int, column: int, s: Span, kind: str, *, says: str = "", text: str = "", colour: str = ""
    ) -> Box:
        left, right = self.at(column, s[0]), self.at(column, s[1])
        top, height = self.top(row) + 4, ROW - 8
        if kind == "shift":
            top, height = top + height - STRIP, STRIP
        elif kind.startswith("block") or kind == "buffer":
            top, height = top + 2, height - STRIP - 4
        width = round(right - left, 2)
        written = _fitting(text, width)
        return Box(x=left, y=top, width=width, height=height, kind=kind, says=says, text=written, colour=colour)


def _fitting(text: str, width: float) -> str:
    """Return as much of a text as a box takes: all of it, its initials, or nothing."""
    for one in (text, initials([text]) if text else ""):
        if one and 5.2 * len(one) + 4 <= width:
            return one
    return ""


def heat(share: float) -> str:
    """Return a colour from pale to dark; the more, the darker, so that it survives grey printing."""
    pale, dark = (255, 245, 225), (150, 30, 30)
    part = min(max(share, 0.0), 1.0)
    return "#" + "".join(f"{round(p + (d - p) * part):02x}" for p, d in zip(pale, dark, strict=True))
