"""`rdv slots`: answer instance documents from a file or a pipe, without any database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def slots(
    file: Annotated[str, typer.Argument(metavar="FILE", help="An rdv-instance/1 document, or - for standard input.")],
    *,
    lines: Annotated[bool, typer.Option("--lines", help="One document per line in, one answer per line out.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Say why the other starts are not offered.")] = False,
) -> None:
    """Print the free starts that an instance document asks for, as an rdv-result/1 document.

    Exit status 2: the file cannot be read or is no instance. With --lines, 1: some line was no instance.
    """
    from rdv.engine.lines import run_slots

    out = sys.stdout.buffer
    if file == "-":
        status = run_slots(sys.stdin.buffer, out, sys.stderr, lines=lines, explain=explain)
        raise typer.Exit(status)
    try:
        with Path(file).open("rb") as opened:
            status = run_slots(opened, out, sys.stderr, lines=lines, explain=explain)
    except BrokenPipeError:
        raise  # the reader of standard output has gone; nothing is wrong with the file
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a file name"
        typer.echo(f"rdv slots: {_one_line(file)}: {reason}", err=True)
        raise typer.Exit(2) from None
    raise typer.Exit(status)


def _one_line(name: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in name)
