"""Small offices for tests, written through the models: what a test needs and nothing more."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlmodel import SQLModel

from rdv.integrations.directories.folding import folded
from rdv.models.database import Database
from rdv.models.national import Commune, Competence
from rdv.models.offices import Agent, Counter, Office, Site
from rdv.models.planning import Opening
from rdv.models.reasons import Reason

NOW = datetime(2027, 3, 1, 7, 0, tzinfo=UTC)  # Monday 1 March 2027, 08:00 in Paris
WORKDAYS = [1, 2, 3, 4, 5]


@dataclass
class Place:
    """Ids of what was written, by name."""

    office: int
    code: str
    reasons: dict[str, int] = field(default_factory=dict)
    counters: list[int] = field(default_factory=list)
    agents: list[int] = field(default_factory=list)


async def add(database: Database, *rows: SQLModel) -> list[int]:
    """Write rows and return their ids, in order."""
    found = []
    async with database.transaction() as connection:
        for row in rows:
            table = type(row).__table__  # type: ignore[attr-defined]
            given = {
                n: value for n, value in row.model_dump().items() if value is not None or n in row.model_fields_set
            }
            result = await connection.execute(table.insert().values(**given))
            found.append(int(result.inserted_primary_key[-1]) if "id" in table.c else 0)
    return found


async def add_reasons(database: Database) -> dict[str, int]:
    """Write a tree: income > declare (30 minutes), correct (15); land > survey (45, two agents); company > vat."""
    common: dict[str, Any] = {"office_kinds": ["SIP"], "modalities": ["IN_PERSON", "PHONE"]}
    income, land, company = await add(
        database,
        Reason(code="income", labels={"fr": "Mes revenus", "en": "My income"}, level=1, **common),
        Reason(code="land", labels={"fr": "Foncier", "en": "Land"}, level=1, position=1, **common),
        Reason(
            code="company",
            labels={"fr": "Mon entreprise", "en": "My company"},
            level=1,
            position=2,
            audience="BUSINESS",
            **common | {"office_kinds": ["SIE"]},
        ),
    )
    leaf: dict[str, Any] = {"level": 2, "bookable": True}
    declare, correct, survey, vat = await add(
        database,
        Reason(code="declare", labels={"fr": "Déclarer", "en": "Declare"}, parent_id=income, **leaf, **common),
        Reason(
            code="correct",
            labels={"fr": "Corriger", "en": "Correct"},
            parent_id=income,
            position=1,
            duration_minutes=15,
            **leaf,
            **common | {"modalities": ["IN_PERSON", "PHONE", "VIDEO"]},
        ),
        Reason(
            code="survey",
            labels={"fr": "Cadastre", "en": "Survey"},
            parent_id=land,
            duration_minutes=45,
            agents_required=2,
            **leaf,
            **common,
        ),
        Reason(
            code="vat",
            labels={"fr": "TVA", "en": "VAT"},
            parent_id=company,
            audience="BUSINESS",
            **leaf,
            **common | {"office_kinds": ["SIE"]},
        ),
    )
    ids = (income, land, company, declare, correct, survey, vat)
    return dict(zip(("income", "land", "company", "declare", "correct", "survey", "vat"), ids, strict=True))


async def add_office(
    database: Database,
    *,
    code: str = "sip-75101-01",
    counters: int = 1,
    reasons: dict[str, int] | None = None,
    hours: tuple[int, int] = (9 * 60, 12 * 60),
    agents: int = 0,
    at: tuple[float, float] = (48.8566, 2.3522),
    **columns: Any,
) -> Place:
    """Write an office in Paris that is open on workdays, with counters that take everything."""
    known = await add_reasons(database) if reasons is None else reasons
    (site,) = await add(
        database,
        Site(
            address_lines=["13 rue de la Banque"],
            postcode="75002",
            commune_code="75102",
            commune_name="Paris",
            latitude=at[0],
            longitude=at[1],
        ),
    )
    given: dict[str, Any] = {
        "name": f"SIP {code}",
        "kind": "SIP",
        "departement": "75",
        "time_zone": "Europe/Paris",
        "open_to_booking": True,
        "min_lead_minutes": 0,
        "staffed": agents > 0,
    } | columns
    (office,) = await add(database, Office(code=code, site_id=site, **given))
    await add(database, Opening(office_id=office, weekdays=WORKDAYS, start_minute=hours[0], end_minute=hours[1]))
    made = await add(database, *(Counter(office_id=office, label=f"Guichet {n + 1}") for n in range(counters)))
    people = await add(database, *(Agent(office_id=office, display_name=f"Agent {n + 1}") for n in range(agents)))
    return Place(office=office, code=code, reasons=known, counters=made, agents=people)


async def add_specialists(database: Database, place: Place, count: int = 20) -> None:
    """Give an office agents who can each do one or two of three things, for seven hours a week: hard to plan."""
    skills = [place.reasons[name] for name in ("declare", "correct", "survey")]
    for number in range(count):
        able = [skills[number % 3], skills[(number + number // 3) % 3]]
        row = Agent(office_id=place.office, display_name=f"A{number}", most_minutes_a_week=420, reason_ids=able)
        await add(database, row)


async def add_commune(database: Database, code: str, name: str, postcodes: list[str], competent: int | None) -> None:
    """Write a commune and the SIP that is competent for it."""
    row = Commune(code=code, name=name, search_name=folded(name), departement=code[:2], postcodes=postcodes)
    row.latitude, row.longitude = 48.86, 2.35
    await add(database, row)
    if competent is not None:
        await add(database, Competence(commune_code=code, kind="SIP", office_id=competent, distance_km=0.4))
