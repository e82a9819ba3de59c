"""What a started demo tells: `demo.json` for programs, a panel for people."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from rdv.integrations.keepsakes import write_private
from rdv.usecases.demo import Prepared

QUERY = "query($i: SlotsInput!) { slots(input: $i) { office { name } count days { date starts } } }"


def write_card(
    directory: Path, *, url: str, database_url: str, now: datetime, prepared: Prepared, tokens: Mapping[str, str]
) -> None:
    """Write `demo.json`, readable by its owner only because of the tokens, and print what to try."""
    card = {
        "url": url,
        "database_url": database_url,
        "now": now.isoformat(),
        "tokens": dict(tokens),
        "office_code": prepared.office.code,
    }
    write_private(directory / "demo.json", json.dumps(card, indent=2).encode())
    console = Console()
    console.print(_panel(directory / "demo.json", url, now, prepared, list(tokens)))
    # Outside the panel and unwrapped, so that it can be copied whole.
    console.print(Text(_curl(url, now, prepared)), soft_wrap=True)


def _panel(path: Path, url: str, now: datetime, prepared: Prepared, personas: list[str]) -> Panel:
    lines = Text()
    lines.append(f"{url}\n", style="bold")
    lines.append(f"\nClock     {now.isoformat(timespec='minutes')}")
    lines.append(f"\nOffice    {prepared.office.name} ({prepared.office.code}, id {prepared.office.id})")
    lines.append(f"\nReason    {prepared.reason.labels.get('fr', prepared.reason.code)} (id {prepared.reason.id})")
    lines.append(f"\nPersonas  {', '.join(personas)}")
    lines.append(f"\n          Authorization: Bearer <token of {path}>")
    if prepared.other is not None:
        lines.append(
            f"\n\nFilled earlier with --fill {prepared.other.fill} --seed {prepared.other.seed}, and used again;"
            " --reset fills anew.",
            style="yellow",
        )
    lines.append("\n\nStop with Ctrl-C. Free slots of the coming week:")
    return Panel(lines, title="rdv demo", expand=False)


def _curl(url: str, now: datetime, prepared: Prepared) -> str:
    wanted = {
        "officeId": str(prepared.office.id),
        "reasonId": str(prepared.reason.id),
        "from": now.date().isoformat(),
        "to": (now + timedelta(days=7)).date().isoformat(),
    }
    body = json.dumps({"query": QUERY, "variables": {"i": wanted}})
    return f"curl -s {url} -H 'Content-Type: application/json' -d '{body}'\n"
