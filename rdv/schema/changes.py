"""Changing an office: what every such mutation takes and answers, and how an input becomes a change.

An input class is both: the arguments of its own mutation (with the office and the options) and, without these, a member
of `PlanningChangeInput`, the form in which several changes are previewed and published together.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Annotated, Any

import strawberry
from strawberry.schema.name_converter import NameConverter
from strawberry.types.base import StrawberryList, StrawberryOptional, has_object_definition

from rdv.schema.appointments import Appointment, appointments
from rdv.schema.context import Info
from rdv.schema.gateway import ENGINE, STAFF
from rdv.schema.mutations import or_problem
from rdv.schema.offices import Office
from rdv.schema.problems import IdempotencyConflict, InvalidInput, NotAllowed, NotFound, VersionConflict, WouldStrand
from rdv.schema.scalars import LocalTime, clock
from rdv.usecases import changing
from rdv.usecases.changing import Change, ChangeRequest

KEY = "Repeating a request with the same key and body gives the same answer; keys must not be guessable."


@strawberry.input(description="Which office is changed, and how far the caller goes.")
class OfficeChange:
    office_id: strawberry.ID = strawberry.field(description="The office that is changed.")
    version: str | None = strawberry.field(
        default=None, description="The version the caller has seen: refused when the office was changed meanwhile."
    )
    accept_stranded: bool | None = strawberry.field(
        default=False, description="Go on although appointments lose their place; they are listed to be called back."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="The office is changed.")
class PlanningChanged:
    office: Office = strawberry.field(description="The office as it is now.")
    revision: int = strawberry.field(description="The number of the change in the office's history.")
    version: str = strawberry.field(description="The office's version now.")
    made_ids: list[strawberry.ID] = strawberry.field(description="Ids of what was made, in the order of the changes.")
    moved: int = strawberry.field(description="How many appointments got another counter or agent at their time.")
    stranded_ids: strawberry.Private[tuple[int, ...]]
    placed_again_ids: strawberry.Private[tuple[int, ...]]

    @strawberry.field(description="Appointments that lost their place, in order of time: somebody has to call.")
    async def stranded(self, info: Info) -> list[Appointment]:
        return await appointments(info.context, self.stranded_ids)

    @strawberry.field(description="Appointments that had lost their place before and have one again.")
    async def placed_again(self, info: Info) -> list[Appointment]:
        return await appointments(info.context, self.placed_again_ids)


PlanningChangeResult = Annotated[
    PlanningChanged | WouldStrand | VersionConflict | InvalidInput | NotAllowed | NotFound | IdempotencyConflict,
    strawberry.union("PlanningChangeResult", description="The changed office, or why nothing was changed."),
]

_CHANGES: dict[type, type[Change]] = {}
NAMES = NameConverter()


def change_input(change: type[Change], description: str) -> Callable[[type], type]:
    """Make a class an input that stands for a change: its fields are those of the change, by name."""

    def decorated(cls: type) -> type:
        made = strawberry.input(cls, description=description)
        if {one.name for one in fields(made)} != {one.name for one in fields(change)}:
            raise TypeError(f"{cls.__name__} has other fields than {change.__name__}")
        if both := {one.name for one in fields(made)} & {one.name for one in fields(OfficeChange)}:
            raise TypeError(f"{cls.__name__} has fields of its mutation's own: {both}")
        _CHANGES[made] = change
        return made

    return decorated


def change_of(given: Any) -> Change:  # noqa: ANN401 - an instance of any of the input classes
    """Return the change an input stands for; null stands for the change's own default."""
    change = next(_CHANGES[base] for base in type(given).__mro__ if base in _CHANGES)
    values = {}
    for one in fields(change):
        value = getattr(given, one.name)
        if value is None and one.default is not MISSING:
            value = one.default
        values[one.name] = [_value(each) for each in value] if isinstance(value, list) else value
    return change(**values)


def _value(given: Any) -> Any:  # noqa: ANN401 - a scalar, or an input that stands for a value of the use case
    return given.value() if hasattr(given, "value") and callable(given.value) else given


def as_given(code: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a change of the history said, as its input takes it."""
    return _as_input(
        next((one for one, change in _CHANGES.items() if getattr(change, "code", None) == code), None), said
    )


def _as_input(kind: Any, said: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - an input class, or none any more
    if kind is None:
        return {NAMES.apply_naming_config(name): value for name, value in said.items() if name != "code"}
    definition = kind.__strawberry_definition__
    return {
        NAMES.from_field(one): _shown(one.type, said[one.python_name])
        for one in definition.fields
        if one.python_name in said
    }


def _shown(kind: Any, value: Any) -> Any:  # noqa: ANN401 - any type of an input, and JSON
    while isinstance(kind, StrawberryOptional):
        kind = kind.of_type
    if value is None:
        return None
    if isinstance(kind, StrawberryList):
        return [_shown(kind.of_type, one) for one in value]
    if kind is LocalTime:
        return clock(value)
    return _as_input(kind, value) if has_object_definition(kind) else value


def change_mutation(given: type, name: str, description: str) -> Any:  # noqa: ANN401 - a field of any mutation
    """Return the mutation that makes one change; its input is named after it."""
    own = strawberry.input(type(f"{name}Input", (given, OfficeChange), {}), description=description)

    async def resolve(info: Info, input: Any) -> Any:  # noqa: ANN401 - annotated below
        request = ChangeRequest(
            office_id=input.office_id,
            changes=[change_of(input)],
            version=input.version,
            accept_stranded=bool(input.accept_stranded),
            idempotency_key=input.idempotency_key,
        )
        return await or_problem(info, lambda: changed(info, request))

    resolve.__annotations__ |= {"input": own, "return": PlanningChangeResult}
    return strawberry.federation.mutation(
        resolver=resolve, description=description, requires_scopes=STAFF, directives=[ENGINE]
    )


async def changed(info: Info, request: ChangeRequest) -> PlanningChanged:
    """Make changes and say what has become of the office."""
    context = info.context
    return planning_changed(await changing.apply(context.services, context.viewer, request))


def planning_changed(done: changing.Changed) -> PlanningChanged:
    """Return what has become of an office."""
    return PlanningChanged(
        office=Office(record=done.office),
        revision=done.revision,
        version=done.version,
        made_ids=[strawberry.ID(str(one)) for one in done.made],
        moved=done.moved,
        stranded_ids=done.stranded,
        placed_again_ids=done.placed_again,
    )
