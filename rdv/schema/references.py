"""References that other subgraphs hold, resolved in batches: for each kind of key, in as few statements as for one.

A key opens nothing. What the viewer would not be shown by a query of their own is null, and so is what does not exist:
nobody who tries keys can tell one from the other. Only a reference that is not even written as one is an error, at its
own place, so that the others are answered all the same.
"""

from asyncio import gather
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any, TypeAlias
from uuid import UUID

import strawberry

from rdv import errors
from rdv.models.agents import agents_by_id
from rdv.models.appointment_reads import AppointmentRecord, load_appointments
from rdv.models.office_reads import load_counters_by_id, load_offices, load_offices_by_code
from rdv.models.usagers import load_usagers
from rdv.schema.appointments import Agent, Appointment, Usager
from rdv.schema.context import Context
from rdv.schema.offices import Counter, Office
from rdv.schema.reasons import Reason
from rdv.usecases.appointment_access import may_see_agent, may_see_appointment, may_see_usager
from rdv.usecases.offices import id_from
from rdv.usecases.secrets import normalised

MAX_REFERENCES = 200

Entity = Annotated[
    Agent | Appointment | Counter | Office | Reason | Usager,
    strawberry.union("_Entity", description="What other subgraphs may refer to."),
]
Found: TypeAlias = Agent | Appointment | Counter | Office | Reason | Usager
Batch: TypeAlias = Callable[[Context, Collection[str]], Awaitable[Mapping[str, Found]]]


async def entities(context: Context, representations: Sequence[object]) -> list[Any]:
    """Return what references stand for, in their order; at the place of one that is none, the refusal."""
    if len(representations) > MAX_REFERENCES:
        raise errors.InvalidInput(
            "representations", "Ask for at most {most} references at a time.", most=MAX_REFERENCES
        )
    read = [_read(one, at) for at, one in enumerate(representations)]
    wanted: dict[Batch, set[str]] = {}
    for one in read:
        if not isinstance(one, errors.InvalidInput):
            batch, key = one
            wanted.setdefault(batch, set()).add(key)
    answers = await gather(*(batch(context, keys) for batch, keys in wanted.items()))
    found = dict(zip(wanted, answers, strict=True))
    return [one if isinstance(one, errors.InvalidInput) else found[one[0]].get(one[1]) for one in read]


def _read(representation: object, at: int) -> tuple[Batch, str] | errors.InvalidInput:
    """Return who looks for what a reference names, and the key: the first of its type's that is given."""
    given = representation if isinstance(representation, dict) else {}
    name = given.get("__typename")
    keys = KEYS.get(name, {}) if isinstance(name, str) else {}
    for field, batch in keys.items():
        key = given.get(field)
        if isinstance(key, int) and not isinstance(key, bool) and field == "id":
            key = str(key)
        if isinstance(key, str):
            return batch, key
    return errors.InvalidInput(f"representations.{at}", "This is not a reference to something of ours.")


async def _agents(context: Context, keys: Collection[str]) -> Mapping[str, Found]:
    async with context.services.database.reading() as connection:
        agents = await agents_by_id(connection, list(_numbers(keys)))
        offices = await load_offices(connection, list({one.office_id for one in agents}))
    seen = [one for one in agents if may_see_agent(context.viewer, one, offices[one.office_id])]
    return {str(one.id): Agent(id=strawberry.ID(str(one.id)), display_name=one.display_name) for one in seen}


async def _appointments(context: Context, keys: Collection[str]) -> Mapping[str, Found]:
    typed = {key: normalised(key) for key in keys}
    async with context.services.database.reading() as connection:
        records = await load_appointments(connection, list(typed.values()))
        offices = await load_offices(connection, list({i for one in records.values() for i in _offices_of(one)}))
    return {
        key: Appointment(record=record, of_office=offices[record.office_id])
        for key, reference in typed.items()
        if (record := records.get(reference))
        and may_see_appointment(context.viewer, record, [offices[i] for i in _offices_of(record)])
    }


def _offices_of(record: AppointmentRecord) -> list[int]:
    """Return the offices whose matter an appointment is."""
    return [one for one in (record.office_id, record.delegated_by) if one is not None]


async def _counters(context: Context, keys: Collection[str]) -> Mapping[str, Found]:
    async with context.services.database.reading() as connection:
        counters = await load_counters_by_id(connection, list(_numbers(keys)))
    return {str(one.id): Counter(record=one) for one in counters}


async def _offices(context: Context, keys: Collection[str]) -> Mapping[str, Found]:
    found = await context.offices.load_many(_numbers(keys))
    return {str(one.id): Office(record=one) for one in found if one is not None}


async def _offices_by_code(context: Context, keys: Collection[str]) -> Mapping[str, Found]:
    async with context.services.database.reading() as connection:
        found = await load_offices_by_code(connection, [key for key in keys if "\0" not in key])
    return {one.code: Office(record=one) for one in found}


async def _reasons(context: Context, keys: Collection[str]) -> Mapping[str, Found]:
    tree = await context.tree()
    nodes = (tree.nodes.get(number) for number in _numbers(keys))
    return {str(node.id): Reason(node=node, nodes=tree.nodes, tree=tree) for node in nodes if node is not None}


async def _reasons_by_code(context: Context, keys: Collection[str]) -> Mapping[str, Found]:
    tree = await context.tree()
    nodes = (node for node in tree.nodes.values() if node.code in keys)
    return {node.code: Reason(node=node, nodes=tree.nodes, tree=tree) for node in nodes}


async def _usagers(context: Context, keys: Collection[str]) -> Mapping[str, Found]:
    typed = {}
    for key in keys:
        with suppress(ValueError):
            typed[key] = UUID(key)
    async with context.services.database.reading() as connection:
        known = await load_usagers(connection, list(typed.values()))
        offices = await load_offices(connection, list({office for one in known.values() for office in one.office_ids}))
    return {
        key: Usager(record=one.usager)
        for key, public_id in typed.items()
        if (one := known.get(public_id))
        and may_see_usager(context.viewer, one.usager, [offices[office] for office in one.office_ids])
    }


def _numbers(keys: Collection[str]) -> Iterator[int]:
    for key in keys:
        with suppress(errors.NotFound):
            yield id_from(key, field="id")


KEYS: dict[str, dict[str, Batch]] = {
    "Agent": {"id": _agents},
    "Appointment": {"reference": _appointments},
    "Counter": {"id": _counters},
    "Office": {"id": _offices, "code": _offices_by_code},
    "Reason": {"id": _reasons, "code": _reasons_by_code},
    "Usager": {"id": _usagers},
}
