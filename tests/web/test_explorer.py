"""The explorer: GraphiQL from our own files only, in a real browser."""

import json
import shutil
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from rdv.web.explorer import ASSETS, asset
from tests.cli.running import running
from tests.tools import NPM, needs
from tests.web.conftest import Opening

OF_PACKAGES = {
    "graphiql.min.js": "graphiql/graphiql.min.js",
    "graphiql.min.css": "graphiql/graphiql.min.css",
    "react.production.min.js": "react/umd/react.production.min.js",
    "react-dom.production.min.js": "react-dom/umd/react-dom.production.min.js",
}


async def test_browsers_see_a_page_and_programs_do_not(opened: Opening) -> None:
    client = await opened()
    page = await client.get("/graphql", headers={"accept": "text/html,*/*;q=0.8"})
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'; script-src 'self'" in page.headers["content-security-policy"]
    asked = await client.get("/graphql", params={"query": "{ __typename }"}, headers={"accept": "text/html"})
    assert asked.json()["data"] == {"__typename": "Query"}
    assert (await client.get("/graphql")).status_code == 400


async def test_every_asset_is_ours_and_nothing_else_is_served(opened: Opening) -> None:
    client = await opened()
    for name in ASSETS:
        assert (await client.get(f"/explorer/{name}")).content == asset(name)
    for name in ("README.md", "..%2f__init__.py", "explorer.html"):
        assert (await client.get(f"/explorer/{name}")).status_code == 404


async def test_the_menu_has_every_document_and_no_tokens_outside_the_demo(opened: Opening) -> None:
    menu = (await (await opened()).get("/explorer/menu.json")).json()
    search = next(one for one in menu["documents"] if one["name"] == "search_slots")
    assert search["about"].startswith("The free slots of an office")
    assert json.loads(search["variables"]) == {
        "input": {"officeId": "", "reasonId": "", "from": "2027-03-02", "to": "2027-03-02"}
    }
    assert menu["personas"] == {}


async def test_an_installation_may_have_no_explorer(opened: Opening) -> None:
    client = await opened(explorer=False)
    assert (await client.get("/graphql", headers={"accept": "text/html"})).status_code == 400
    assert (await client.get("/explorer/explorer.js")).status_code == 404


def test_the_assets_are_those_of_the_locked_packages() -> None:
    needs("node")
    for name, path in OF_PACKAGES.items():
        assert asset(name) == (NPM / "node_modules" / path).read_bytes(), name


def test_in_a_browser_it_opens_offline_and_shows_slots(data_dir: Path) -> None:
    needs("chromium")
    given = ("--port", "0", "--now", "2027-03-01T08:00:00+01:00")
    with running(data_dir, "demo", *given, until="http://") as demo:
        code = json.loads((data_dir / "demo.json").read_text())["office_code"]
        office = demo.ask(f'{{ office(code: "{code}") {{ id reasons {{ id }} }} }}')[1]["data"]["office"]
        days = {"from": "2027-03-02", "to": "2027-03-31"}
        wanted = {"officeId": office["id"], "reasonId": office["reasons"][0]["id"]} | days
        seen = explored(demo.url, "search_slots", {"input": wanted})
        followed = explored(demo.url, "slots_changed", {name: wanted[name] for name in ("officeId", "reasonId")})
        assert demo.told(signal.SIGTERM) == 0
    assert len(json.loads(seen.shown)["data"]["slots"]["days"]) > 1
    assert json.loads(followed.shown)["data"]["slotsChanged"]["days"] == []
    assert [(one.elsewhere, one.faults) for one in (seen, followed)] == [([], [])] * 2


@dataclass
class Seen:
    """What a browser showed, what it asked others for, and what its console complained of."""

    shown: str = ""
    elsewhere: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def explored(url: str, document: str, variables: dict[str, Any]) -> Seen:
    """Run a document of the menu in the explorer, as a persona of the demo."""
    seen = Seen()
    ours = url.removesuffix("graphql")
    value = "(element) => element.CodeMirror.getValue()"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.on("request", lambda one: seen.elsewhere.append(one.url) if not one.url.startswith(ours) else None)
        page.on("console", lambda one: seen.faults.append(one.text) if one.type == "error" else None)
        page.goto(url)
        page.select_option("#documents", document)
        page.select_option("#personas", "agent_local")
        editor = page.locator(".graphiql-editor-tool .CodeMirror").first
        editor.evaluate("(element, text) => element.CodeMirror.setValue(text)", json.dumps(variables))
        page.click(".graphiql-execute-button")
        for _ in range(200):  # the page's policy forbids what would wait for us
            seen.shown = page.locator(".result-window .CodeMirror").evaluate(value)
            if '"data"' in seen.shown:
                break
            page.wait_for_timeout(50)
        browser.close()
    return seen
