"""Documents by hash: our own, those of front ends' manifests, those sent before; and only these where it is set so."""

import json
from pathlib import Path

import pytest

from rdv.errors import BadSetting
from rdv.schema.documents import hash_of, manifest, own_documents, read_manifests
from tests.cli.running import ran
from tests.web.conftest import Opening

TYPENAME = "{ __typename }"
HELLO = "query Hello { __typename }"


def persisted(document: str) -> dict[str, object]:
    return {"persistedQuery": {"version": 1, "sha256Hash": hash_of(document)}}


async def test_our_documents_run_by_their_hash(opened: Opening) -> None:
    client = await opened()
    viewer = hash_of(own_documents()["viewer"])
    for body in (
        {"documentId": viewer},
        {"documentId": f"sha256:{viewer}"},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": viewer}}},
    ):
        answer = (await client.post("/graphql", json=body)).json()
        assert answer["data"]["viewer"]["kind"] == "ANONYMOUS", body
    by_address = await client.get("/graphql", params={"documentId": viewer})
    assert by_address.json()["data"]["viewer"]["kind"] == "ANONYMOUS"


async def test_a_document_that_was_sent_with_its_hash_runs_by_it_afterwards(opened: Opening) -> None:
    client = await opened()
    first = (await client.post("/graphql", json={"extensions": persisted(HELLO)})).json()
    assert first["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
    assert first["errors"][0]["message"] == "PersistedQueryNotFound"
    for body in ({"query": HELLO, "extensions": persisted(HELLO)}, {"extensions": persisted(HELLO)}):
        assert (await client.post("/graphql", json=body)).json()["data"] == {"__typename": "Query"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"query": HELLO, "extensions": persisted(TYPENAME)}, 400),
        ({"query": HELLO, "extensions": {"persistedQuery": {"version": 2, "sha256Hash": "x"}}}, 400),
        ({"extensions": {"persistedQuery": "x"}}, 400),
        ({"documentId": 7}, 400),
        ({"documentId": ""}, 400),
    ],
)
async def test_what_is_no_hash_of_the_document_is_refused(
    opened: Opening, body: dict[str, object], status: int
) -> None:
    assert (await (await opened()).post("/graphql", json=body)).status_code == status


async def test_only_a_bounded_number_is_remembered(opened: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rdv.schema.documents.MOST_REMEMBERED", 2)
    client = await opened()
    sent = [f"query Q{n} {{ __typename }}" for n in range(3)]
    for one in sent:
        await client.post("/graphql", json={"query": one, "extensions": persisted(one)})
    found = [(await client.post("/graphql", json={"extensions": persisted(one)})).json() for one in sent]
    assert ["data" in one for one in found] == [False, True, True]


async def test_where_only_trusted_documents_run_no_other_does(opened: Opening, tmp_path: Path) -> None:
    file = tmp_path / "portal.json"
    file.write_text(json.dumps(manifest([HELLO])), encoding="utf-8")
    client = await opened(trusted_documents_only=True, trusted_documents=str(file))
    refused = await client.post("/graphql", json={"query": TYPENAME, "extensions": persisted(TYPENAME)})
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (403, "DOCUMENT_NOT_TRUSTED")
    unknown = await client.post("/graphql", json={"extensions": persisted(TYPENAME)})
    assert unknown.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
    for body in ({"query": HELLO}, {"documentId": hash_of(HELLO)}, {"query": own_documents()["viewer"]}):
        assert "data" in (await client.post("/graphql", json=body)).json(), body


def test_the_command_writes_a_manifest_that_is_read_again(data_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "ours.json"
    done = ran(data_dir, "documents", "build", "--output", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert read_manifests([file]) == {hash_of(one): one for one in own_documents().values()}
    names = [one["name"] for one in json.loads(file.read_text(encoding="utf-8"))["operations"]]
    assert names == sorted(names)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"operations": [{"id": "x", "body": "{ a }"}]}', '{"operations": 7}']
)
def test_a_file_that_is_no_manifest_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "m.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadSetting, match="RDV_TRUSTED_DOCUMENTS"):
        read_manifests([file])
