"""What nobody can ask for any more, taken away each night: keys of requests, holds that came to nothing, holidays done.

All are of no use after a month, when nobody repeats a request. The days of holds are long over, so no writer of
appointments looks at them, and none of its locks is needed. In batches, each a transaction of its own that takes a
moment.
"""

import logging
from datetime import datetime, timedelta

from sqlalchemy import text

from rdv.models.database import Database

log = logging.getLogger("rdv.jobs")

KEPT = timedelta(days=30)
BATCH = 2_000

KEYS = """
delete from idempotency_key where ctid = any(array(
  select ctid from idempotency_key where created_at < :before limit :batch))
"""

# A hold that was confirmed has a usager. By the index of usagers, in which these are together.
HOLDS = """
delete from appointment where id = any(array(
  select id from appointment
  where usager_id is null and status in ('HELD', 'CANCELLED') and expires_at < :before
    and day < cast(:before as timestamptz)::date
  limit :batch))
"""

# What workers noted of it goes with it. One that could not be finished stays, for whoever looks into it.
HOLIDAYS = """
delete from holiday_change where id = any(array(
  select id from holiday_change where finished_at < :before limit :batch))
"""


async def tidy(database: Database, now: datetime) -> int:
    """Take away what is older than a month; return how many rows that was."""
    taken = 0
    for statement in (KEYS, HOLDS, HOLIDAYS):  # a key leads to its hold
        while True:
            async with database.transaction() as connection:
                done = await connection.execute(text(statement), {"before": now - KEPT, "batch": BATCH})
            taken += done.rowcount
            if done.rowcount < BATCH:
                break
    log.info("tidy: %s rows taken away", taken)
    return taken
