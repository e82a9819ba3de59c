"""`rdv documents build`: the manifest of our documents, for who runs trusted ones only."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer reads it at run time
from typing import Annotated

import typer

from rdv.errors import BadFile

documents = typer.Typer(help="Documents that front ends run.", no_args_is_help=True)


@documents.callback()
def _documents() -> None:
    """Documents that front ends run."""


@documents.command()
def build(
    folder: Annotated[Path | None, typer.Argument(help="A folder of *.graphql; ours when left out.")] = None,
    output: Annotated[Path | None, typer.Option(help="Write to this file instead of standard output.")] = None,
) -> None:
    """Write a manifest of persisted queries: each document by its SHA-256. RDV_TRUSTED_DOCUMENTS takes it."""
    import orjson

    from rdv.schema.documents import manifest, own_documents

    try:
        texts = (
            list(own_documents().values())
            if folder is None
            else [file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.graphql"))]
        )
        written = orjson.dumps(manifest(texts), option=orjson.OPT_INDENT_2).decode()
        if output is None:
            typer.echo(written)
        else:
            output.write_text(written + "\n", encoding="utf-8")
    except OSError as error:
        raise BadFile(f"{error.filename}: {error.strerror}") from None
