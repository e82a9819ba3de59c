"""Values of options, read or refused in one line that names the option."""

import math
from datetime import date, datetime
from typing import TypeVar

from rdv.errors import BadSetting

T = TypeVar("T", bound=date)

FIRST_YEAR, LAST_YEAR = 1971, 2199  # what the engine's calendar covers


def day(option: str, text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise BadSetting(f"{option}: is not a date like 2027-03-01") from None
    return _within(option, found)


def moment(option: str, text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadSetting(f"{option}: is not a time like 2027-03-01T08:00:00+01:00") from None
    if found.utcoffset() is None:
        raise BadSetting(f"{option}: says no offset; write it like 2027-03-01T08:00:00+01:00")
    return _within(option, found)


def share(option: str, value: float) -> float:
    if not (math.isfinite(value) and 0 <= value <= 1):
        raise BadSetting(f"{option}: is not a share from 0 to 1")
    return value


def _within(option: str, found: T) -> T:
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise BadSetting(f"{option}: is not between the years {FIRST_YEAR} and {LAST_YEAR}")
    return found
