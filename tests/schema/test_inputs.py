"""An input of leaves is what Strawberry's own conversion makes of the same values."""

from dataclasses import fields
from datetime import date
from typing import Any
from unittest.mock import Mock

import pytest
from graphql import GraphQLInputObjectType, build_schema, get_nullable_type, is_leaf_type
from strawberry.types.arguments import convert_argument

from rdv.engine.values import Channel, Modality
from rdv.schema import printed
from rdv.schema.build import build
from rdv.schema.slots import SlotsInput

LEAST: dict[str, Any] = {"officeId": "1", "reasonId": "2", "from": date(2027, 3, 1), "to": date(2027, 3, 2)}


def test_all_its_fields_are_leaves() -> None:
    kind = build_schema(printed()).type_map["SlotsInput"]
    assert isinstance(kind, GraphQLInputObjectType)
    assert all(is_leaf_type(get_nullable_type(field.type)) for field in kind.fields.values())
    assert len(kind.fields) == len(fields(SlotsInput))


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"modality": None, "channel": None, "replacing": None, "accessCode": None},
        {"modality": Modality.PHONE, "channel": Channel.OFFICE, "replacing": "X", "accessCode": "Y"},
    ],
)
def test_it_is_made_as_strawberry_makes_it(more: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    schema = build()

    def converted() -> Any:
        return convert_argument(LEAST | more, SlotsInput, schema.schema_converter.scalar_registry, schema.config)

    definition: Any = SlotsInput.__strawberry_definition__  # type: ignore[attr-defined]  # Strawberry's
    hook = Mock(wraps=definition.from_input)
    monkeypatch.setattr(definition, "from_input", hook)
    fast = converted()
    hook.assert_called_once()
    monkeypatch.setattr(definition, "from_input", None)
    assert fast == converted()
    assert isinstance(fast, SlotsInput)
