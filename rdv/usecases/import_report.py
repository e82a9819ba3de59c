"""What became of an imported file, in numbers and lines."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rdv.errors import BadFile
from rdv.integrations.directories.tables import Fault, Parsed
from rdv.models.imports import Written

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What became of one file's rows; faulty rows were skipped, rows with a warning were not."""

    name: str
    read: int
    inserted: int
    updated: int
    unchanged: int
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """Let an error about the file's content begin with its name."""
    try:
        yield
    except BadFile as error:
        raise BadFile(f"{file.name}: {error}") from None


def report(name: str, parsed: Parsed[T], written: Written, *, taken: int | None = None) -> ImportReport:
    """Sum up, the faults in the order of their lines; `taken` counts what could be written, if not the rows."""
    return ImportReport(
        name=name,
        read=parsed.read,
        inserted=written.inserted,
        updated=written.updated,
        unchanged=(len(parsed.rows) if taken is None else taken) - written.inserted - written.updated,
        faults=tuple(sorted(parsed.faults, key=lambda fault: fault.line)),
        warnings=tuple(sorted(parsed.warnings, key=lambda fault: fault.line)),
    )
