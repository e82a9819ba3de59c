"""What the engine answers is what brute force answers, for hundreds of small random instances."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rdv.engine.budget import DEFAULT, Budget
from rdv.engine.document import parse_instance
from rdv.engine.referee import minute_of, violations
from rdv.engine.slots import solve
from rdv.engine.values import Answer
from tests.engine.random_instances import documents
from tests.engine.slot_oracle import Oracle

MANY = settings(max_examples=6 * settings().max_examples)
BOTH = st.booleans().flatmap(lambda agents: documents(agents=agents))


@MANY
@given(documents(agents=False))
def test_without_agents_the_answer_is_what_brute_force_finds(document: dict[str, Any]) -> None:
    agrees_with_brute_force(document)


@MANY
@given(documents(agents=True))
def test_with_agents_the_answer_is_what_brute_force_finds(document: dict[str, Any]) -> None:
    agrees_with_brute_force(document)


@given(BOTH)
def test_the_solver_alone_finds_the_same_as_with_repair_before_it(document: dict[str, Any]) -> None:
    agrees_with_brute_force(document, budget=Budget(repair_steps=0, ejections=0, placing_steps=0))


def agrees_with_brute_force(document: dict[str, Any], *, budget: Budget = DEFAULT) -> None:
    instance = parse_instance(document)
    oracle = Oracle(instance)
    result = solve(instance, explain=True, budget=budget)
    assert set(result.stranded) == oracle.stranded
    assert violations(instance, result.assignment, stranded=result.stranded) == []
    for query, answer in zip(instance.queries, result.answers, strict=True):
        assert list(zip(map(minute_of, answer.starts), answer.remaining, strict=True)) == list(
            oracle.offered(query).items()
        )
        assert [s.utcoffset() for s in answer.starts] == [
            s.astimezone(instance.zone).utcoffset() for s in answer.starts
        ]
        assert len(set(answer.starts)) == len(answer.starts)
        counted = {(why.date, why.code): why.starts for why in answer.why if why.starts}
        assert counted == oracle.why(query)
    assert result.undecided == 0


@given(BOTH, st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_no_start(document: dict[str, Any], order: random.Random) -> None:
    expected = solve(parse_instance(document))
    shuffled = dict(document)
    for part in ("counters", "reasons", "closures", "openings", *(["agents"] if "agents" in document else [])):
        shuffled[part] = order.sample(document[part], len(document[part]))
    if not expected.stranded:  # who is stranded does depend on the appointments' order, and so may what is free then
        shuffled["appointments"] = order.sample(document["appointments"], len(document["appointments"]))
    found = solve(parse_instance(shuffled))
    without_replacing = [at for at, query in enumerate(document["queries"]) if query["replacing"] is None]
    assert [found.answers[at] for at in without_replacing] == [expected.answers[at] for at in without_replacing]
    assert set(found.stranded) == set(expected.stranded)


@given(BOTH)
def test_the_same_document_gets_the_same_answer_twice(document: dict[str, Any]) -> None:
    assert solve(parse_instance(document), explain=True) == solve(parse_instance(document), explain=True)


@pytest.mark.parametrize("explain", [True, False])
def test_an_office_without_anything_offers_nothing(*, explain: bool) -> None:
    empty = parse_instance(
        {
            "format": "rdv-instance/1",
            "time_zone": "Europe/Paris",
            "now": "2027-03-01T08:00:00+01:00",
            "reasons": [{"id": "r", "duration_minutes": 30}],
            "queries": [{"reason": "r", "from": "2027-03-01", "to": "2027-03-01"}],
        }
    )
    (answer,) = solve(empty, explain=explain).answers
    assert answer == Answer(starts=(), remaining=(), why=answer.why)
    assert [(why.code, why.starts) for why in answer.why] == ([("CLOSED", 0)] if explain else [])
