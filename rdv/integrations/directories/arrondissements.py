"""Paris, Lyon and Marseille: the city and its arrondissements are communes of their own, and tables name some of them.

A postcode of these cities means an arrondissement, so one that a table of competence leaves out would lead nowhere:

* a table that names the city speaks for the arrondissements it does not name;
* in one that names arrondissements only, the first of them speaks for what has no office yet.
"""

from collections.abc import Collection, Iterator, Sequence

from rdv.integrations.directories.competence import ImportedCompetence

# The official codes, by those of the cities.
CITIES = {
    "75056": tuple(str(code) for code in range(75101, 75121)),
    "69123": tuple(str(code) for code in range(69381, 69390)),
    "13055": tuple(str(code) for code in range(13201, 13217)),
}
CITY_CODES = frozenset(code for city, parts in CITIES.items() for code in (city, *parts))

Numbered = tuple[int, ImportedCompetence]


def spread_over_cities(
    rows: Sequence[Numbered], communes: Collection[str], served: Collection[tuple[str, str]]
) -> list[Numbered]:
    """Return the rows to be added, with the line they follow; `served` holds the (commune, kind) known before."""
    named = {(row.commune_code, row.kind): (line, row) for line, row in rows if row.commune_code in CITY_CODES}
    added: list[Numbered] = []
    for city, parts in CITIES.items():
        for kind in sorted({kind for commune, kind in named if commune in (city, *parts)}):
            spoken = named.get((city, kind))
            line, row = spoken or next(named[part, kind] for part in parts if (part, kind) in named)
            silent = [code for code in (city, *parts) if (code, kind) not in named and code in communes]
            follow = [code for code in silent if spoken or (code, kind) not in served]
            added += [(line, row.model_copy(update={"commune_code": code, "distance_km": None})) for code in follow]
    return added


def remarks(added: Sequence[Numbered]) -> Iterator[tuple[int, str]]:
    """Say, once for each row that is followed, which communes follow it."""
    followers: dict[tuple[int, str, str], list[str]] = {}
    for line, row in added:
        followers.setdefault((line, row.kind, row.office_code), []).append(row.commune_code)
    for (line, kind, office), codes in followers.items():
        yield line, f"{kind}: {', '.join(codes)} not in the file, {office} taken as for the rest of the city"
