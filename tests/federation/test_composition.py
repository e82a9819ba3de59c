"""The schema as one of several that a portal composes."""

import re

from rdv.schema.build import COMMITTED
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
