"""The schema as one of several that a portal composes."""

import json
import re
import subprocess

from rdv.schema.build import COMMITTED
from tests.tools import NPM, needs


def test_it_composes_with_a_portal_that_knows_more_of_usagers_and_offices() -> None:
    needs("node")
    done = subprocess.run(
        ["node", "compose.mjs", str(COMMITTED), "portal.graphql"], cwd=NPM, capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert found["errors"] == []
    for name in ("Usager", "Office"):
        (of,) = re.findall(rf"^type {name}\b[^{{]*\{{", found["supergraph"], re.MULTILINE)
        assert sorted(re.findall(r'@join__type\(graph: (\w+), key: "id"', of)) == ["PORTAL", "RDV"], of
    assert re.search(r"profile: Profile! @join__field\(graph: PORTAL\)", found["supergraph"])
