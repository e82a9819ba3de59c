"""Writing opening hours that came from a directory, or were derived; an office's own are never touched."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import text

from rdv.models.database import Connection
from rdv.models.imports import Written, load

# Hours an import may replace: earlier ones of its own source, and weaker ones of a layer it has hours of (a directory
# that only knows the walk-in mornings leaves the derived hours of appointments). The office's own have source "office".
_IMPORTED = """o.counter_id is null and o.agent_id is null and (o.source = :source or o.source = any(:weaker)
  and exists (select from incoming_opening i where i.office_id = o.office_id and i.layer = o.layer))"""

# Which offices have hours that nobody may replace by weaker ones: 'office' beats 'directory' beats 'derived'.
OFFICES_WITH_HOURS = """
select distinct office_id from opening
where agent_id is null and source <> all(:weaker) and (source <> 'directory' or layer = 'APPOINTMENT')
"""

HAD_HOURS = "select distinct office_id from opening where office_id in (select office_id from incoming_hours_of)"

# The two statements that make an office's imported hours those of the file; what is the same stays as it is.
DROP_OTHER_OPENINGS = f"""
delete from opening o
where {_IMPORTED} and o.office_id in (select office_id from incoming_hours_of)
  and not exists (select from incoming_opening i where {{same}})
returning o.office_id
"""

ADD_OPENINGS = """
insert into opening (office_id, layer, source, weekdays, every_weeks, start_minute, end_minute)
select office_id, layer, source, weekdays, 1, start_minute, end_minute from incoming_opening i
where not exists (select from opening o where {same} and o.counter_id is null and o.agent_id is null)
order by office_id, layer, start_minute, weekdays
returning office_id
"""

_SAME = """(o.office_id, o.layer, o.source, o.weekdays, o.start_minute, o.end_minute)
  = (i.office_id, i.layer, i.source, i.weekdays, i.start_minute, i.end_minute)
  and o.on_date is null and o.from_date is null and o.until_date is null and o.every_weeks = 1
  and o.nth_of_month is null"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursRow:
    """A weekly opening of one office."""

    office_id: int
    layer: str
    source: str
    weekdays: tuple[int, ...]
    start_minute: int
    end_minute: int


async def offices_with_hours(connection: Connection, *, weaker: Iterable[str]) -> set[int]:
    """Return the offices that have hours of a source not named in `weaker`."""
    return set((await connection.execute(text(OFFICES_WITH_HOURS), {"weaker": list(weaker)})).scalars())


async def write_hours(
    connection: Connection, offices: Iterable[int], rows: Iterable[HoursRow], *, source: str, weaker: Sequence[str] = ()
) -> Written:
    """Make the hours of some offices, as far as they are of this source, exactly the rows; weaker hours give way.

    `inserted` counts offices that had none, `updated` those whose hours changed.
    """
    columns = "office_id bigint, layer text, source text, weekdays int[], start_minute int, end_minute int"
    values = ((r.office_id, r.layer, r.source, list(r.weekdays), r.start_minute, r.end_minute) for r in rows)
    await load(connection, "incoming_hours_of", "office_id bigint", ((office,) for office in offices))
    await load(connection, "incoming_opening", columns, values)
    await connection.execute(text("analyze opening"))  # or a table filled just now is compared row by row: seconds
    had = set((await connection.execute(text(HAD_HOURS))).scalars())
    drop, add = DROP_OTHER_OPENINGS.format(same=_SAME), ADD_OPENINGS.format(same=_SAME)
    changed = set((await connection.execute(text(drop), {"source": source, "weaker": list(weaker)})).scalars())
    changed |= set((await connection.execute(text(add))).scalars())
    return Written(inserted=len(changed - had), updated=len(changed & had))
