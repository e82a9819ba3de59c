"""A person is found by whatever tells them apart, and not by looking through everybody."""

from sqlalchemy import text

from rdv.models.database import Database
from rdv.models.usagers import PERSON

MARKS = ("subject", "email", "phone", "tax_number", "company_number")


async def test_indexes_find_a_person_by_each_of_what_tells_them_apart(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("set local enable_seqscan = off"))  # a small table is looked through as a rule
        (told,) = (
            await connection.execute(text(f"explain (format json) {PERSON}"), dict.fromkeys(MARKS, "x"))
        ).scalar_one()
    assert told["Plan"]["Node Type"] == "Bitmap Heap Scan"
