import struct

import pytest

from rdv.models import packed

ROW = struct.Struct(">8q3h?i")


def row(**given: int) -> bytes:
    columns = {
        "id": 1,
        "reason": 2,
        "counter": 3,
        "created_at": 0,
        "expires_at": 2**63 - 1,
        "starts_at": 0,
        "ends_at": 30 * 60_000_000,
        "occupied_until": 35 * 60_000_000,
        "status": 2,
        "channel": 1,
        "modality": 1,
        "pinned": 0,
        "day": 0,
    }
    return ROW.pack(*(columns | given).values())


def test_no_appointments_are_no_rows() -> None:
    assert list(packed.listed(None, None).columns) == []


def test_appointments_come_in_the_order_they_were_made_then_of_their_numbers() -> None:
    rows = row(id=9, created_at=5) + row(id=8, created_at=7) + row(id=7, created_at=5)
    assert [a.id for a in packed.listed(rows, None).columns] == ["7", "9", "8"]


def test_everybody_keeps_the_agents_who_serve_them() -> None:
    served_by = b"".join(struct.pack(">2q", *pair) for pair in ((8, 4), (7, 5), (8, 3)))
    found = packed.listed(row(id=9) + row(id=8) + row(id=7), served_by).columns
    assert {a.id: a.agents for a in found} == {"7": ("5",), "8": ("3", "4"), "9": ()}


@pytest.mark.parametrize("column", ["status", "channel", "modality"])
def test_a_name_the_product_does_not_know_is_refused(column: str) -> None:
    with pytest.raises(ValueError, match="unknown"):
        packed.listed(row(**{column: 0}), None)
