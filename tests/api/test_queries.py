"""What is published: every document of `queries/` runs, the contract is kept, everything is described."""

from collections.abc import Awaitable, Callable
from importlib import import_module
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

from rdv.models.database import Database
from rdv.schema import printed
from rdv.schema.build import COMMITTED
from tests.api.conftest import QUERIES, Api
from tests.places import Place, add_commune, add_office

CONTRACT = Path(__file__).parents[1] / "contract.graphql"


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(printed())


# By the document's name: how it is run, and something its answer must contain.
CASES: dict[str, tuple[Callable[[Api, Place], Awaitable[dict[str, Any]]], str, Any]] = {}
for file in sorted((Path(__file__).parent / "query_cases").glob("*.py")):
    CASES |= import_module(f"tests.api.query_cases.{file.stem}").CASES


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
    """An argument or input field of our own, where the contract has others, must have a default or be nullable."""
    known = statements(contract())
    asked = {
        one.partition("(")[0] if "(" in one else one.partition(".")[0] for one in known if "Input." in one or "(" in one
    }
    added = [
        one
        for one in statements(parse(printed())) - known
        if (one.partition("(")[0] if "(" in one else one.partition(".")[0]) in asked
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
            return dict(one.values)
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


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query($id: ID!) { office(id: $id) { id } }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query($d: Date!) { officeHours(officeId: 1, from: $d, to: $d) { date } }", "variables": {"d": "x"}},
         "GRAPHQL_VALIDATION_FAILED"),
    ],
)  # fmt: skip
async def test_an_error_of_a_document_or_its_variables_has_a_code(api: Api, request_: Any, code: str) -> None:
    answer = (await api.client.post("/graphql", json=request_)).json()
    assert {one["extensions"]["code"] for one in answer["errors"]} == {code}
