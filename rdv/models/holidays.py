"""Public holidays per département: the `holidays` package, corrected by the administration's own rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import holidays
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# Where a département's holidays differ from the national ones; the package's names of the territories.
SUBDIVISION = {
    "57": "57",
    "67": "6AE",
    "68": "6AE",
    "971": "971",
    "972": "972",
    "973": "973",
    "974": "974",
    "975": "PM",
    "976": "976",
    "977": "BL",
    "978": "MF",
    "986": "WF",
    "987": "PF",
    "988": "NC",
}
NATIONAL = "FR"

HOLIDAYS = "select territory, on_date, closed from holiday"


@dataclass(frozen=True)
class Holidays:
    """Which days are holidays where. `overrides`: the administration's own word on a day ("FR" = everywhere)."""

    overrides: Mapping[tuple[str, date], bool]

    def on(self, departement: str, first: date, last: date) -> frozenset[date]:
        """Return the holidays of a département from `first` to `last`, both included."""
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return frozenset(day for day in days if self._closed(departement, day))

    def _closed(self, departement: str, day: date) -> bool:
        for territory in (departement, NATIONAL):
            if (territory, day) in self.overrides:
                return self.overrides[territory, day]
        return day in _of_year(SUBDIVISION.get(departement), day.year)


@lru_cache(maxsize=512)
def _of_year(subdivision: str | None, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("FR", subdiv=subdivision, years=year))


async def load_holidays(connection: AsyncConnection) -> Holidays:
    """Read the administration's own holidays in one statement."""
    rows = await connection.execute(text(HOLIDAYS))
    return Holidays({(row.territory, row.on_date): row.closed for row in rows})
