import pytest

from rdv.integrations.directories.folding import folded


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("L'Haÿ-les-Roses", "l hay les roses"),
        ("ST ÉTIENNE", "saint etienne"),
        ("St-Étienne", "saint etienne"),
        ("Ste Marie", "sainte marie"),
        ("Stains", "stains"),
        ("Saint’Œuvre  sur–Mer", "saint oeuvre sur mer"),
        ("", ""),
    ],
)
def test_one_spelling_for_many(text: str, expected: str) -> None:
    assert folded(text) == expected


def test_folding_twice_changes_nothing_more() -> None:
    assert folded(folded("Saint-Ouen-l'Aumône (95)")) == folded("Saint-Ouen-l'Aumône (95)")
