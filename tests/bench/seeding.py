"""The smallest country that has an office of each kind, seeded for a test."""

from datetime import date

from rdv.models.database import Database
from rdv.usecases.bench import SeedWish, seed
from rdv.usecases.bench_country import Size

FIRST = date(2027, 3, 2)
SMALL = Size(name="S", offices=4, counters=12, appointments=1_800)


async def fill(database: Database, *, number: int = 1) -> None:
    """Seed an empty database."""
    await seed(database, SeedWish(size=SMALL, seed=number, first=FIRST), lambda _what, _done, _of: None)
