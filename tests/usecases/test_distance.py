import pytest

from rdv.errors import NotFound
from rdv.usecases.earliest import distance_km
from rdv.usecases.offices import id_from

PARIS, LYON, NOUMEA = (48.8566, 2.3522), (45.764, 4.8357), (-22.2758, 166.458)


@pytest.mark.parametrize(
    ("one", "other", "km"),
    [
        (PARIS, PARIS, 0.0),
        (PARIS, LYON, 391.5),
        (LYON, PARIS, 391.5),
        (PARIS, NOUMEA, 16743.5),
        ((0.0, 0.0), (0.0, 180.0), 20015.1),
        ((90.0, 0.0), (-90.0, 0.0), 20015.1),
        ((0.0, 179.9), (0.0, -179.9), 22.2),
        (None, PARIS, None),
        (PARIS, (None, None), None),
        ((48.0, None), PARIS, None),
    ],
)
def test_a_distance_is_measured_on_the_globe(
    one: tuple[float, float] | None, other: tuple[float, float], km: float | None
) -> None:
    assert distance_km(one, other) == km


def test_an_id_is_a_number_as_the_database_writes_it() -> None:
    assert (id_from("0", field="id"), id_from("42", field="id"), id_from(str(2**63 - 1), field="id")) == (
        0,
        42,
        2**63 - 1,
    )
    for text in ("", "-1", "+1", "1.0", "007", "1 ", "1\n", "x", "٣", "²", str(2**63), "9" * 5000):
        with pytest.raises(NotFound):
            id_from(text, field="id")
