"""The week in a terminal: a row a counter, a column a day, a character a stretch of time."""

from datetime import date
from textwrap import fill

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from rdv.pictures.week import CounterDay, Span, State, Week, overlap
from rdv.pictures.words import Words

STEPS = (15, 30, 60, 120)  # minutes a character stands for
LABEL = 18
LOADS = " ▁▂▃▄▅▆▇█"

# Told apart without colours too.
MARKS = {"free": ("░", "green"), "shut": ("-", "red"), "walk-in": ("¦", "cyan"), "closed": ("·", "bright_black")}
BLOCKS = {
    State.HELD: ("▒", "yellow"),
    State.BOOKED: ("█", "blue"),
    State.ARRIVED: ("▚", "magenta"),
    State.MOVED: ("▓", "yellow"),
    State.STRANDED: ("!", "red"),
}


def draw_terminal(week: Week, words: Words, width: int) -> RenderableType:
    """Return the picture for a terminal of some columns."""
    step = _step(week, width)
    # Texts, since plain strings are read as markup: somebody may call a counter [accueil].
    title, caption = Text(words.title(week)), Text(words.subtitle(week))
    table = Table(title=title, caption=caption, pad_edge=False, padding=(0, 1))
    legend = words.legend()
    table.add_column(Text(legend["counter"]), max_width=LABEL, no_wrap=True)
    for day in week.shown:
        table.add_column(Text(words.day(day, week)), no_wrap=True)
    table.add_row("", *(_hours(week.hours, step) for _ in week.shown))
    for counter in week.counters:
        cells = []
        for day in week.shown:
            one = counter.on(day)
            bar = _bar(one, week.hours, step)
            who = ", ".join(dict.fromkeys(shift.agent for shift in one.shifts))
            length = len(bar)
            bar.append(f"\n{who[:length]}" if who else "", style="dim")
            cells.append(bar)
        table.add_row(Text(counter.label), *cells)
    if any(week.stranded.get(day) for day in week.shown):
        table.add_row(
            Text(legend["stranded"], style="red"), *(Text(_lost(week, day, step), style="red") for day in week.shown)
        )
    table.add_section()
    table.add_row(Text(legend["day"]), *(_load(week, day, step, words) for day in week.shown))
    return Group(table, _legend(words))


def _step(week: Week, width: int) -> int:
    """Return the finest step that fits."""
    first, last = week.hours
    room = (width - LABEL - 4) // max(len(week.shown), 1) - 3
    return next((step for step in STEPS if (last - first) // step <= room), STEPS[-1])


def _hours(hours: Span, step: int) -> Text:
    """Return the hours above a day, as far apart as they can be read."""
    first, last = hours
    apart = max(3 * step, 60)
    line = ""
    for minute in range(first, last, step):
        if (minute - first) % apart == 0:
            line = line.ljust((minute - first) // step) + f"{minute // 60}"
    return Text(line[: (last - first) // step], style="dim")


def _bar(one: CounterDay, hours: Span, step: int) -> Text:
    bar = Text()
    for minute in range(*hours, step):
        mark, style = _mark(one, (minute, minute + step))
        bar.append(mark, style=style)
    return bar


def _mark(one: CounterDay, cell: Span) -> tuple[str, str]:
    """Return what fills most of a stretch of time."""
    taken = [
        (overlap((b.start_minute, b.until_minute), cell), _block(b.state, number))
        for number, b in enumerate(one.blocks)
        if overlap((b.start_minute, b.until_minute), cell)
    ]
    busy = sum(minutes for minutes, _ in taken)
    spans = {"free": one.open, "shut": one.shut, "walk-in": one.walk_in}
    shares = {kind: sum(overlap(s, cell) for s in those) for kind, those in spans.items()}
    shares["free"] -= busy
    if taken and 2 * busy >= min(cell[1] - cell[0], busy + max(shares["free"], 0)):
        return max(taken)[1]
    kind = max(shares, key=lambda name: shares[name])
    return MARKS[kind if shares[kind] > 0 else "closed"]


def _block(state: State, number: int) -> tuple[str, str]:
    """Return how an appointment is drawn: neighbours in two shades, so that one sees where one ends."""
    mark, style = BLOCKS[state]
    return mark, f"bright_{style}" if number % 2 else style


def _lost(week: Week, day: date, step: int) -> str:
    """Return when those without a place were to come, in lines no wider than the day's."""
    times = " ".join(f"{b.start_minute // 60}:{b.start_minute % 60:02}" for b in week.stranded.get(day, ()))
    first, last = week.hours
    return fill(times, max((last - first) // step, len("00:00")))


def _load(week: Week, day: date, step: int, words: Words) -> Text:
    """Return the heat map of a day: the higher, the fuller."""
    line = Text()
    cells = dict(week.cells(day))
    for minute in range(*week.hours, step):
        here = [cells[at] for at in cells if overlap((at, at + 30), (minute, minute + step))]
        known = [share for share in here if share is not None]
        share = sum(known) / len(known) if known else 0.0
        line.append(
            LOADS[min(round(share * (len(LOADS) - 1)), len(LOADS) - 1)], style="red" if share > 0.9 else "yellow"
        )
    line.append(f"\n{words.percent(week.load(day))}", style="bold")
    return line


def _legend(words: Words) -> Text:
    legend = words.legend()
    line = Text()
    for kind, name in (("free", "open"), ("closed", "closed"), ("walk-in", "walk_in"), ("shut", "shut")):
        mark, style = MARKS[kind]
        line.append(mark, style=style).append(f" {legend[name]}   ", style="dim")
    for state, (mark, style) in BLOCKS.items():
        line.append(mark, style=style).append(f" {words.state(state)}   ", style="dim")
    return line
