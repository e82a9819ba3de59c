"""Usagers: who they are, and how many appointments they have."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagerDetails:
    """What a usager says of themselves, checked and normalised. Personal data."""

    first_name: str
    last_name: str
    email: str | None = None
    phone: str | None = None
    tax_number: str | None = None
    company_number: str | None = None
    locale: str = "fr"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagerRecord:
    """A known usager. Personal data."""

    id: int
    public_id: UUID
    subject: str | None
    first_name: str
    last_name: str
    email: str | None
    phone: str | None
    tax_number: str | None
    company_number: str | None
    locale: str

    @property
    def display_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownUsager:
    """A usager with the offices where they have or had appointments."""

    usager: UsagerRecord
    office_ids: tuple[int, ...]


# Two confirmations of one person wait for each other, so that neither misses the other's appointment.
LOCK_PERSON = "select pg_advisory_xact_lock(hashtextextended(:person, 0))"

INSERT = """
insert into usager (subject, first_name, last_name, email, phone, tax_number, company_number, locale)
values (cast(:subject as text), :first_name, :last_name, :email, :phone, :tax_number, :company_number, :locale)
on conflict (subject) do update set
  first_name = excluded.first_name, last_name = excluded.last_name, email = excluded.email, phone = excluded.phone,
  tax_number = excluded.tax_number, company_number = excluded.company_number, locale = excluded.locale
returning id
"""

COLUMNS = "id, public_id, subject, first_name, last_name, email, phone, tax_number, company_number, locale"

BY_SUBJECT = f"select {COLUMNS} from usager where subject = :subject"

BY_PUBLIC_ID = f"""
select {COLUMNS}, array(select distinct a.office_id from appointment a
                        where a.usager_id = usager.id and a.status <> 'HELD') as office_ids
from usager where public_id = any(:ids)
"""

# Who has an account, or gave of themselves any of what tells people apart: each by an index of its own.
PERSON = """
select u.id from usager u
where u.subject = :subject or lower(u.email) = lower(cast(:email as text)) or u.phone = :phone
   or u.tax_number = :tax_number or u.company_number = :company_number
"""

# Live appointments to come, and holds, of one person at an office. By its days as well, for a telephone that thousands
# have given.
COUNT = f"""
select (select count(*) from appointment a
        where a.usager_id in ({PERSON}) and a.office_id = :office and a.status = 'BOOKED' and a.starts_at > :now
          and a.day >= cast(cast(:now as timestamptz) as date) - 1 and a.id <> :other_than)
     + (select count(*) from appointment a
        where a.held_by = :subject and a.office_id = :office and a.status = 'HELD' and a.starts_at > :now
          and a.expires_at > :now and a.id <> :other_than)
"""

# What a person had or has at an office around a moment; cancelled ones and holds aside.
COUNT_AROUND = f"""
select count(*) from appointment a
where a.usager_id in ({PERSON}) and a.office_id = :office and a.status not in ('CANCELLED', 'HELD')
  and a.starts_at > cast(:around as timestamptz) - make_interval(days => :days)
  and a.starts_at < cast(:around as timestamptz) + make_interval(days => :days)
  and a.day >= cast(cast(:around as timestamptz) as date) - :days - 1
  and a.day <= cast(cast(:around as timestamptz) as date) + :days + 1
  and a.id <> :other_than
"""


async def lock_person(connection: AsyncConnection, person: str) -> None:
    """Wait for other transactions that concern the same person, until this one ends."""
    await connection.execute(text(LOCK_PERSON), {"person": person})


async def save_usager(connection: AsyncConnection, details: UsagerDetails, subject: str | None) -> int:
    """Write a usager, or what is new of a signed-in one, and return the id."""
    return int((await connection.execute(text(INSERT), asdict(details) | {"subject": subject})).scalar_one())


async def usager_of(connection: AsyncConnection, subject: str) -> UsagerRecord | None:
    """Return the usager with an account."""
    row = (await connection.execute(text(BY_SUBJECT), {"subject": subject})).mappings().one_or_none()
    return None if row is None else UsagerRecord(**row)


async def load_usagers(connection: AsyncConnection, public_ids: Sequence[UUID]) -> dict[UUID, KnownUsager]:
    """Return the known ones of the usagers, by the id that is public."""
    rows = (await connection.execute(text(BY_PUBLIC_ID), {"ids": list(public_ids)})).mappings()
    names = [field.name for field in fields(UsagerRecord)]
    return {
        row["public_id"]: KnownUsager(
            usager=UsagerRecord(**{name: row[name] for name in names}), office_ids=tuple(row["office_ids"])
        )
        for row in rows
    }


async def count_live(
    connection: AsyncConnection,
    office: int,
    now: datetime,
    *,
    subject: str | None,
    details: UsagerDetails | None,
    other_than: int = 0,
) -> int:
    """Count a person's live appointments to come and holds at an office, one of them aside."""
    bound = {"office": office, "now": now, "other_than": other_than, **_marks(subject, details)}
    return int((await connection.execute(text(COUNT), bound)).scalar_one())


async def count_around(
    connection: AsyncConnection,
    office: int,
    around: datetime,
    days: int,
    *,
    subject: str | None,
    details: UsagerDetails | None,
    other_than: int = 0,
) -> int:
    """Count a person's appointments at an office that start less than some days before or after a moment."""
    bound = {"office": office, "around": around, "days": days, "other_than": other_than, **_marks(subject, details)}
    return int((await connection.execute(text(COUNT_AROUND), bound)).scalar_one())


def _marks(subject: str | None, details: UsagerDetails | None) -> dict[str, str | None]:
    """Return everything by which a person may be known again."""
    names = ("email", "phone", "tax_number", "company_number")
    return {"subject": subject, **{name: getattr(details, name) if details else None for name in names}}
