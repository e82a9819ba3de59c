"""What there is to ask a server about, found out by asking it: the offices and the bookable reasons."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

from rdv.errors import BadSetting

AT_ONCE = 50  # offices in one request
OFFICE = '{alias}: office(code: "{code}") {{ id code address {{ communeCode }} }}'
REASONS = "{ reasons { children { id label bookable } } }"
PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Target:
    """Offices as the generator wants them, those with the most counters first."""

    offices: list[dict[str, str]]
    reasons: list[str]
    words: str  # a search among the reasons that finds some


def ask(url: str, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
    """Send one document and return the data; raises BadSetting when the server does not give any."""
    body = json.dumps({"query": query, "variables": variables or {}}).encode()
    request = Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - an address that was given
    try:
        with urlopen(request, timeout=PATIENCE_SECONDS) as response:  # noqa: S310 - the same
            answer: dict[str, Any] = json.load(response)
    except (OSError, ValueError) as error:
        raise BadSetting(f"--url: {url} does not answer GraphQL: {type(error).__name__}") from None
    if "errors" in answer:
        raise BadSetting(f"--url: {url} answers with an error: {answer['errors'][0]['message']}")
    data: dict[str, Any] = answer["data"]
    return data


def look(url: str) -> Target:
    """Return what a server has to offer; raises BadSetting when it has no data of `rdv bench seed`."""
    offices: list[dict[str, str]] = []
    while True:
        codes = [f"bench-{number:04}" for number in range(len(offices) + 1, len(offices) + 1 + AT_ONCE)]
        fields = " ".join(OFFICE.format(alias=f"o{at}", code=code) for at, code in enumerate(codes))
        found = [one for one in ask(url, f"{{ {fields} }}").values() if one is not None]
        offices += [_office(one) for one in found]
        if len(found) < AT_ONCE:
            break
    if not offices:
        raise BadSetting("there are no offices of a benchmark: `rdv bench seed` makes them")
    leaves = [leaf for root in ask(url, REASONS)["reasons"] for leaf in root["children"] if leaf["bookable"]]
    return Target(offices, [leaf["id"] for leaf in leaves], leaves[0]["label"])


def _office(found: dict[str, Any]) -> dict[str, str]:
    commune = found["address"]["communeCode"]
    overseas = commune.startswith("97")
    return {
        "id": found["id"],
        "code": found["code"],
        "commune": commune,
        "departement": commune[: 3 if overseas else 2],
    }
