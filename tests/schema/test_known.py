"""What a document may cost before any of it runs: reading and validating it, and what is kept of it."""

import asyncio
from typing import Any

import pytest
from graphql import parse

from rdv.schema.build import build
from rdv.schema.calls import operation_of
from rdv.schema.cost import Limits, comparisons
from rdv.schema.documents import own_documents
from rdv.schema.known import KEPT_BYTES, LONGEST_FAULT, MOST_FAULTS, KnownDocuments

SCHEMA: Any = build()._schema


def known_documents() -> KnownDocuments:
    return KnownDocuments(SCHEMA, Limits(), introspection=True)


def compared(query: str, most: int = 10_000) -> int:
    return comparisons(parse(query), SCHEMA, most)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("{ a b c }", 3),
        ("{ a a a }", 3 + 3),
        ("{ x: a x: b }", 2 + 1),
        ("{ a { b } a { b } }", 4 + 1 + 1),
        ("{ ... on Query { a } a }", 3 + 1),
        ("{ ...F } fragment F on Query { a }", 2 + 1),
        ("{ ...F ...G } fragment F on Query { a } fragment G on Query { a }", 4 + 1 + 1 + 1),
        ("{ a }" + "".join(f"fragment F{n} on Query {{ a }}" for n in range(20)), 1 + 20 + 20 * 19 // 4),
        ("{ nothing { b } nothing { b } }", 4 + 1 + 1),
    ],
)
def test_what_is_compared_grows_with_the_square_of_what_is_repeated(query: str, count: int) -> None:
    assert compared(query) == count


def test_counting_stops_at_what_is_allowed() -> None:
    assert compared("{" + "a " * 2_000 + "}", most=100) < 200
    endless = "{ a { ...F } } fragment F on Query { a { ...F } b { ...F } }"
    assert compared(endless, most=1_000) == 1_001


def test_our_own_documents_are_far_from_what_is_allowed() -> None:
    assert max(map(compared, own_documents().values())) < 500


async def test_a_document_that_repeats_itself_too_often_is_not_validated() -> None:
    documents = known_documents()
    known = await documents.of("{" + "nothing { a } " * 1_200 + "}")
    assert (known.comparisons > Limits().comparisons, known.faults) == (True, ())
    assert (await documents.of("{" + "nothing { a } " * 10 + "}")).faults


async def test_the_event_loop_goes_on_while_a_document_is_read() -> None:
    turns = 0

    async def turning() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    others = asyncio.create_task(turning())
    await asyncio.sleep(0)
    before = turns
    known = await known_documents().of("{" + " ".join(f"unknown{n}" for n in range(2_000)) + "}")
    others.cancel()
    assert known.faults
    assert turns > before + 10


async def test_who_waits_too_long_for_others_documents_is_told_to_come_back() -> None:
    documents = KnownDocuments(SCHEMA, Limits(seconds=0.01), introspection=True)
    with pytest.raises(Exception, match="Too many new documents") as refused:
        async with documents._one_at_a_time:
            await documents.of("{ viewer { kind } }")
    assert refused.value.status == 503  # type: ignore[attr-defined]


async def test_variables_that_an_operation_does_not_declare_are_not_kept() -> None:
    documents = known_documents()
    known = await documents.of(
        "query ($first: Int) { viewer { usager { appointments(first: $first) { totalCount } } } }"
    )
    operation = operation_of(known.document, None)
    for turn in range(50):
        await documents.measured(known, operation, {f"v{turn}": turn, "first": 10})
    (key,) = known.measures
    assert key == (id(operation), (("first", "number", 10),))


async def test_documents_are_kept_by_their_weight() -> None:
    documents = known_documents()
    large = " ".join(f'"{"x" * 90_000}"' for _ in range(10))
    for turn in range(30):
        known = await documents.of(f"{{ a{turn}(b: [{large}]) }}")
        assert known.faults
    assert documents._kept.currsize <= KEPT_BYTES
    assert 5 < len(documents._kept) < 20
    assert await documents.of("{ viewer { kind } }") is await documents.of("{ viewer { kind } }")


async def test_a_fault_is_as_long_and_as_frequent_as_it_is_of_use() -> None:
    names = " ".join(f"$v{n}: Int" for n in range(120))
    known = await known_documents().of(f"query q{'a' * 100_000} ({names}) {{ __typename }}")
    assert len(known.faults) == MOST_FAULTS + 1
    assert max(len(one.message) for one in known.faults) == LONGEST_FAULT


@pytest.mark.parametrize("introspection", [True, False])
async def test_what_may_have_been_meant_is_told_to_those_who_may_see_the_schema(introspection: bool) -> None:
    documents = KnownDocuments(SCHEMA, Limits(), introspection=introspection)
    (fault,) = (await documents.of("{ viewr { kind } }")).faults
    assert ("viewer" in fault.message) is introspection


async def test_whoever_gives_up_leaves_no_second_thread_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    documents, reading, most = known_documents(), 0, 0
    found_out = documents._found_out

    def counted(query: str) -> Any:
        nonlocal reading, most
        reading += 1
        most = max(most, reading)
        try:
            return found_out(query)
        finally:
            reading -= 1

    monkeypatch.setattr(documents, "_found_out", counted)
    for turn in range(6):
        task = asyncio.create_task(documents.of("{" + f"a{turn} " * 100 + "}"))
        while not reading and not task.done():  # noqa: ASYNC110 - a thread tells nobody
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await documents.of("{ viewer { kind } }")
    assert most == 1
