"""Our server, a portal and a gateway in front of both, each a process of its own on a free port of this machine."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from rdv.integrations.identity import DemoIssuer
from rdv.integrations.viewer import Viewer, ViewerKind
from rdv.models.database import Database
from tests.conftest import cloned
from tests.places import NOW, Place, add_office
from tests.served import PATIENCE_SECONDS, serving
from tests.tools import NPM, ROOT, needs

FEDERATION = NPM / "federation"
ISSUER = {"issuer": "https://identity.example.org", "audience": "rdv"}
START = "2027-03-01T11:00:00+01:00"


def ask(url: str, document: str, variables: dict[str, Any] | None = None, token: str | None = None) -> Any:
    """Send a document, of `queries/` by its name or a literal one, and return the whole answer."""
    text = document if "{" in document else (ROOT / "queries" / f"{document}.graphql").read_text(encoding="utf-8")
    headers = {"authorization": f"Bearer {token}"} if token else {}
    answer = httpx2.post(url, json={"query": text, "variables": variables}, headers=headers, timeout=PATIENCE_SECONDS)
    return answer.json()


def compose(rdv: Path, rdv_url: str, portal_url: str) -> dict[str, Any]:
    """Compose our schema with the portal's: errors, hints and the supergraph."""
    command = ["node", "federation/compose.mjs", str(rdv), rdv_url, str(FEDERATION / "portal.graphql"), portal_url]
    done = subprocess.run(command, cwd=NPM, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextmanager
def node(script: str, given: Path) -> Iterator[str]:
    """Run one of our servers for node and return its address; it has ended at the end of the block."""
    log = given.with_suffix(".log")
    with (
        log.open("w", encoding="utf-8") as errors,
        subprocess.Popen(
            ["node", f"federation/{script}", str(given)], cwd=NPM, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            assert url.startswith("http://127.0.0.1:"), log.read_text(encoding="utf-8")
            yield url
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE_SECONDS)
            finally:
                process.kill()


@dataclass(frozen=True)
class Federated:
    """Addresses, the office, and two usagers: their tokens, ids and the references of what they have booked."""

    rdv: str
    gateway: str
    place: Place
    tokens: dict[str, str]
    ids: dict[str, str]
    references: dict[str, str]


def tokens_of(issuer: DemoIssuer) -> dict[str, str]:
    names = {"camille": "Camille Exemple", "dominique": "Dominique Exemple"}
    viewers = {one: Viewer(kind=ViewerKind.USAGER, subject=one, name=name) for one, name in names.items()}
    return {one: issuer.token(viewer, now=NOW, lifetime=timedelta(hours=1)) for one, viewer in viewers.items()}


def book(url: str, place: Place, start: str, who: str, token: str) -> str:
    """Book as a signed-in usager and return the reference."""
    wanted = {"officeId": place.office, "reasonId": place.reasons["declare"], "start": start}
    held = ask(url, "hold_slot", {"input": wanted}, token)["data"]["holdSlot"]
    usager = {"firstName": who.title(), "lastName": "Exemple", "email": f"{who}@example.org"}
    given = {"input": {"holdToken": held["token"], "usager": usager}}
    made = ask(url, "confirm_appointment", given, token)["data"]["confirmAppointment"]
    reference: str = made["appointment"]["reference"]
    return reference


async def settled(database_url: str) -> Place:
    database = Database(database_url)
    try:
        return await add_office(database, counters=2)
    finally:
        await database.close()


@pytest.fixture(scope="module")
def federated(server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federated]:
    """All three, running; two usagers have booked the same time. Tests only read."""
    needs("node")
    folder = tmp_path_factory.mktemp("federation")
    (folder / "clock").write_text(NOW.isoformat(), encoding="utf-8")
    issuer = DemoIssuer(folder / "key.pem", **ISSUER)
    tokens = tokens_of(issuer)
    signing_in = {f"RDV_TOKEN_{name.upper()}": value for name, value in (ISSUER | {"jwks": issuer.jwks()}).items()}
    with cloned(server, migrated_template) as database_url:
        place = asyncio.run(settled(database_url))
        with serving(database_url, folder / "clock", **signing_in) as rdv:
            references = {who: book(rdv.url, place, START, who, token) for who, token in tokens.items()}
            viewers = {who: ask(rdv.url, "viewer", token=token)["data"]["viewer"] for who, token in tokens.items()}
            ids = {who: viewer["usager"]["id"] for who, viewer in viewers.items()}
            with portal_and_gateway(folder, rdv.url, issuer.jwks(), ids, place) as gateway:
                yield Federated(rdv.url, gateway, place, tokens, ids, references)


@contextmanager
def portal_and_gateway(folder: Path, rdv_url: str, jwks: str, ids: dict[str, str], place: Place) -> Iterator[str]:
    """Run the portal and the gateway of what our server says of itself, composed with it."""
    usagers = [
        {"subject": who, "id": public_id, "preferredLanguage": "fr", "taxAccount": f"account of {who}"}
        for who, public_id in ids.items()
    ]
    articles = {str(place.office): ["Open longer in May"]}
    known = {"usagers": usagers, "articles": articles, "jwks": json.loads(jwks), "now": NOW.isoformat(), **ISSUER}
    (folder / "portal.json").write_text(json.dumps(known), encoding="utf-8")
    sdl = ask(rdv_url, "{ _service { sdl } }")["data"]["_service"]["sdl"]
    (folder / "rdv.graphql").write_text(sdl, encoding="utf-8")
    with node("portal.mjs", folder / "portal.json") as portal_url:
        composed = compose(folder / "rdv.graphql", rdv_url, portal_url)
        assert composed["errors"] == []
        (folder / "supergraph.graphql").write_text(composed["supergraph"], encoding="utf-8")
        with node("gateway.mjs", folder / "supergraph.graphql") as gateway:
            yield gateway
