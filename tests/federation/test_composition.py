"""The schema as one of several that a portal composes."""

import re

from graphql import FieldDefinitionNode, ObjectTypeDefinitionNode, parse

from rdv.schema.build import COMMITTED
from tests.api.test_access_matrix import OF_USAGERS
from tests.federation.conftest import compose
from tests.tools import needs


def test_it_composes_without_a_hint_with_a_portal_that_knows_more_of_usagers_and_offices() -> None:
    needs("node")
    found = compose(COMMITTED, "http://rdv.example/graphql", "http://portal.example/graphql")
    assert (found["errors"], found["hints"]) == ([], [])
    for name in ("Usager", "Office"):
        (of,) = re.findall(rf"^type {name}\b[^{{]*\{{", found["supergraph"], re.MULTILINE)
        assert sorted(re.findall(r'@join__type\(graph: (\w+), key: "id"', of)) == ["PORTAL", "RDV"], of
    assert re.search(r"profile: Profile @join__field\(graph: PORTAL\)", found["supergraph"])


def roots(kind: str) -> dict[str, FieldDefinitionNode]:
    (found,) = (
        one
        for one in parse(COMMITTED.read_text(encoding="utf-8")).definitions
        if isinstance(one, ObjectTypeDefinitionNode) and one.name.value == kind
    )
    return {one.name.value: one for one in found.fields or ()}


def directives(field: FieldDefinitionNode) -> set[str]:
    return {one.name.value for one in field.directives or ()}


def test_a_gateway_knows_which_operations_are_for_staff_and_which_are_dear() -> None:
    """Of usagers' own none is kept from anybody; what answers strangers with null stays open as well."""
    mutations, queries = roots("Mutation"), roots("Query")
    assert {name for name, one in mutations.items() if "requiresScopes" not in directives(one)} == OF_USAGERS
    of_staff = {"planningPreview", "planningHistory", "organisation", "delegations", "planningDraft", "planningDrafts"}
    assert {name for name, one in queries.items() if "requiresScopes" in directives(one)} == of_staff
    cheap = {"confirmAppointment", "cancelAppointment", "releaseHold", "cancelGeneration"}
    assert {name for name, one in mutations.items() if "cost" not in directives(one)} == cheap
    dear = {"slots", "earliestSlots", "orientation", "planningPreview"}
    assert {name for name, one in queries.items() if "cost" in directives(one)} == dear
