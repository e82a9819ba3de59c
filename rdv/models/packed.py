"""Live appointments as PostgreSQL packs them: one text of bytes for any number of them, and columns of it.

Beside each appointment its day is kept, so that those of one day can be put in the place of what was read before.

Sixty thousand rows as JSON and then as objects take a second; packed by PostgreSQL's own binary forms (`int8send` and
its like, big-endian) and read in place they take a twentieth of that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from rdv.engine.columns import MODALITIES, NEVER, STATUSES, Coded, Columns, Flags, Ints
from rdv.engine.values import Channel

STARTS_AND_ENDS = ("starts_at", "ends_at", "occupied_until")
_ROW = np.dtype(
    [(name, ">i8") for name in ("id", "reason", "counter", "created_at", "expires_at", *STARTS_AND_ENDS)]
    + [(name, ">i2") for name in ("status", "channel", "modality")]
    + [("pinned", "?"), ("day", ">i4")]
)
_DAYS = np.dtype([("day", ">i4"), ("version", ">i8")])
_SERVED_BY = np.dtype([("appointment", ">i8"), ("agent", ">i8")])
# PostgreSQL counts its microseconds and days from here.
_FIRST_DAY = date(2000, 1, 1)
_BEGINNING = (datetime(2000, 1, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
_MINUTE = 60_000_000
_INFINITY = np.iinfo(np.int64).max  # how PostgreSQL packs 'infinity'


def _place(column: str, names: str) -> str:
    """Return the SQL of a name's place in a list, from 1; 0 for an unknown one: null would lose the whole row."""
    return f"int2send(coalesce(array_position(cast(:{names} as text[]), {column}), 0)::int2)"


# Of appointments `a`: one packed text, in no order.
APPOINTMENTS = f"""string_agg(
  int8send(a.id) || int8send(a.reason_id) || int8send(a.counter_id)
  || timestamptz_send(a.created_at) || timestamptz_send(coalesce(a.expires_at, 'infinity'))
  || timestamptz_send(a.starts_at) || timestamptz_send(a.ends_at) || timestamptz_send(a.occupied_until)
  || {_place("a.status", "statuses")} || {_place("a.channel", "channels")} || {_place("a.modality", "modalities")}
  || boolsend(a.pinned) || date_send(a.day), ''::bytea)"""
# Of rows `d` of office_day.
DAYS = "string_agg(date_send(d.day) || int8send(d.version), ''::bytea)"
# Of rows `g` of appointment_agent.
SERVED_BY = "string_agg(int8send(g.appointment_id) || int8send(g.agent_id), ''::bytea)"
# What these are bound to.
NAMES = {"statuses": list(STATUSES), "channels": list(Channel), "modalities": list(MODALITIES)}


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """Appointments in the order they were made, with the day and the moment (of PostgreSQL's) of each."""

    columns: Columns
    day: NDArray[np.int32]
    created: NDArray[np.int64]

    def on(self, day: date) -> Flags:
        """Flag the appointments of a local day."""
        flags: Flags = self.day == (day - _FIRST_DAY).days
        return flags

    def by_day(self, numbers: Ints | Flags) -> dict[date, int]:
        """Return the sum of numbers, one for each appointment, by local day."""
        days, places = np.unique(self.day, return_inverse=True)
        sums = np.bincount(places, numbers, len(days)).astype(int).tolist()
        return {_FIRST_DAY + timedelta(days=day): total for day, total in zip(days.tolist(), sums, strict=True)}

    def renewed(self, days: Sequence[date], instead: "Listed", now: datetime) -> "Listed":
        """Return the same as of a moment, with others instead of those of some days."""
        gone = np.array([(day - _FIRST_DAY).days for day in days], np.int32)
        stay = np.flatnonzero(~np.isin(self.day, gone) & self.columns.takes_room(now))
        columns = self.columns.only(stay).joined(instead.columns)
        day = np.concatenate((self.day[stay], instead.day))
        created = np.concatenate((self.created[stay], instead.created))
        order = np.lexsort((columns.ids, created))
        return Listed(columns.only(order), day[order], created[order])


def listed(appointments: bytes | None, served_by: bytes | None) -> Listed:
    """Return packed appointments; raises ValueError for an unknown name."""
    rows = np.frombuffer(appointments or b"", _ROW)
    rows = rows[np.lexsort((rows["id"], rows["created_at"]))]
    return Listed(_columns(rows, served_by), rows["day"].astype(np.int32), rows["created_at"].astype(np.int64))


def days(packed: bytes | None) -> dict[date, int]:
    """Return the versions of packed days."""
    rows = np.frombuffer(packed or b"", _DAYS)
    return {_FIRST_DAY + timedelta(days=day): version for day, version in rows.tolist()}


def _columns(rows: NDArray[np.void], served_by: bytes | None) -> Columns:
    ids = rows["id"].astype(np.int64)
    start, end, until = ((rows[name] // _MINUTE).astype(np.int32) for name in STARTS_AND_ENDS)
    agents, agents_from = _agents(ids, served_by)
    expires = rows["expires_at"].astype(np.int64)
    return Columns(
        ids=ids,
        reason=Coded.of_numbers(rows["reason"]),
        channel=Coded(tuple(Channel), _places(rows["channel"])),
        counter=Coded.of_numbers(rows["counter"]),
        modality=_places(rows["modality"]),
        status=_places(rows["status"]),
        start=start + np.int32(_BEGINNING // _MINUTE),
        duration=end - start,
        buffer=until - end,
        pinned=rows["pinned"].copy(),
        expires=np.where(expires == _INFINITY, NEVER, expires + _BEGINNING),
        agents=agents,
        agents_from=agents_from,
    )


def _places(packed: NDArray[np.int16]) -> Ints:
    """Return places from 0."""
    if not packed.all():
        raise ValueError("an appointment has a status, a channel or a modality that is unknown")
    return packed.astype(np.int8) - np.int8(1)


def _agents(ids: NDArray[np.int64], packed: bytes | None) -> tuple[Coded, Ints]:
    """Return who serves each appointment, in order of the agents' numbers, and where the agents of each begin."""
    pairs = np.frombuffer(packed or b"", _SERVED_BY)
    by_id = np.argsort(ids)
    rows = by_id[np.searchsorted(ids, pairs["appointment"], sorter=by_id)]
    order = np.lexsort((pairs["agent"], rows))
    agents_from = np.searchsorted(rows[order], np.arange(len(ids) + 1)).astype(np.int32)
    return Coded.of_numbers(pairs["agent"][order]), agents_from
