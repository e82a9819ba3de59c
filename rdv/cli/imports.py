"""`rdv import-…`: load a directory's file; skipped rows are told on standard error and do not fail the command."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rdv.models.database import Database
    from rdv.usecases.imports import ImportReport

FEW = 20

File = Annotated[Path, typer.Argument(help="the file, plain or gzip", show_default=False)]
AllFaults = Annotated[bool, typer.Option("--all-faults", help=f"tell every skipped row, not only the first {FEW}")]


def import_communes(file: File, *, all_faults: AllFaults = False) -> None:
    """Import communes with their postcodes (CSV)."""
    from rdv.usecases import imports

    _run(imports.import_communes, file, all_faults=all_faults)


def import_offices(file: File, *, all_faults: AllFaults = False) -> None:
    """Import offices: the plain CSV, the DILA's JSON or the DGFiP's open data. Communes come first."""
    from rdv.usecases import imports

    _run(imports.import_offices, file, all_faults=all_faults)


def import_competence(file: File, *, all_faults: AllFaults = False) -> None:
    """Import which office is competent for which commune: commune_code,kind,office_code[,distance_km] (CSV)."""
    from rdv.usecases import imports

    _run(imports.import_competence, file, all_faults=all_faults)


def import_reasons(file: File, *, all_faults: AllFaults = False) -> None:
    """Import a tree of reasons (JSON)."""
    from rdv.usecases import imports

    _run(imports.import_reasons, file, all_faults=all_faults)


def import_hours(file: File, *, all_faults: AllFaults = False) -> None:
    """Lend the hours of public counters (France services, CSV) to offices that have none of their own."""
    from rdv.usecases import imports

    _run(imports.import_hours, file, all_faults=all_faults)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("import-communes")(import_communes)
    app.command("import-offices")(import_offices)
    app.command("import-competence")(import_competence)
    app.command("import-reasons")(import_reasons)
    app.command("import-hours")(import_hours)


def _run(step: Callable[[Database, Path], Awaitable[ImportReport]], file: Path, *, all_faults: bool) -> None:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from rdv.cli.database import database_address
    from rdv.cli.stopping import Stopping
    from rdv.settings import read_settings

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with (
        Stopping() as stopping,
        database_address(read_settings(), stopping) as address,
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        progress.add_task(f"importing {file.name}", total=None)
        report = asyncio.run(_import(address, step, file))
        progress.stop()
        _tell(report, all_faults=all_faults)


async def _import(address: str, step: Callable[[Database, Path], Awaitable[ImportReport]], file: Path) -> ImportReport:
    from rdv.models.database import Database

    database = Database(address)
    try:
        await database.check()
        return await step(database, file)
    finally:
        await database.close()


def _tell(report: ImportReport, *, all_faults: bool) -> None:
    """Print the summary, and on standard error the lines of the file there is something to say about."""
    for kind, lines in (("skipped", report.faults), ("warning", report.warnings)):
        shown = lines if all_faults else lines[:FEW]
        for fault in shown:
            typer.echo(
                f"{kind}: line {fault.line}: {fault.cause}" if fault.line else f"{kind}: {fault.cause}", err=True
            )
        if len(lines) > len(shown):
            typer.echo(f"{kind}: and {len(lines) - len(shown)} more (--all-faults tells them)", err=True)
    typer.echo(
        f"{report.name}: {report.read} rows read, {report.inserted} inserted, {report.updated} updated, "
        f"{report.unchanged} unchanged, {len(report.faults)} skipped, {len(report.warnings)} warnings"
    )
