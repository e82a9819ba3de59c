"""Rows of a delimited file with their line numbers; a bad row is a fault, a bad file an error."""

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import ValidationError

from rdv.errors import BadFile

T = TypeVar("T")

# A whole country's directory is some 100 MB; more is a mistake or a decompression bomb.
MAX_BYTES = 300_000_000

Row = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with one row; `line` counts from 1, in JSON it is the record's number."""

    line: int
    cause: str


@dataclass(slots=True, kw_only=True)
class Parsed(Generic[T]):
    """What a file holds: good rows with their line, rows to be skipped, and remarks on rows that are taken."""

    read: int = 0
    rows: list[tuple[int, T]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)

    def skip(self, line: int, cause: str) -> None:
        self.faults.append(Fault(line=line, cause=cause))

    def warn(self, line: int, cause: str) -> None:
        self.warnings.append(Fault(line=line, cause=cause))


def content(file: Path) -> bytes:
    """Return a file's bytes, unpacked when it is gzip.

    Raises BadFile when it cannot be read.
    """
    try:
        with file.open("rb") as opened:
            packed = opened.read(2) == b"\x1f\x8b"
            opened.seek(0)
            data = gzip.GzipFile(fileobj=opened).read(MAX_BYTES + 1) if packed else opened.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise BadFile(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MAX_BYTES:
        raise BadFile(f"more than {MAX_BYTES // 1_000_000} MB")
    if not data.strip():
        raise BadFile("is empty")
    return data


def text_of(data: bytes) -> str:
    """Return UTF-8 text, with or without a byte order mark; raises BadFile."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFile(f"is not UTF-8 text (byte {error.start + 1})") from None


def header_of(text: str) -> list[str]:
    """Return the names of the columns."""
    first = text.partition("\n")[0].rstrip("\r").replace("\x00", "")
    return [name.strip() for name in next(csv.reader([first], delimiter=delimiter_of(first)), [])]


def delimiter_of(header: str) -> str:
    return ";" if header.count(";") > header.count(",") else ","


def numbered_rows(text: str, needed: Sequence[str], parsed: Parsed[T]) -> Iterator[tuple[int, Row]]:
    """Yield each row with the line it begins on; rows of another width become faults.

    Raises BadFile when a needed column is missing or the quoting is broken.
    """
    header = header_of(text)
    if missing := [name for name in needed if name not in header]:
        raise BadFile(f"the header has no column {', '.join(missing)}")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text.partition("\n")[0]), strict=True)
    ended = 0
    try:
        for cells in reader:
            line, ended = ended + 1, reader.line_num
            if line == 1 or not cells:
                continue
            parsed.read += 1
            if len(cells) != len(header):
                parsed.skip(line, f"{len(cells)} columns instead of {len(header)}")
            elif any("\x00" in cell for cell in cells):
                parsed.skip(line, "holds a NUL character")
            else:
                yield line, {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    except csv.Error as error:
        raise BadFile(f"line {reader.line_num}: {error}") from None


def collect(parsed: Parsed[T], line: int, make: Callable[[], T], key: Callable[[T], object], seen: set[object]) -> bool:
    """Add the row that `make` builds, or its fault; a key seen before is a fault too. Tell whether it was added."""
    try:
        row = make()
    except ValidationError as error:
        parsed.skip(line, cause_of(error))
        return False
    if key(row) in seen:
        parsed.skip(line, f"{key(row)} is in the file already")
        return False
    seen.add(key(row))
    parsed.rows.append((line, row))
    return True


def cause_of(error: ValidationError) -> str:
    """Return what is wrong, by field, in one line."""
    return "; ".join(
        f"{'.'.join(str(part) for part in fault['loc']) or 'row'}: {fault['msg'].removeprefix('Value error, ')}"
        for fault in error.errors(include_url=False, include_context=False)
    )
