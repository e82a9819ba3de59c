"""Pages of lists within lists: each is read for all offices, or usagers, at once that are asked the same."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeVar

from rdv import errors
from rdv.models import appointment_pages
from rdv.models.appointment_pages import EMPTY, Page, Place
from rdv.models.appointment_reads import AppointmentRecord
from rdv.models.usagers import UsagerRecord
from rdv.schema.context import Context
from rdv.usecases.appointment_access import may_see

MAX_PAGE = 100

K = TypeVar("K", bound=Hashable)
A = TypeVar("A", bound=Hashable)


@dataclass(frozen=True, slots=True)
class DaysPage:
    """Which appointments of an office are asked for; one more than are shown tells whether there are more."""

    first_day: date
    last_day: date
    after: Place | None
    at_most: int


@dataclass(frozen=True, slots=True)
class UsagerPage:
    """Which appointments of a usager."""

    before: Place | None
    at_most: int


async def of_office(context: Context, office: int, asked: DaysPage) -> Page:
    """Return a page of an office's appointments; whoever asks has checked that the viewer manages them."""
    return await context.loader("office pages", _load_offices)((office, asked))


async def of_usager(context: Context, usager: UsagerRecord, asked: UsagerPage) -> Page:
    """Return a page of those appointments of a usager that the viewer may see."""
    return await context.loader("usager pages", _load_usagers)((usager, asked))


async def _load_offices(context: Context, keys: list[tuple[int, DaysPage]]) -> list[Page]:
    async def load(asked: DaysPage, offices: list[int]) -> dict[int, Page]:
        async with context.services.database.reading() as connection:
            return await appointment_pages.of_offices(
                connection, offices, asked.first_day, asked.last_day, after=asked.after, at_most=asked.at_most
            )

    found = await _by_arguments(keys, load)
    return [found[asked].get(office, EMPTY) for office, asked in keys]


async def _load_usagers(context: Context, keys: list[tuple[UsagerRecord, UsagerPage]]) -> list[Page]:
    owners = {usager.id: usager for usager, _ in keys}
    async with context.services.database.reading() as connection:
        at = await appointment_pages.offices_of_usagers(connection, list(owners))
    offices = await context.offices.load_many(sorted({one for many in at.values() for one in many}))
    known = {one.id: one for one in offices if one is not None}
    seen = {
        usager: [one for one in at.get(usager, ()) if one in known and may_see(context.viewer, owner, known[one])]
        for usager, owner in owners.items()
    }

    async def load(asked: UsagerPage, usagers: list[UsagerRecord]) -> dict[int, Page]:
        async with context.services.database.reading() as connection:
            return await appointment_pages.of_usagers(
                connection, {one.id: seen[one.id] for one in usagers}, before=asked.before, at_most=asked.at_most
            )

    found = await _by_arguments(keys, load)
    return [found[asked].get(usager.id, EMPTY) for usager, asked in keys]


async def _by_arguments(
    keys: Sequence[tuple[K, A]], load: Callable[[A, list[K]], Awaitable[dict[int, Page]]]
) -> dict[A, dict[int, Page]]:
    asked: defaultdict[A, list[K]] = defaultdict(list)
    for of, arguments in keys:
        asked[arguments].append(of)
    return {arguments: await load(arguments, of) for arguments, of in asked.items()}


def page_size(first: int | None, default: int) -> int:
    """Return how many are asked for; raises InvalidInput."""
    first = default if first is None else first
    if not 1 <= first <= MAX_PAGE:
        raise errors.InvalidInput("first", "Ask for 1 to {most} at a time.", most=MAX_PAGE)
    return first


def cursor_of(record: AppointmentRecord) -> str:
    """Return the cursor of an appointment in a list."""
    return urlsafe_b64encode(f"{record.starts_at.isoformat()} {record.id}".encode()).decode()


def place_of(cursor: str | None) -> Place | None:
    """Return where a cursor is; raises InvalidInput."""
    if cursor is None:
        return None
    try:
        start, identity = urlsafe_b64decode(cursor).decode().rsplit(" ", 1)
        return datetime.fromisoformat(start).astimezone(UTC), int(identity) % 2**63
    except (ValueError, OverflowError):
        raise errors.InvalidInput("after", "This is not a cursor of this list.") from None
