"""What can be taken out: an office's situation without personal data, and the schema."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rdv.cli.arguments import day, moment
from rdv.cli.database import database_address
from rdv.errors import BadSetting

if TYPE_CHECKING:
    from rdv.engine.values import Instance
    from rdv.settings import Settings

LONGEST_DAYS = 400  # what the format takes


def export_instance(
    office: Annotated[str, typer.Option(help="The office's code.")],
    from_: Annotated[str, typer.Option("--from", help="First local date, like 2027-03-01.")],
    to: Annotated[str, typer.Option(help="Last local date, included.")],
    now: Annotated[str | None, typer.Option(help="The instance's clock instead of the real one.")] = None,
) -> None:
    """Print an office's live situation, without personal data, as an rdv-instance/1 that asks for each reason."""
    import orjson

    from rdv.engine.export import instance_document
    from rdv.engine.values import Query
    from rdv.settings import read_settings

    first, last = day("--from", from_), day("--to", to)
    if not 0 <= (last - first).days < LONGEST_DAYS:
        raise BadSetting(f"--to: is not --from or one of the {LONGEST_DAYS - 1} days after it")
    clock = moment("--now", now) if now else datetime.now(UTC)  # noqa: TID251 - the command line reads the clock
    instance = asyncio.run(_instance(read_settings(), office, first, last, clock))
    asked = tuple(Query(reason=reason.id, from_date=first, to_date=last) for reason in instance.reasons)
    document = instance_document(replace(instance, queries=asked))
    typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


async def _instance(settings: Settings, code: str, first: date, last: date, now: datetime) -> Instance:
    from rdv.models.database import Database
    from rdv.models.nation import NationCache
    from rdv.models.office_reads import load_office_by_code
    from rdv.models.situation import load_situations

    with database_address(settings) as address:
        database = Database(address)
        try:
            await database.check()
            async with database.reading() as connection:
                office = await load_office_by_code(connection, code)
                if office is None:
                    raise BadSetting(f"--office: there is no office {code!r}")
                nation = await NationCache().current(connection)
                found = await load_situations(connection, nation, [office.id], first=first, last=last, now=now)
                return found[office.id].instance
        finally:
            await database.close()


def export_schema(
    *, check: Annotated[bool, typer.Option("--check", help="Only compare; exit 1 with a diff.")] = False
) -> None:
    """Write the GraphQL schema to the committed file, or compare it with that file."""
    import difflib

    from rdv import schema

    path = Path(schema.__file__).with_name("schema.graphql")
    printed = schema.printed().rstrip() + "\n"
    if not check:
        path.write_text(printed, encoding="utf-8")
        return
    committed = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = difflib.unified_diff(
        committed.splitlines(keepends=True), printed.splitlines(keepends=True), "committed", "printed"
    )
    difference = "".join(lines)
    if difference:
        typer.echo(difference, nl=False)
        raise typer.Exit(1)
