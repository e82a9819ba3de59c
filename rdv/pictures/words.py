"""What pictures say, in French and English."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from babel.dates import format_date, format_skeleton

from rdv.pictures.week import Block, CounterDay, Span, State, Week


class Translate(Protocol):
    """Translates into one language."""

    @property
    def language(self) -> str: ...
    def __call__(self, message: str, **values: object) -> str: ...


@dataclass(frozen=True, slots=True)
class Words:
    """Says in one language what a picture shows."""

    translate: Translate

    def title(self, week: Week) -> str:
        first, last = week.dates[0], week.dates[-1]
        language = self.translate.language
        return self.translate(
            "{office}: {first} to {last}",
            office=week.office,
            first=format_date(first, "long", locale=language),
            last=format_date(last, "long", locale=language),
        )

    def subtitle(self, week: Week) -> str:
        translate = self.translate
        if week.draft is not None:
            return translate("Draft {number}, compared with what holds now", number=week.draft)
        return translate("As it holds now")

    def day(self, day: date, week: Week | None = None) -> str:
        """Return a day's name, with a word where it is a public holiday of a week."""
        name = str(format_skeleton("MMMEd", day, locale=self.translate.language))
        return f"{name} · {self.translate('public holiday')}" if week and day in week.holidays else name

    def percent(self, share: float | None) -> str:
        return "–" if share is None else f"{share:.0%}" if self.translate.language == "en" else f"{share * 100:.0f} %"

    def block(self, one: Block) -> str:
        """Return one appointment in a line."""
        said = [f"{span((one.start_minute, one.end_minute))} {one.reason}", ", ".join(one.agents)]
        said += [] if one.state is State.BOOKED else [self.state(one.state)]
        return " · ".join(filter(None, said))

    def state(self, state: State) -> str:
        translate = self.translate
        return {
            State.HELD: lambda: translate("held for a moment"),
            State.BOOKED: lambda: translate("booked appointment"),
            State.ARRIVED: lambda: translate("has arrived"),
            State.MOVED: lambda: translate("moves to this counter"),
            State.STRANDED: lambda: translate("without a place: to be called back"),
        }[state]()

    def hours(self, one: CounterDay) -> str:
        """Return when a counter is open."""
        return ", ".join(map(span, one.open)) or self.translate("closed all day")

    def legend(self) -> dict[str, str]:
        translate = self.translate
        return {
            "open": translate("open"),
            "closed": translate("closed"),
            "walk_in": translate("without appointment"),
            "opened": translate("newly open"),
            "shut": translate("no longer open"),
            "buffer": translate("time after an appointment"),
            "shift": translate("who is at the counter"),
            "stranded": translate("Without a place"),
            "counter": translate("Counter"),
            "day": translate("All counters"),
        }


def span(minutes: Span) -> str:
    """Return a span as clocks show it."""
    start, end = minutes
    return f"{start // 60:02}:{start % 60:02}–{end // 60:02}:{end % 60:02}"


def initials(names: Sequence[str]) -> str:
    """Return names short enough for a narrow strip."""
    return " ".join("".join(part[0] for part in name.replace("-", " ").split()) for name in names)
