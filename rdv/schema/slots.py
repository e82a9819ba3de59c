"""Free slots. The item types are plain: no resolver runs per start."""

import datetime as dt  # two types have a field called `date`
from itertools import groupby
from typing import NamedTuple

import strawberry

from rdv.schema.context import Info
from rdv.schema.enums import Channel, Modality
from rdv.schema.gateway import about
from rdv.schema.inputs import of_leaves
from rdv.schema.offices import Office
from rdv.schema.reasons import Reason
from rdv.schema.scalars import Instant, instant, instants
from rdv.schema.selection import named
from rdv.schema.why_words import Words
from rdv.schema.writers import Rows
from rdv.usecases import access, delegated
from rdv.usecases import earliest as earliest_use_case
from rdv.usecases import slots as use_case
from rdv.usecases.slots import SlotsFound


@strawberry.type(description="An offered start.")
class Slot:
    start: Instant = strawberry.field(description="When the appointment starts.")
    end: Instant = strawberry.field(description="When it ends, any time for clearing up left out.")
    remaining: int = strawberry.field(description="How many such appointments could start then, together.")
    modality: Modality = strawberry.field(description="How the usager is received.")


@strawberry.type(description="One local day's starts.")
class SlotDay:
    date: dt.date = strawberry.field(description="The office's local day.")
    starts: list[Instant] = strawberry.field(description="The offered starts, ascending: the compact form of `slots`.")
    slots: list[Slot] = strawberry.field(
        description="The offered starts with their ends and what remains.", directives=[about(20)]
    )


@strawberry.type(description="What kept some grid starts of one day from being offered.")
class WhyNot:
    date: dt.date = strawberry.field(description="The office's local day.")
    code: str = strawberry.field(
        description="CLOSED, HOLIDAY, CLOSURE, NO_COUNTER, NOT_EXPOSED, LEAD_TIME, HORIZON, NO_AGENT, FULL, POLICY; or "
        "what the office keeps back of what could be offered: QUOTA, KEPT; DELEGATED: see `elsewhere`."
    )
    starts: int = strawberry.field(description="How many starts it removed; each start is counted once.")
    detail: str = strawberry.field(
        description="The same in words, in the language of the request; with counters' names for who manages them."
    )


@strawberry.type(description="The free slots of an office for a reason over some days.")
class SlotSearch:
    office: Office = strawberry.field(description="Where.")
    reason: Reason = strawberry.field(description="What for.")
    duration_minutes: int = strawberry.field(description="How long an appointment lasts here, in minutes.")
    time_zone: str = strawberry.field(description="The office's time zone (IANA name).")
    days: list[SlotDay] = strawberry.field(
        description="The days with at least one start, ascending.", directives=[about(30)]
    )
    count: int = strawberry.field(description="How many starts there are in all.")
    first: Slot | None = strawberry.field(description="The earliest of them.")
    version: str = strawberry.field(description="Changes whenever the answer may have changed, `elsewhere` left out.")
    found: strawberry.Private[SlotsFound]

    @strawberry.field(description="What removed the starts that are not offered.")
    def why(self, info: Info) -> list[WhyNot]:
        return _why(info, self.found)

    @strawberry.field(
        description="The slots of other offices that receive for this one, to which it has delegated the reason: hold "
        "them there, with `delegatedBy`. `days` are this office's own."
    )
    async def elsewhere(self, info: Info) -> list["DelegatedSlots"]:
        answers = await delegated.elsewhere(info.context.services, self.found)
        return [_delegated(one) for one in answers]


@strawberry.type(description="The free slots of an office that receives for another.")
class DelegatedSlots:
    office: Office = strawberry.field(description="Where to go.")
    delegated_by: Office = strawberry.field(description="The office for which it receives.")
    reason: Reason = strawberry.field(description="What for, as the receiving office has it.")
    duration_minutes: int = strawberry.field(description="How long an appointment lasts there, in minutes.")
    time_zone: str = strawberry.field(description="The receiving office's time zone (IANA name).")
    days: list[SlotDay] = strawberry.field(description="The days with at least one start, ascending.")
    count: int = strawberry.field(description="How many starts there are in all.")
    first: Slot | None = strawberry.field(description="The earliest of them.")


@of_leaves
@strawberry.input(description="Which slots are wanted.")
class SlotsInput:
    office_id: strawberry.ID = strawberry.field(description="Where.")
    reason_id: strawberry.ID = strawberry.field(description="What for: a reason that can be booked.")
    from_: dt.date = strawberry.field(name="from", description="The first local day.")
    to: dt.date = strawberry.field(description="The last local day, included; at most 62 days in all.")
    modality: Modality | None = strawberry.field(default=Modality.IN_PERSON, description="How the usager is received.")
    channel: Channel | None = strawberry.field(
        default=None, description="By default the caller's own; those who manage appointments may ask for another."
    )
    replacing: str | None = strawberry.field(
        default=None, description="The reference of an appointment that is to be moved: its time counts as free."
    )
    access_code: str | None = strawberry.field(
        default=None, description="The access code of that appointment, for who is not signed in."
    )


@strawberry.input(description="A place on the globe.")
class LocationInput:
    latitude: float = strawberry.field(description="Degrees north.")
    longitude: float = strawberry.field(description="Degrees east.")


@strawberry.input(description="Over which offices to look for the earliest slots; name one or more ways.")
class EarliestSlotsInput:
    reason_id: strawberry.ID = strawberry.field(description="What for: a reason that can be booked.")
    office_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="These offices.")
    departement: str | None = strawberry.field(default=None, description="The offices of a département: 75, 2A, 974.")
    near: LocationInput | None = strawberry.field(default=None, description="The offices nearest to a place.")
    modality: Modality | None = strawberry.field(default=Modality.IN_PERSON, description="How the usager is received.")
    from_: dt.date | None = strawberry.field(
        name="from", default=None, description="The first day to look at; today by default. A month is looked at."
    )
    first: int | None = strawberry.field(default=10, description="How many offices at most, up to 100.")


@strawberry.type(description="An office with its earliest free slot.")
class OfficeSlot:
    office: Office = strawberry.field(description="Where.")
    slot: Slot = strawberry.field(description="The earliest free slot.")
    distance_km: float | None = strawberry.field(description="How far from the place asked for, in kilometres.")
    delegated_by: Office | None = strawberry.field(
        description="The office asked for, for which this one receives; null when it is one of those itself."
    )


def slot(start: dt.datetime, duration_minutes: int, remaining: int, modality: Modality) -> Slot:
    """Return a slot; its end is an instant later, whatever the clocks do in between."""
    end = (start.astimezone(dt.UTC) + dt.timedelta(minutes=duration_minutes)).astimezone(start.tzinfo)
    return Slot(start=instant(start), end=instant(end), remaining=remaining, modality=modality)


async def search(info: Info, wanted: SlotsInput) -> SlotSearch:
    fields = named(info)
    found = await use_case.search(
        info.context.services,
        info.context.viewer,
        use_case.SlotsRequest(
            office_id=wanted.office_id,
            reason_id=wanted.reason_id,
            first=wanted.from_,
            last=wanted.to,
            modality=wanted.modality or Modality.IN_PERSON,
            channel=wanted.channel,
            replacing=wanted.replacing,
            access_code=wanted.access_code,
            counted=_counted(fields),
            explain="why" in fields,
        ),
    )
    found = await delegated.to_be_moved(info.context.services, found)
    return _search(found, with_slots="slots" in fields)


def _counted(fields: set[str]) -> use_case.Counted:
    """Return where what remains is to be counted, by the fields that are selected."""
    if "remaining" not in fields:
        return use_case.Counted.NONE
    return use_case.Counted.EVERY if "slots" in fields else use_case.Counted.FIRST


def _delegated(one: delegated.Elsewhere) -> DelegatedSlots:
    there = _search(one.found, with_slots=True)
    return DelegatedSlots(
        office=there.office,
        delegated_by=Office(record=one.on_behalf_of),
        reason=there.reason,
        duration_minutes=there.duration_minutes,
        time_zone=there.time_zone,
        days=there.days,
        count=there.count,
        first=there.first,
    )


def _why(info: Info, found: SlotsFound) -> list[WhyNot]:
    manages = access.may(info.context.viewer, access.Module.APPOINTMENTS, found.office)
    words = Words(found=found, translate=info.context.translate, with_counters=manages)
    return [WhyNot(date=w.date, code=w.code, starts=w.starts, detail=words.of(w)) for w in found.answer.why]


def _search(found: SlotsFound, *, with_slots: bool) -> SlotSearch:
    """Return an answer; its rows are written once, however often it is given."""
    rows: _Written | None = found.written.get(with_slots)
    if rows is None:
        rows = found.written[with_slots] = _written(found, with_slots=with_slots)
    situation = found.agenda.situation
    return SlotSearch(
        office=Office(record=situation.office),
        reason=Reason(node=found.reason, nodes=situation.reasons, tree=situation.tree),
        duration_minutes=found.reason.duration_minutes,
        time_zone=situation.office.time_zone,
        days=rows.days,
        count=len(found.answer.starts),
        first=rows.first,
        version=str(situation.version),
        found=found,
    )


class _Written(NamedTuple):
    """The rows that are kept with an answer."""

    days: Rows[SlotDay]
    first: Slot | None


def _written(found: SlotsFound, *, with_slots: bool) -> _Written:
    minutes, modality = found.reason.duration_minutes, found.query.modality
    duration = dt.timedelta(minutes=minutes)
    answer = found.answer
    pairs = list(zip(answer.starts, answer.remaining, strict=True))
    days: Rows[SlotDay] = Rows()
    for day, group in groupby(pairs, key=lambda pair: pair[0].date()):
        moments, remaining = zip(*group, strict=True)
        starts = instants(moments)
        # The engine's moments have a fixed offset, so that to add to them is to add to the instant.
        ends = instants([start + duration for start in moments]) if with_slots else ()
        slots = [
            Slot(start=start, end=end, remaining=left, modality=modality)
            for start, end, left in zip(starts, ends, remaining, strict=False)
        ]
        days.append(SlotDay(date=day, starts=starts, slots=slots))
    return _Written(days, slot(pairs[0][0], minutes, pairs[0][1], modality) if pairs else None)


async def earliest(info: Info, wanted: EarliestSlotsInput) -> list[OfficeSlot]:
    near = wanted.near and (wanted.near.latitude, wanted.near.longitude)
    found = await earliest_use_case.earliest(
        info.context.services,
        info.context.viewer,
        earliest_use_case.EarliestRequest(
            reason_id=wanted.reason_id,
            office_ids=wanted.office_ids,
            departement=wanted.departement,
            near=near or None,
            modality=wanted.modality or Modality.IN_PERSON,
            from_date=wanted.from_,
            first=10 if wanted.first is None else wanted.first,
        ),
    )
    return [
        OfficeSlot(
            office=Office(record=one.office),
            slot=slot(one.start, one.reason.duration_minutes, one.remaining, one.modality),
            distance_km=one.distance_km,
            delegated_by=None if one.on_behalf_of is None else Office(record=one.on_behalf_of),
        )
        for one in found
    ]
