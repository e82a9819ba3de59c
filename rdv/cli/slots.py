"""`rdv slots` and `rdv check`: answer and judge instance documents from a file or a pipe, without any database."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator


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

    with _opened("slots", file) as stream:
        status = run_slots(stream, sys.stdout.buffer, sys.stderr, lines=lines, explain=explain)
    raise typer.Exit(status)


def check(
    file: Annotated[str, typer.Argument(metavar="FILE", help="An rdv-instance/1 document, or - for standard input.")],
    result: Annotated[str | None, typer.Argument(metavar="[RESULT]", help="An rdv-result/1 document for it.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the violations as one JSON list.")] = False,
) -> None:
    """Print every rule that a plan breaks: where a result places the appointments, or else where they stand now.

    Exit status 0: no rule is broken. 1: some are. 2: a file cannot be read or is no such document.
    """
    from rdv.engine.verdict import run_check

    with ExitStack() as stack:
        stream = stack.enter_context(_opened("check", file))
        of_result = None if result is None else stack.enter_context(_opened("check", result))
        status = run_check(stream, of_result, sys.stdout.buffer, sys.stderr, as_json=as_json)
    raise typer.Exit(status)


@contextmanager
def _opened(command: str, file: str) -> Iterator[BinaryIO]:
    """Open a file, or standard input for `-`; ends the command when it cannot be read."""
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        with Path(file).open("rb") as opened:
            yield opened
    except BrokenPipeError:
        raise  # the reader of standard output has gone; nothing is wrong with the file
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a file name"
        typer.echo(f"rdv {command}: {_one_line(file)}: {reason}", err=True)
        raise typer.Exit(2) from None


def _one_line(name: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in name)
