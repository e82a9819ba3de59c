"""Holidays that a worker goes on with: what was asked, by whom, and which offices it is done with."""

from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import Field, SQLModel

from rdv.models import rows
from rdv.models.columns import Instant, big, identity


class HolidayChange(SQLModel, table=True):
    """What somebody said of a day, while the offices that expect somebody that day are judged.

    `closed`: NULL = as the calendar of public holidays says. `finished_at`: when no office was left.
    """

    __tablename__ = "holiday_change"

    id: int | None = identity()
    territory: str
    on_date: date
    closed: bool | None = None
    made_at: datetime = Field(sa_type=Instant)
    made_by: str | None = None
    made_by_kind: str
    attempts: int = 0
    finished_at: datetime | None = Field(default=None, sa_type=Instant)


class HolidayJudged(SQLModel, table=True):
    """An office that a change of a holiday is done with: written in the transaction in which it was judged."""

    __tablename__ = "holiday_judged"

    holiday_change_id: int = big(foreign_key="holiday_change.id", primary_key=True, ondelete="CASCADE")
    office_id: int = big(foreign_key="office.id", primary_key=True)


BEGIN = """
update holiday_change set attempts = attempts + 1 where id = :id and finished_at is null returning *
"""

# An office is judged once for a change, and no more once something else is said of the day: whoever says so judges,
# when that stands, every office that expects somebody, and waits for this transaction, which has locked its office.
CLAIM = """
insert into holiday_judged (holiday_change_id, office_id)
select c.id, :office from holiday_change c
where c.id = :id
  and c.closed is not distinct from
      (select h.closed from holiday h where h.territory = c.territory and h.on_date = c.on_date)
on conflict do nothing returning true
"""


async def begin(connection: AsyncConnection, identity: int) -> HolidayChange | None:
    """Note that a worker begins with a change, and return it; None when nothing is left of it."""
    row = (await connection.execute(text(BEGIN), {"id": identity})).mappings().one_or_none()
    return None if row is None else HolidayChange(**row)


async def claim(connection: AsyncConnection, identity: int, office: int) -> bool:
    """Note that an office, which is locked, is judged by this transaction; False when it is not to be."""
    return bool((await connection.execute(text(CLAIM), {"id": identity, "office": office})).scalar())


async def finish(connection: AsyncConnection, identity: int, now: datetime) -> None:
    """Note that nothing is left of a change."""
    await rows.change(connection, HolidayChange, {"id": identity}, finished_at=now)
