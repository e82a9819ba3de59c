"""`rdv query`: send a document to the running demo and print its answer, for those who look around."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import typer

from rdv.errors import BadFile, BadSetting

TIMEOUT_SECONDS = 30


def query(
    document: Annotated[str, typer.Argument(help="A file, or the name of one in queries/.")],
    variables: Annotated[str, typer.Argument(help="The variables, as JSON.")] = "{}",
    persona: Annotated[str | None, typer.Option("--as", help="Sign in as a persona of the demo: usager, …")] = None,
    language: Annotated[str, typer.Option(help="The language of labels and messages.")] = "fr",
    only: Annotated[str | None, typer.Option(help="Print one value of the data: holdSlot.token, offices.0.id.")] = None,
) -> None:
    """Send a GraphQL document to the running demo and print the answer."""
    from rdv.settings import read_settings

    card = _card(read_settings().data_dir / "demo.json")
    headers = {"Content-Type": "application/json", "Accept-Language": language}
    if persona is not None:
        if persona not in card["tokens"]:
            raise BadSetting(f"--as: the personas are {', '.join(card['tokens'])}")
        headers["Authorization"] = f"Bearer {card['tokens'][persona]}"
    body = json.dumps({"query": _text(document), "variables": _json(variables)}).encode()
    answer = _answer(Request(card["url"], body, headers))  # noqa: S310 - the demo's own address
    typer.echo(json.dumps(answer, ensure_ascii=False, indent=2) if only is None else _value(answer, only))


def _card(path: Path) -> dict[str, Any]:
    try:
        card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise BadFile(f"{path}: no demo is running; start one with `make demo`") from None
    return card


def _text(document: str) -> str:
    named = Path("queries", f"{document}.graphql")
    try:
        return (named if named.is_file() else Path(document)).read_text(encoding="utf-8")
    except OSError:
        raise BadFile(f"{document}: is neither a file nor a name in queries/") from None


def _json(variables: str) -> object:
    try:
        return json.loads(variables)
    except json.JSONDecodeError as error:
        raise BadSetting(f"the variables are not JSON: {error}") from None


def _value(answer: object, path: str) -> str:
    """Return what stands at a path of the data."""
    found: Any = answer
    try:
        for step in ("data", *path.split(".")):
            found = found[int(step)] if isinstance(found, list) else found[step]
    except (LookupError, TypeError, ValueError):
        raise BadSetting(f"--only: the answer has no {path}: {json.dumps(answer, ensure_ascii=False)}") from None
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def _answer(request: Request) -> object:
    try:
        with urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 - the demo's own address
            answer: dict[str, Any] = json.load(response)
            answer.pop("extensions", None)  # what it cost is of no interest here
            return answer
    except HTTPError as refused:
        return json.load(refused)
    except URLError:
        raise BadFile("the demo does not answer; start it with `make demo`") from None
