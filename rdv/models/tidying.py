"""What nobody can ask for any more, taken away each night: keys of requests, and holds that came to nothing.

Both are of no use after a month, when nobody repeats a request. Their days are long over, so no writer of appointments
looks at them, and none of its locks is needed. In batches, each a transaction of its own that takes a moment.
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


async def tidy(database: Database, now: datetime) -> int:
    """Take away what is older than a month; return how many rows that was."""
    taken = 0
    for statement in (KEYS, HOLDS):  # a key leads to its hold
        while True:
            async with database.transaction() as connection:
                done = await connection.execute(text(statement), {"before": now - KEPT, "batch": BATCH})
            taken += done.rowcount
            if done.rowcount < BATCH:
                break
    log.info("tidy: %s rows taken away", taken)
    return taken
