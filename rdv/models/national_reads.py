"""Communes and competence, as a usager's address needs them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class CommuneRecord:
    """A commune of the official code."""

    code: str
    name: str
    departement: str
    postcodes: tuple[str, ...]
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompetentOffice:
    """An office that is competent for a commune, by kind."""

    office_id: int
    kind: str
    distance_km: float | None


_COLUMNS = "code, name, departement, postcodes, latitude, longitude"

# The communes with some codes.
COMMUNES_BY_CODE = f"select {_COLUMNS} from commune where code = any(:codes) order by code"

# The communes that share a postcode, the largest first; a city whose arrondissements have the postcode is left out.
COMMUNES_BY_POSTCODE = f"""
select {_COLUMNS} from commune c where postcodes @> array[cast(:postcode as text)]
  and not exists (select 1 from commune part where part.postcodes @> array[cast(:postcode as text)]
                  and part.code <> c.code and part.postcodes <@ c.postcodes and part.name like c.name || ' %')
order by population desc, code
"""

# Communes whose folded name begins with a text, the largest first.
COMMUNES_BY_NAME = f"""
select {_COLUMNS} from commune where search_name like cast(:begins as text) || '%'
order by population desc, code limit :at_most
"""

# The offices competent for a commune, of some kinds.
COMPETENT = """
select office_id, kind, distance_km from competence
where commune_code = :commune and kind = any(:kinds) order by distance_km nulls last, office_id
"""


async def communes_by_code(connection: AsyncConnection, codes: Sequence[str]) -> list[CommuneRecord]:
    """Return the known ones of the communes."""
    return await _communes(connection, COMMUNES_BY_CODE, codes=list(codes))


async def communes_by_postcode(connection: AsyncConnection, postcode: str) -> list[CommuneRecord]:
    """Return the communes that share a postcode; of a city with arrondissements only these."""
    return await _communes(connection, COMMUNES_BY_POSTCODE, postcode=postcode)


async def communes_by_name(connection: AsyncConnection, begins: str, at_most: int) -> list[CommuneRecord]:
    """Return communes whose folded name begins with a folded text."""
    escaped = begins.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return await _communes(connection, COMMUNES_BY_NAME, begins=escaped, at_most=at_most)


async def competent_offices(connection: AsyncConnection, commune: str, kinds: Sequence[str]) -> list[CompetentOffice]:
    """Return the offices competent for a commune, nearest first."""
    rows = await connection.execute(text(COMPETENT), {"commune": commune, "kinds": list(kinds)})
    return [CompetentOffice(office_id=row.office_id, kind=row.kind, distance_km=row.distance_km) for row in rows]


async def _communes(connection: AsyncConnection, statement: str, **bound: object) -> list[CommuneRecord]:
    return [
        CommuneRecord(
            code=row.code,
            name=row.name,
            departement=row.departement,
            postcodes=tuple(row.postcodes),
            latitude=row.latitude,
            longitude=row.longitude,
        )
        for row in await connection.execute(text(statement), bound)
    ]
