"""What a usager writes about themselves, in one form."""

import pytest

from rdv.errors import InvalidInput
from rdv.models.usagers import UsagerDetails
from rdv.usecases.usager_input import UsagerRequest, checked_text, checked_usager


def checked(**given: str | None) -> UsagerDetails:
    names = {"first_name": "Camille", "last_name": "Exemple"}
    return checked_usager(UsagerRequest(**names | given), phone_needed=False)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "written", "kept"),
    [
        ("first_name", "  Zoë-Anne d’Été ", "Zoë-Anne d’Été"),
        ("last_name", "محمد", "محمد"),
        ("last_name", "x" * 100, "x" * 100),
        ("email", " Camille@EXAMPLE.org ", "Camille@example.org"),
        ("email", "", None),
        ("phone", "06 39 98 12 34", "+33639981234"),
        ("phone", "01 42 60 33 44", "+33142603344"),
        ("phone", "+687 26 56 00", "+687265600"),
        ("phone", " ", None),
        ("tax_number", "30 23 217 600 053", "3023217600053"),
        ("tax_number", None, None),
        ("company_number", "732 829 320", "732829320"),
        ("company_number", "73282932000074", "73282932000074"),
        ("locale", None, "fr"),
        ("locale", "en-GB", "en"),
        ("locale", "FR_ca", "fr"),
    ],
)
def test_a_value_is_kept_in_its_one_form(field: str, written: str | None, kept: str | None) -> None:
    assert getattr(checked(**{field: written}), field) == kept


def test_a_refusal_names_the_field_and_never_the_value() -> None:
    with pytest.raises(InvalidInput) as caught:
        checked(email="camille.secret@")
    assert caught.value.field == "usager.email"
    assert "secret" not in str(caught.value)


def test_a_phone_number_is_needed_where_it_is_called() -> None:
    with pytest.raises(InvalidInput) as caught:
        checked_usager(UsagerRequest(first_name="C", last_name="E"), phone_needed=True)
    assert caught.value.field == "usager.phone"


def test_a_free_text_keeps_its_lines_and_refuses_what_cannot_be_written() -> None:
    assert checked_text("why", " a\nb\t ", 10) == "a\nb"
    assert checked_text("why", "  ", 10) is None
    assert checked_text("why", "x" * 10, 10) == "x" * 10
    for bad in ("x" * 11, "a\0", "a\x07", "a\ud800", "a\u202eb", "\u2066a"):
        with pytest.raises(InvalidInput):
            checked_text("why", bad, 10)
