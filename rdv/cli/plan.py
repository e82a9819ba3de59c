"""`rdv plan show`: an office's week to look at."""

from __future__ import annotations

import asyncio
import re
from datetime import date
from pathlib import Path  # noqa: TC003 - Typer reads it at run time
from typing import TYPE_CHECKING, Annotated

import typer

from rdv.cli.arguments import moment
from rdv.cli.database import database_address
from rdv.cli.serve import real_clock
from rdv.errors import BadFile, BadSetting, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from rdv.pictures.week import Week
    from rdv.pictures.words import Words

plan = typer.Typer(help="Plannings, to look at.", no_args_is_help=True)
LANGUAGES = ("fr", "en")
_WEEK = re.compile(r"([0-9]{4})-W([0-9]{2})")


@plan.command()
def show(
    *,
    office: Annotated[str, typer.Option(help="The office's code.")],
    week: Annotated[str, typer.Option(help="The ISO week, like 2027-W10, or any date of it.")],
    draft: Annotated[int | None, typer.Option(help="A generated planning: as it would make the week.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write a picture (.svg) or a page with a table (.html) to this file instead.")
    ] = None,
    language: Annotated[str, typer.Option(help="fr or en.")] = "fr",
    now: Annotated[str | None, typer.Option(help="The clock instead of the real one.")] = None,
) -> None:
    """Draw an office's week: hours, appointments, who is at which counter, how full it is; no usager's name."""
    from rdv.pictures.words import Words
    from rdv.schema.texts import Translate

    if language not in LANGUAGES:
        raise BadSetting(f"--language: is not {' or '.join(LANGUAGES)}")
    if output is not None and output.suffix not in {".svg", ".html"}:
        raise BadSetting("--output: ends neither in .svg nor in .html")
    instant = moment("--now", now) if now else None
    found = asyncio.run(_week(office, monday(week), draft, language, lambda: instant or real_clock()))
    words = Words(Translate(language))
    if output is None:
        _print(found, words)
    else:
        _write(output, found, words)


def monday(text: str) -> date:
    """Return the Monday of a week as it is written on the command line; raises BadSetting."""
    try:
        if named := _WEEK.fullmatch(text):
            return date.fromisocalendar(int(named[1]), int(named[2]), 1)
        year, number, _ = date.fromisoformat(text).isocalendar()
        return date.fromisocalendar(year, number, 1)
    except ValueError:
        raise BadSetting("--week: is neither a week like 2027-W10 nor a date") from None


async def _week(code: str, first: date, draft: int | None, language: str, clock: Callable[[], datetime]) -> Week:
    from rdv.app import open_services
    from rdv.settings import read_settings
    from rdv.usecases.week_picture import week_picture

    settings = read_settings()
    with database_address(settings) as address:
        services = open_services(settings.on(address), clock)
        try:
            await services.database.check()
            return await week_picture(services, code, first, language=language, draft=draft)
        except Refusal as refusal:
            raise BadSetting(f"--office, --draft: {refusal}") from None
        finally:
            await services.close()


def _print(week: Week, words: Words) -> None:
    from rich.console import Console

    from rdv.pictures.terminal import draw_terminal

    console = Console()
    console.print(draw_terminal(week, words, console.width))


def _write(output: Path, week: Week, words: Words) -> None:
    from rdv.pictures.svg import draw_html, draw_svg

    try:
        output.write_text((draw_svg if output.suffix == ".svg" else draw_html)(week, words), encoding="utf-8")
    except OSError as error:
        raise BadFile(f"--output: {output} cannot be written: {error.strerror}") from None
    typer.echo(output)
