"""Documents as bytes: one instance in, one result out; or one per line, for thousands in one process.

Whatever the bytes are, the outcome is a result or a `MalformedInstance`: not JSON, not UTF-8, nested a million deep.
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO, TextIO

import orjson

from rdv.engine.document import MalformedInstance, parse_instance
from rdv.engine.export import result_document
from rdv.engine.slots import solve


def answer_text(text: bytes, *, explain: bool = False) -> bytes:
    """Answer one instance document with one result document, without a final newline; raises MalformedInstance."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise MalformedInstance("", f"not JSON: {error}") from None
    result = solve(parse_instance(document), explain=explain)
    return orjson.dumps(result_document(result, explain=explain))


def answer_lines(lines: Iterable[bytes], *, explain: bool = False) -> Iterator[tuple[bytes, bool]]:
    """Answer each line that is not blank, in order: the output line without newline, and whether it is an answer."""
    for line in lines:
        if not line.strip():
            continue
        try:
            yield answer_text(line, explain=explain), True
        except MalformedInstance as malformed:
            yield orjson.dumps({"error": str(malformed)}), False


def run_slots(file: BinaryIO, out: BinaryIO, err: TextIO, *, lines: bool, explain: bool) -> int:
    """Run `rdv slots` on open streams and return its exit status.

    One document: 0, or 2 with one line on `err` and nothing on `out`. Lines: each answered as it comes; 1 when any
    was malformed, else 0.
    """
    if lines:
        status = 0
        for line, answered in answer_lines(file, explain=explain):
            out.write(line + b"\n")
            out.flush()
            status = status if answered else 1
        return status
    try:
        answer = answer_text(file.read(), explain=explain)
    except MalformedInstance as malformed:
        err.write(f"{malformed}\n")
        return 2
    out.write(answer + b"\n")
    out.flush()
    return 0
