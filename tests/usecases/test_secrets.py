"""References, codes and tokens: readable, derived, never told apart by time."""

import hmac

import pytest

from rdv.usecases.secrets import ALPHABET, Secrets, grouped, new_reference, normalised

SECRETS = Secrets("k" * 32)


def test_the_alphabet_has_thirty_two_characters_and_none_that_look_alike() -> None:
    assert len(set(ALPHABET)) == len(ALPHABET) == 32
    assert set("0O1I") & set(ALPHABET) == set()
    assert normalised(ALPHABET) == ALPHABET


def test_a_reference_is_twelve_characters_of_the_alphabet_and_never_the_same() -> None:
    made = {new_reference() for _ in range(1000)}
    assert len(made) == 1000
    assert {len(one) for one in made} == {12}
    assert set("".join(made)) == set(ALPHABET)


def test_codes_and_tokens_are_derived_from_reference_and_key_alone() -> None:
    assert SECRETS.access_code("K7M29XTQB4ZD") == "43ZP5-R8TUJ"
    assert Secrets("k" * 32).access_code("K7M29XTQB4ZD") == SECRETS.access_code("K7M29XTQB4ZD")
    assert Secrets("j" * 32).access_code("K7M29XTQB4ZD") != SECRETS.access_code("K7M29XTQB4ZD")
    assert SECRETS.access_code("K7M29XTQB4ZE") != SECRETS.access_code("K7M29XTQB4ZD")
    assert len(SECRETS.hold_token("K7M29XTQB4ZD")) == 43
    assert SECRETS.hold_token("K7M29XTQB4ZD") != SECRETS.sealed(SECRETS.hold_token("K7M29XTQB4ZD"))


def test_a_code_opens_what_was_sealed_with_it_however_it_is_typed() -> None:
    code = SECRETS.access_code("K7M29XTQB4ZD")
    sealed = SECRETS.sealed(normalised(code))
    assert code not in sealed
    for typed in (code, code.lower(), code.replace("-", ""), f"  {code[:3]} {code[3:]}\n"):
        assert SECRETS.opens(typed, sealed)
    for wrong in (code[:-1], code + "A", "", None, sealed, "é"):
        assert not SECRETS.opens(wrong, sealed)


@pytest.mark.parametrize(("code", "sealed"), [(None, None), ("", ""), ("-", None), ("", None), ("43ZP5-R8TUJ", None)])
def test_nothing_opens_nothing_and_the_comparison_is_made_all_the_same(
    code: str | None, sealed: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []
    compare = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append((len(a), len(b))) or compare(a, b))
    assert not SECRETS.opens(code, sealed)
    assert compared == [(64, 64)]


def test_references_are_grouped_for_reading_and_read_back() -> None:
    assert grouped("K7M29XTQB4ZD") == "K7M2-9XTQ-B4ZD"
    assert normalised(" k7m2-9xtq b4zd\0") == "K7M29XTQB4ZD"
    assert len(normalised("A" * 10_000)) == 100
