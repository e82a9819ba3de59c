"""Jobs: done again when the database was away meanwhile, for as often as that may be its doing."""

import pytest
from sqlalchemy import text

from rdv.models import jobs
from rdv.models.database import Database

JOB = "select status::text, attempts, scheduled_at > now() from procrastinate_jobs"


async def done(database_url: str, database: Database, failing: str, attempts: int) -> tuple[str, int, bool | None]:
    """Do a job that fails in a statement, at its so manieth attempt, and return what became of it."""

    async def fail() -> None:
        async with database.reading() as connection:
            await connection.execute(text(failing))

    app = jobs.jobs_app(database_url, {"fail": fail})
    async with database.transaction() as connection:
        await jobs.enqueue(connection, "fail")
        await connection.execute(text("update procrastinate_jobs set attempts = :attempts"), {"attempts": attempts})
    await jobs.work(app, once=True)
    async with database.reading() as connection:
        row = (await connection.execute(text(JOB))).one()
    return row[0], row[1], row[2]


@pytest.mark.parametrize(
    ("failing", "attempts", "became"),
    [
        ("select pg_terminate_backend(pg_backend_pid())", 0, ("todo", 1, True)),
        ("select pg_terminate_backend(pg_backend_pid())", 20, ("failed", 21, None)),
        ("select 1 / 0", 0, ("failed", 1, None)),
    ],
)
async def test_a_job_that_lost_its_connection_is_done_again_later(
    database_url: str, database: Database, failing: str, attempts: int, became: tuple[str, int, bool | None]
) -> None:
    assert await done(database_url, database, failing, attempts) == became
