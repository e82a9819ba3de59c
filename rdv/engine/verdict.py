"""`rdv check`: the referee's verdict on an instance document as it stands, or on a result document made for it."""

from collections.abc import Mapping
from typing import Annotated, Any, BinaryIO, Literal, TextIO

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from rdv.engine.document import MalformedInstance, malformed, parse_instance
from rdv.engine.lines import parsed_json, read_document
from rdv.engine.referee import Violation, violations
from rdv.engine.values import Instance, Place


class _PlaceShape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    counter: str
    agents: list[str] = []


class _AnswerShape(BaseModel):
    model_config = ConfigDict(extra="forbid")

    starts: list[AwareDatetime]
    remaining: list[Annotated[int, Field(ge=1, strict=True)]]
    why: list[Any] = []


class _ResultShape(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: Literal["rdv-result/1"]
    results: list[_AnswerShape]
    stranded: list[str]
    assignment: dict[str, _PlaceShape]
    undecided: int = 0


def verdict(instance: Instance, result: object | None = None) -> list[Violation]:
    """Return every rule that is broken: by a result document, or without one by where the appointments stand now.

    Raises MalformedInstance, with a path in the result, when that is no `rdv-result/1` document.
    """
    if result is None:
        live = (a for a in instance.appointments if a.takes_room(instance.now))
        return violations(instance, {a.id: Place(a.counter, a.agents) for a in live if a.counter is not None})
    try:
        shape = _ResultShape.model_validate(result)
    except ValidationError as error:
        raise malformed(error) from None
    plan = {name: Place(place.counter, tuple(place.agents)) for name, place in shape.assignment.items()}
    return violations(instance, plan, stranded=shape.stranded) + _of_answers(instance, shape.results)


def _of_answers(instance: Instance, answers: list[_AnswerShape]) -> list[Violation]:
    """Judge the form of the answers; whether just the right starts are offered takes solving, not judging."""
    found = []
    if len(answers) != len(instance.queries):
        found.append(Violation("one_answer_per_query", "", f"{len(answers)} for {len(instance.queries)}"))
    for at, answer in enumerate(answers):
        if len(answer.starts) != len(answer.remaining):
            found.append(Violation("one_count_per_start", "", f"results[{at}]"))
        if answer.starts != sorted(set(answer.starts)):
            found.append(Violation("starts_ascend", "", f"results[{at}]"))
    return found


def run_check(file: BinaryIO, result: BinaryIO | None, out: BinaryIO, err: TextIO, *, as_json: bool) -> int:
    """Run `rdv check` on open streams: 0 when no rule is broken, 1 when one is, 2 when something is no document."""
    name = "FILE"
    try:
        instance = parse_instance(parsed_json(read_document(file)))
        name = "RESULT"
        found = verdict(instance, None if result is None else parsed_json(read_document(result)))
    except MalformedInstance as fault:
        err.write(f"rdv check: {name}: {fault}\n")
        return 2
    told = [orjson.dumps([_document(one) for one in found])] if as_json else [_line(one).encode() for one in found]
    out.writelines(line + b"\n" for line in told)
    out.flush()
    return 1 if found else 0


def _document(violation: Violation) -> Mapping[str, str]:
    return {"rule": violation.rule, "appointment": violation.appointment, "detail": violation.detail}


def _line(violation: Violation) -> str:
    parts = (violation.rule, violation.appointment, violation.detail)
    return " ".join(repr(part)[1:-1] for part in parts if part)
