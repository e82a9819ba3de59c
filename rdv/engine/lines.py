"""Documents as bytes: one instance in, one result out; or one per line, for thousands in one process.

Whatever the bytes are, the outcome is a result or a `MalformedInstance`: not JSON, not UTF-8, nested a million deep.
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO, TextIO

import orjson

from rdv.engine.document import MalformedInstance, parse_instance
from rdv.engine.export import result_document
from rdv.engine.slots import solve

MAX_BYTES = 64 * 2**20  # of one document: twice as much as a hundred thousand appointments take
TOO_LONG = f"a document is longer than {MAX_BYTES >> 20} MiB"


def read_document(file: BinaryIO) -> bytes:
    """Return a file's bytes; raises MalformedInstance, without reading on, when they are too many."""
    text = file.read(MAX_BYTES + 1)
    if len(text) > MAX_BYTES:
        raise MalformedInstance("", TOO_LONG)
    return text


def parsed_json(text: bytes) -> object:
    """Return what JSON says; raises MalformedInstance."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise MalformedInstance("", f"not JSON: {error}") from None


def answer_text(text: bytes, *, explain: bool = False) -> bytes:
    """Answer one instance document with one result document, without a final newline; raises MalformedInstance."""
    if len(text) > MAX_BYTES:
        raise MalformedInstance("", TOO_LONG)
    result = solve(parse_instance(parsed_json(text)), explain=explain)
    return orjson.dumps(result_document(result, explain=explain))


def answer_lines(lines: Iterable[bytes], *, explain: bool = False) -> Iterator[tuple[bytes, bool]]:
    """Answer each line that is not blank, in order: the output line without newline, and whether it is an answer."""
    for line in lines:
        text = line.removesuffix(b"\n")
        if len(text) <= MAX_BYTES and not text.strip():
            continue
        try:
            yield answer_text(text, explain=explain), True
        except MalformedInstance as malformed:
            yield orjson.dumps({"error": str(malformed)}), False


def _lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield a file's lines; of one that is too long just more than is allowed, whatever its length."""
    while line := file.readline(MAX_BYTES + 2):
        yield line
        while not line.endswith(b"\n") and (line := file.readline(MAX_BYTES)):
            pass


def run_slots(file: BinaryIO, out: BinaryIO, err: TextIO, *, lines: bool, explain: bool) -> int:
    """Run `rdv slots` on open streams and return its exit status.

    One document: 0, or 2 with one line on `err` and nothing on `out`. Lines: each answered as it comes; 1 when any
    was malformed, else 0.
    """
    if lines:
        status = 0
        for line, answered in answer_lines(_lines_of(file), explain=explain):
            out.write(line + b"\n")
            out.flush()
            status = status if answered else 1
        return status
    try:
        answer = answer_text(read_document(file), explain=explain)
    except MalformedInstance as malformed:
        err.write(f"{malformed}\n")
        return 2
    out.write(answer + b"\n")
    out.flush()
    return 0
