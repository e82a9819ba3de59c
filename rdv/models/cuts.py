"""Taking a period out of an opening, and keeping what goes on around it."""

from dataclasses import replace
from datetime import date, timedelta

from rdv.engine.values import Opening

DAY = timedelta(days=1)


def outside(opening: Opening, first: date, last: date | None) -> list[Opening]:
    """Return an opening as it is before `first` and after `last` (None = for ever), both taken out.

    What goes on after the period counts every n-th week as before.
    """
    if opening.date is not None:
        inside = first <= opening.date and (last is None or opening.date <= last)
        return [] if inside else [opening]
    begins, ends = opening.from_date, opening.until_date
    if (ends is not None and ends < first) or (begins is not None and last is not None and begins > last):
        return [opening]
    kept = []
    if begins is None or begins < first:
        kept.append(replace(opening, until_date=first - DAY))
    if last is not None and (ends is None or ends > last):
        resumed = _in_step(opening, last + DAY)
        if ends is None or resumed <= ends:
            kept.append(replace(opening, from_date=resumed))
    return kept


def _in_step(opening: Opening, day: date) -> date:
    """Return the first day, from a day on, from which every n-th week counts the same weeks as the opening does."""
    if opening.every_weeks == 1 or opening.from_date is None:
        return day
    week = _monday(day)
    late = ((week - _monday(opening.from_date)).days // 7) % opening.every_weeks
    return day if late == 0 else week + timedelta(weeks=opening.every_weeks - late)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
