"""Statements find what they want by an index made for it: none looks through the country, or an office's past."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import text

from rdv.models import appointment_pages, bookings, delegation, drafts, national_reads, planning_reads, tidying, usagers
from rdv.models.database import Database

NOW, DAY = datetime(2027, 3, 1, 8, tzinfo=UTC), date(2027, 3, 1)
BOUND: dict[str, Any] = {
    **dict.fromkeys(("subject", "email", "phone", "tax_number", "company_number"), "x"),
    "office": 1,
    "days": [DAY],
    "day": DAY,
    "today": DAY,
    "first": DAY,
    "last": DAY,
    "now": NOW,
    "reasons": [1],
    "ids": [1],
    "departement": "75",
    "zone": "Europe/Paris",
    "begins": "par",
    "at_most": 5,
    "before": NOW,
    "batch": 5,
    "offices": [1],
    "usagers": [1],
    "whose": [1],
    "where": [1],
    "start": NOW,
    "id": 1,
}
OF_OFFICE_DAY = "appointment_of_office_day"
WANTED = {
    "a person": (usagers.PERSON, {"usager_subject_key", "usager_email", "usager_phone", "usager_tax_number"}),
    "holds that are over": (bookings.SWEEP, {"appointment_held"}),
    "what an office and others for it have": (delegation.SHARES, {OF_OFFICE_DAY}),
    "what became of what was handed over": (delegation.MADE, {"appointment_of_delegation"}),
    "the last day somebody is expected": (planning_reads.LAST_DAY, {OF_OFFICE_DAY}),
    "offices that expect somebody": (planning_reads.EXPECTING, {OF_OFFICE_DAY}),
    "who came": (drafts.VISITS, {OF_OFFICE_DAY}),
    "whom offices expect": (appointment_pages.OF_OFFICES, {OF_OFFICE_DAY}),
    "how many they expect": (appointment_pages.COUNT_OF_OFFICES, {OF_OFFICE_DAY}),
    "what usagers have": (appointment_pages.OF_USAGERS, {"ix_appointment_usager_id"}),
    "how much they have": (appointment_pages.COUNT_OF_USAGERS, {"ix_appointment_usager_id"}),
    "keys that are old": (tidying.KEYS, {"idempotency_key_created"}),
    "holds that came to nothing": (tidying.HOLDS, {"ix_appointment_usager_id"}),
    "communes by name": (national_reads.COMMUNES_BY_NAME, {"commune_search_name"}),
}


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a plan and everything under it."""
    return [plan, *(node for part in plan.get("Plans", ()) for node in nodes(part))]


@pytest.mark.parametrize("what", WANTED)
async def test_an_index_finds(database: Database, what: str) -> None:
    statement, wanted = WANTED[what]
    async with database.transaction() as connection:
        await connection.execute(text("set local enable_seqscan = off"))  # a small table is looked through as a rule
        bound = {name: value for name, value in BOUND.items() if f":{name}" in statement}
        (told,) = (await connection.execute(text(f"explain (format json) {statement}"), bound)).scalar_one()
    found = nodes(told["Plan"])
    assert wanted <= {node.get("Index Name") for node in found}
    through = {node.get("Relation Name") for node in found if node["Node Type"] == "Seq Scan"}
    assert not through & {"appointment", "usager", "commune"}
