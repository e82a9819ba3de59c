"""What an office has handed to others, as usagers meet it: slots elsewhere, and bookings on behalf of it.

Of a reason that is delegated as a whole the office offers nothing itself on those days. Of a share, both offer: the
other office at most that share of the day's appointments of both (so the first one may always go there).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from rdv.engine.values import Answer, Channel, Query
from rdv.errors import InvalidInput, SlotTaken
from rdv.models import delegation
from rdv.models.database import Connection
from rdv.models.delegation import Delegated
from rdv.models.office_reads import OfficeRecord
from rdv.usecases.agendas import Agenda
from rdv.usecases.booking import Wanted
from rdv.usecases.services import Services
from rdv.usecases.slots import Counted, SlotsFound, ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """The slots of another office that receives for one."""

    found: SlotsFound
    on_behalf_of: OfficeRecord


async def elsewhere(services: Services, found: SlotsFound) -> list[Elsewhere]:
    """Return the slots of the offices that receive for the one that was searched, on the days for which they do."""
    situation, query, now = found.agenda.situation, found.query, services.clock()
    reason = int(query.reason)
    concerned = [one for one in situation.delegated if one.concerns(reason, query.channel)]
    days = {one: _days(one, query.from_date, query.to_date) for one in concerned}
    answers = []
    for one, (first, last) in days.items():
        if first > last:
            continue
        agenda = (await services.agendas.current([one.to_office], first, last, now)).get(one.to_office)
        if agenda is None or not _serves(agenda, reason, query):
            continue
        theirs = replace(query, from_date=first, to_date=last, replacing=None)
        answer = await ask(services, agenda, theirs, now, counted=Counted.EVERY)
        if not one.whole:
            answer = _within(answer, one, await _shares(services, situation.office.id, one, first=first, last=last))
        if answer.starts:
            node = agenda.situation.reasons[reason]
            slots = SlotsFound(agenda=agenda, reason=node, query=theirs, answer=answer)
            answers.append(Elsewhere(found=slots, on_behalf_of=situation.office))
    return answers


async def to_be_moved(services: Services, found: SlotsFound) -> SlotsFound:
    """Leave out starts to which an appointment that another office has given away cannot be moved.

    On its own day it may always be; on others as long as that office gives away.
    """
    record, query = found.moving, found.query
    if record is None or record.delegated_by is None:
        return found
    pairs = list(zip(found.answer.starts, found.answer.remaining, strict=True))
    wanted = Wanted(
        office_id=record.office_id,
        reason_id=record.reason_id,
        start=record.starts_at,
        modality=query.modality,
        channel=Channel(query.channel),
        for_office=record.delegated_by,
    )
    given = set(await still_given(services, [one for one, _ in pairs if one.date() != record.day], wanted))
    left = [(one, count) for one, count in pairs if one.date() == record.day or one in given]
    answer = replace(found.answer, starts=tuple(one for one, _ in left), remaining=tuple(n for _, n in left))
    return replace(found, answer=answer, written={})


async def check_delegated(
    services: Services, connection: Connection, giver: int, wanted: Wanted, *, day: date, now: datetime
) -> int:
    """Return the delegation by which something is booked on behalf of an office.

    Refuses what it has not delegated: raises InvalidInput or SlotTaken.
    The days of the office where it is booked are locked; the delegation is kept from being ended meanwhile.
    """
    tree = (await services.agendas.nations.current(connection)).tree
    held = await delegation.binding(connection, giver, wanted.office_id, tree)
    one = next((each for each in held if each.covers(wanted.reason_id, wanted.channel, day)), None)
    if one is None:
        raise InvalidInput("delegatedBy", "That office has not delegated this reason to this one for that day.")
    if not one.whole:
        shares = await delegation.shares(connection, giver, one.leaves, first=day, last=day, now=now)
        if not _left(one, *shares.get(day, (0, 0))):
            raise SlotTaken("This slot is no longer free.")
    return one.id


async def still_given(services: Services, starts: list[datetime], wanted: Wanted) -> list[datetime]:
    """Return those of free starts that may be booked on behalf of the office which wants one."""
    if wanted.for_office is None:
        return starts
    days = sorted({start.date() for start in starts})
    if not days:
        return []
    async with services.database.reading() as connection:
        tree = (await services.agendas.nations.current(connection)).tree
        held = await delegation.binding(connection, wanted.for_office, wanted.office_id, tree)
        by_day = {
            day: next((each for each in held if each.covers(wanted.reason_id, wanted.channel, day)), None)
            for day in days
        }
        shares = {
            one: await delegation.shares(
                connection, wanted.for_office, one.leaves, first=days[0], last=days[-1], now=services.clock()
            )
            for one in {each for each in by_day.values() if each is not None and not each.whole}
        }
    left = {day for day, one in by_day.items() if one and (one.whole or _left(one, *shares[one].get(day, (0, 0))))}
    return [start for start in starts if start.date() in left]


def _days(one: Delegated, first: date, last: date) -> tuple[date, date]:
    return max(first, one.first), last if one.last is None else min(last, one.last)


def _serves(agenda: Agenda, reason: int, query: Query) -> bool:
    node = agenda.situation.reasons[reason]
    return agenda.situation.office.open_to_booking and node.served and query.modality in node.modalities


async def _shares(
    services: Services, office: int, one: Delegated, *, first: date, last: date
) -> dict[date, tuple[int, int]]:
    async with services.database.reading() as connection:
        now = services.clock()
        return await delegation.shares(connection, office, one.leaves, first=first, last=last, now=now)


def _left(one: Delegated, own: int, given: int) -> int:
    """Return how many more of a day's appointments may be given away."""
    return max(math.ceil(one.share_percent * (own + given + 1) / 100) - given, 0)


def _within(answer: Answer, one: Delegated, shares: Mapping[date, tuple[int, int]]) -> Answer:
    pairs = zip(answer.starts, answer.remaining, strict=True)
    left = [(start, min(count, _left(one, *shares.get(start.date(), (0, 0))))) for start, count in pairs]
    kept = [(start, count) for start, count in left if count]
    return Answer(starts=tuple(start for start, _ in kept), remaining=tuple(count for _, count in kept))
