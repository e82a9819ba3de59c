"""What follows from changes of an office: who loses their place, who only moves, and which holds are over.

Nobody has been promised a hold, so everybody else is given a place first, as if there were none; then holds get what is
left. Whoever has a place again needs no other time, so what was held for them is over too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from rdv.engine.outlook import Outlook
from rdv.engine.values import Appointment, Instance, Place, Status
from rdv.models.bookings import Seat
from rdv.models.situation import Situation


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An office before and after changes, as the rows say, from today to `last`; `known` fitted nowhere before.

    `proposals`: holds of other times, each with the appointment it is for.
    """

    before: Situation
    after: Situation
    version: str  # before
    known: frozenset[int]
    proposals: Mapping[int, int]
    today: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What follows from changes.

    `ended`: holds that lose their place, of which nobody has to be told, and proposals to those who have one again.
    """

    stranded: tuple[int, ...]  # that had a place before, in order of time
    still_stranded: tuple[int, ...]
    placed_again: tuple[int, ...]
    moves: dict[int, Seat]
    ended: tuple[int, ...]


def effect_of(written: Written) -> Effect:
    """Let the engine place everybody in the office as it is after the changes; it takes a while."""
    instance, known = written.after.instance, written.known
    live = {int(one.id): one for one in instance.appointments}
    promised = [one for one in instance.appointments if one.status is not Status.HELD]
    lost, places = _placed(written, instance, promised)
    placed_again = known & {int(one.id) for one in promised} - lost
    helped = {hold for hold, of in written.proposals.items() if of in placed_again and hold in live}
    holds = [one for one in instance.appointments if one.status is Status.HELD and int(one.id) not in helped]
    ended = helped
    if holds:
        settled = [_pinned(one, places.get(one.id)) for one in promised if int(one.id) not in lost]
        without, found = _placed(written, instance, [*settled, *holds])
        ended |= without
        places |= {one.id: found[one.id] for one in holds if one.id in found}
    moves = {}
    for name, place in places.items():
        stood = live[int(name)]
        if place != Place(stood.counter or "", stood.agents):
            moves[int(name)] = Seat(counter_id=int(place.counter), agent_ids=tuple(map(int, place.agents)))
    return Effect(
        stranded=tuple(sorted(lost - known, key=lambda one: (live[one].start, one))),
        still_stranded=tuple(sorted(lost & known)),
        placed_again=tuple(sorted(placed_again)),
        moves=moves,
        ended=tuple(sorted(ended)),
    )


def settled(instance: Instance, effect: Effect) -> Instance:
    """Return an office's instance as it is once changes have been made: everybody where they sit then."""
    gone = {*effect.stranded, *effect.still_stranded, *effect.ended}
    stay = (one for one in instance.appointments if int(one.id) not in gone)
    return replace(instance, appointments=tuple(_seated(one, effect.moves.get(int(one.id))) for one in stay))


def _placed(written: Written, instance: Instance, appointments: list[Appointment]) -> tuple[set[int], dict[str, Place]]:
    """Return for whom there is no place, and a place for whoever may have to leave theirs."""
    some = replace(instance, appointments=tuple(appointments))
    names, places = Outlook(some, written.today, written.last).disturbed()
    return set(map(int, names)), dict(places)


def _pinned(one: Appointment, place: Place | None) -> Appointment:
    """Return an appointment that stays where it is, or where it was given a place."""
    place = place or Place(one.counter or "", one.agents)
    return replace(one, pinned=True, counter=place.counter or None, agents=place.agents)


def _seated(one: Appointment, seat: Seat | None) -> Appointment:
    if seat is None:
        return one
    return replace(one, counter=str(seat.counter_id), agents=tuple(map(str, seat.agent_ids)))
