"""What is published: every document of `queries/` runs, the contract is kept, everything is described."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    EnumTypeDefinitionNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    build_schema,
    parse,
    print_ast,
    validate,
)

from rdv.integrations.viewer import Viewer, ViewerKind
from rdv.models.database import Database
from rdv.schema import printed
from rdv.schema.build import COMMITTED
from tests.api.conftest import QUERIES, Api
from tests.places import Place, add_commune, add_office

CONTRACT = Path(__file__).parents[1] / "contract.graphql"
DAY = {"from": "2027-03-01", "to": "2027-03-01"}
USAGER = {"firstName": "Camille", "lastName": "Exemple"}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(printed())


async def hold_slot(api: Api, place: Place) -> dict[str, Any]:
    wanted = {"officeId": place.office, "reasonId": place.reasons["declare"], "start": "2027-03-01T10:00:00+01:00"}
    return await api.data("hold_slot", {"input": wanted})


async def confirm_appointment(api: Api, place: Place) -> dict[str, Any]:
    token = (await hold_slot(api, place))["holdSlot"]["token"]
    return await api.data("confirm_appointment", {"input": {"holdToken": token, "usager": USAGER}})


async def keys(api: Api, place: Place) -> dict[str, str]:
    confirmed = (await confirm_appointment(api, place))["confirmAppointment"]
    return {"reference": confirmed["appointment"]["reference"], "accessCode": confirmed["accessCode"]}


async def appointment(api: Api, place: Place) -> dict[str, Any]:
    return await api.data("appointment", await keys(api, place))


async def reschedule_appointment(api: Api, place: Place) -> dict[str, Any]:
    given = await keys(api, place) | {"start": "2027-03-01T11:00:00+01:00"}
    return await api.data("reschedule_appointment", {"input": given})


async def cancel_appointment(api: Api, place: Place) -> dict[str, Any]:
    return await api.data("cancel_appointment", {"input": await keys(api, place)})


async def search_slots(api: Api, place: Place) -> dict[str, Any]:
    wanted = {"officeId": place.office, "reasonId": place.reasons["declare"]} | DAY
    return await api.data("search_slots", {"input": wanted})


async def search_slots_to_move(api: Api, place: Place) -> dict[str, Any]:
    wanted = {"officeId": place.office, "reasonId": place.reasons["declare"]} | DAY
    return await api.data("search_slots_to_move", wanted | await keys(api, place))


async def earliest_slots(api: Api, place: Place) -> dict[str, Any]:
    return await api.data("earliest_slots", {"input": {"reasonId": place.reasons["declare"], "departement": "75"}})


async def office(api: Api, place: Place) -> dict[str, Any]:
    return await api.data("office", {"code": place.code})


async def orientation(api: Api, place: Place) -> dict[str, Any]:
    return await api.data("orientation", {"input": {"reasonId": place.reasons["declare"], "communeCode": "75102"}})


async def reasons(api: Api, place: Place) -> dict[str, Any]:
    return await api.data("reasons", {"audience": "INDIVIDUAL"})


async def viewer(api: Api, place: Place) -> dict[str, Any]:
    api.viewers.known["camille"] = Viewer(kind=ViewerKind.USAGER, subject="s-1", name="Camille Exemple")
    wanted = {"officeId": place.office, "reasonId": place.reasons["declare"], "start": "2027-03-01T10:00:00+01:00"}
    held = (await api.data("hold_slot", {"input": wanted}, who="camille"))["holdSlot"]
    await api.data("confirm_appointment", {"input": {"holdToken": held["token"]}}, who="camille")
    return await api.data("viewer", {"first": 1}, who="camille")


# By the document's name: how it is run, and something its answer must contain.
CASES: dict[str, tuple[Callable[[Api, Place], Awaitable[dict[str, Any]]], str, Any]] = {
    "appointment": (appointment, "appointment.start", "2027-03-01T10:00:00+01:00"),
    "cancel_appointment": (cancel_appointment, "cancelAppointment.appointment.status", "CANCELLED"),
    "confirm_appointment": (confirm_appointment, "confirmAppointment.appointment.status", "BOOKED"),
    "earliest_slots": (earliest_slots, "earliestSlots.0.slot.start", "2027-03-01T09:00:00+01:00"),
    "hold_slot": (hold_slot, "holdSlot.slot.end", "2027-03-01T10:30:00+01:00"),
    "office": (office, "office.reasons.1.durationMinutes", 15),
    "orientation": (orientation, "orientation.offices.0.competent", True),
    "reasons": (reasons, "reasons.0.children.0.code", "declare"),
    "reschedule_appointment": (
        reschedule_appointment,
        "rescheduleAppointment.appointment.start",
        "2027-03-01T11:00:00+01:00",
    ),
    "search_slots": (search_slots, "slots.count", 11),
    "search_slots_to_move": (search_slots_to_move, "slots.days.0.slots.10.start", "2027-03-01T11:30:00+01:00"),
    "viewer": (viewer, "viewer.usager.appointments.edges.0.node.office.name", "SIP sip-75101-01"),
}


def at(answer: Any, path: str) -> Any:
    for part in path.split("."):
        answer = answer[int(part) if part.isdigit() else part]
    return answer


def test_every_document_has_a_case() -> None:
    assert sorted(CASES) == sorted(path.stem for path in QUERIES.glob("*.graphql"))
    assert {path.suffix for path in QUERIES.iterdir()} == {".graphql"}


@pytest.mark.parametrize("name", CASES)
async def test_a_document_runs_and_answers(name: str, api: Api, database: Database) -> None:
    place = await add_office(database)
    await add_commune(database, "75102", "Paris 2e arrondissement", ["75002"], place.office)
    run, path, value = CASES[name]
    assert at(await run(api, place), path) == value


@pytest.mark.parametrize("name", CASES)
def test_a_document_is_valid_explained_and_has_one_operation_named_like_its_file(
    name: str, schema: GraphQLSchema
) -> None:
    text = (QUERIES / f"{name}.graphql").read_text(encoding="utf-8")
    document = parse(text)
    assert validate(schema, document) == []
    assert text.startswith("# ")
    (operation,) = document.definitions
    assert operation.name.value == "".join(part.capitalize() for part in name.split("_"))  # type: ignore[attr-defined]


def test_the_committed_schema_is_the_printed_one() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == printed()


def contract() -> DocumentNode:
    return parse(CONTRACT.read_text(encoding="utf-8"))


def value(node: InputValueDefinitionNode) -> str:
    default = "" if node.default_value is None else f" = {print_ast(node.default_value)}"
    return f"{node.name.value}: {print_ast(node.type)}{default}"


def stated(definition: TypeDefinitionNode) -> set[str]:
    """Everything a definition of the contract says, one statement each."""
    name = definition.name.value
    match definition:
        case EnumTypeDefinitionNode(values=values):
            return {f"{name} = {one.name.value}" for one in values or ()}
        case UnionTypeDefinitionNode(types=types):
            return {f"{name} = {one.name.value}" for one in types or ()}
        case InputObjectTypeDefinitionNode(fields=fields):
            return {f"{name}.{value(one)}" for one in fields or ()}
        case ObjectTypeDefinitionNode() | InterfaceTypeDefinitionNode():
            found = {f"{name} implements {one.name.value}" for one in definition.interfaces or ()}
            for one in definition.fields or ():
                found.add(f"{name}.{one.name.value}: {print_ast(one.type)}")
                found |= {f"{name}.{one.name.value}({value(argument)})" for argument in one.arguments or ()}
            return found
    raise AssertionError(definition)


def statements(document: DocumentNode) -> set[str]:
    found = set()
    for definition in document.definitions:
        if isinstance(definition, TypeDefinitionNode) and definition.kind != "scalar_type_definition":
            found |= {f"{definition.kind} {definition.name.value}", *stated(definition)}
    return found


def test_the_contract_is_contained_in_the_schema() -> None:
    wanted = statements(contract())
    assert len(wanted) > 250
    assert sorted(wanted - statements(parse(printed()))) == []


def test_what_the_schema_adds_to_the_contract_needs_nothing_of_a_caller() -> None:
    """An argument or input field of our own must have a default or be nullable."""
    known = statements(contract())
    added = [
        one for one in statements(parse(printed())) - known if "(" in one or one.partition(".")[0].endswith("Input")
    ]
    assert [one for one in added if one.rstrip(")").endswith("!")] == []


def test_the_unions_and_enumerations_have_no_member_the_contract_does_not_know() -> None:
    """A caller who handles every case of the contract handles every case."""
    known = statements(contract())
    of_contract = {one.partition(" = ")[0] for one in known if " = " in one and "." not in one}
    printed_ones = {one for one in statements(parse(printed())) if " = " in one and "." not in one}
    assert sorted(one for one in printed_ones - known if one.partition(" = ")[0] in of_contract) == []


def members(one: GraphQLNamedType) -> dict[str, Any]:
    match one:
        case GraphQLObjectType() | GraphQLInterfaceType() | GraphQLInputObjectType():
            return dict(one.fields)
        case GraphQLEnumType():
            return {}
    return {}


def test_every_type_and_field_is_described(schema: GraphQLSchema) -> None:
    own = {name: one for name, one in schema.type_map.items() if not name.startswith("__")}
    standard = {"Boolean", "Float", "ID", "Int", "String"}
    missing = [name for name, one in own.items() if name not in standard and not one.description]
    missing += [
        f"{name}.{field}" for name, one in own.items() for field, m in members(one).items() if not m.description
    ]
    assert missing == []


def test_every_argument_is_described_or_is_the_mutations_input(schema: GraphQLSchema) -> None:
    missing = [
        f"{name}.{field}({argument})"
        for name, one in schema.type_map.items()
        if isinstance(one, GraphQLObjectType) and not name.startswith("__")
        for field, m in one.fields.items()
        for argument, given in m.args.items()
        if argument != "input" and not given.description
    ]
    assert missing == []


def test_descriptions_are_sentences(schema: GraphQLSchema) -> None:
    texts = {
        f"{name}.{field}": m.description
        for name, one in schema.type_map.items()
        if not name.startswith("__")
        for field, m in members(one).items()
    }
    assert [name for name, text in texts.items() if text and text[-1] not in ".:…"] == []
