"""`rdv schema-diff` says whether a schema may follow the released one."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer reads it at run time
from typing import Annotated

import typer

from rdv.errors import BadFile


def schema_diff(
    released: Annotated[Path, typer.Argument(help="The schema that clients were written for.")],
    current: Annotated[Path | None, typer.Argument(help="The schema to come; this program's when left out.")] = None,
    changelog: Annotated[Path | None, typer.Option(help="Its `### Breaking` names what may break.")] = None,
) -> None:
    """Print each difference from a released schema, breaking, dangerous or safe; exit 1 if it may not follow it."""
    from graphql import GraphQLError

    from rdv import schema
    from rdv.schema.compatibility import breaking_section, differences, faults

    try:
        new = schema.printed() if current is None else current.read_text(encoding="utf-8")
        found = differences(released.read_text(encoding="utf-8"), new)
        named = "" if changelog is None else breaking_section(changelog.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadFile(f"{error.filename}: {error.strerror}") from None
    except (GraphQLError, TypeError, UnicodeDecodeError) as error:
        raise BadFile(f"not a schema: {str(error).splitlines()[0]}") from None
    for one in found:
        typer.echo(f"{one.of:9} {one.said}" + (" It was deprecated." if one.announced else ""))
    refused = faults(found, named)
    for fault in refused:
        typer.echo(f"refused: {fault}", err=True)
    if refused:
        raise typer.Exit(1)
