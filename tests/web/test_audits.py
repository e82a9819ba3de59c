"""GraphQL over HTTP by the book: the audits of the npm package `graphql-http`, against a server of its own."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from tests.served import serving
from tests.tools import NPM, needs


def test_every_audit_of_graphql_over_http_passes(database_url: str, tmp_path: Path) -> None:
    needs("node")
    clock = tmp_path / "clock"
    clock.write_text(datetime(2027, 3, 1, 7, tzinfo=UTC).isoformat(), encoding="utf-8")
    with serving(database_url, clock) as server:
        done = subprocess.run(
            ["node", "audits.mjs", server.url], cwd=NPM, capture_output=True, text=True, timeout=60, check=True
        )
    outcomes = json.loads(done.stdout)
    assert len(outcomes) == 61
    assert [one for one in outcomes if one["status"] != "ok"] == []
