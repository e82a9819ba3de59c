"""Offices at one address share a site: the same postcode, commune and folded address lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rdv.integrations.directories.folding import folded
from rdv.integrations.directories.offices import Communes, ImportedOffice
from rdv.models.database import Connection
from rdv.models.imports import KnownOffice, SiteRow, known_sites, new_site_ids

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The site of each office by its code, and the sites as they have to be."""

    site_of: Mapping[str, int]
    sites: tuple[SiteRow, ...]


async def place(
    connection: Connection, offices: Sequence[ImportedOffice], known: Mapping[str, KnownOffice], communes: Communes
) -> Placed:
    """Find or make the site of each office."""
    sites_there = await known_sites(connection)
    taken = {site.id: site for site in sites_there}
    ids = {_key(site.postcode, site.commune_code, site.address_lines): site.id for site in reversed(sites_there)}
    # Without an address a site is one office's own.
    ids |= {(there.code,): there.site_id for there in known.values() if not taken[there.site_id].address_lines}
    keys = [_key_of(office) for office in offices]
    missing = list(dict.fromkeys(key for key in keys if key not in ids))
    ids |= dict(zip(missing, await new_site_ids(connection, len(missing)), strict=True))
    sites: dict[int, SiteRow] = {}
    for office, key in sorted(zip(offices, keys, strict=True), key=lambda pair: pair[0].code):
        row = _site(ids[key], office, communes)
        before = sites.get(row.id) or taken.get(row.id)
        sites[row.id] = _merged(sites.get(row.id, row), row, before)
    site_of = {office.code: ids[key] for office, key in zip(offices, keys, strict=True)}
    return Placed(site_of=site_of, sites=tuple(sites.values()))


def _key(postcode: str, commune_code: str, lines: Sequence[str]) -> Key:
    return (postcode, commune_code, folded(" ".join(lines)))


def _key_of(office: ImportedOffice) -> Key:
    if not office.address_lines:
        return (office.code,)
    return _key(office.postcode, office.commune_code, office.address_lines)


def _site(number: int, office: ImportedOffice, communes: Communes) -> SiteRow:
    return SiteRow(
        id=number,
        address_lines=office.address_lines,
        postcode=office.postcode,
        commune_code=office.commune_code,
        commune_name=communes[office.commune_code].name,
        latitude=office.latitude,
        longitude=office.longitude,
    )


def _merged(first: SiteRow, row: SiteRow, before: SiteRow | None) -> SiteRow:
    """The first office's description counts; coordinates come from the first that has any, known ones stay."""
    for other in (row, before):
        if first.latitude is None and other is not None:
            first = replace(first, latitude=other.latitude, longitude=other.longitude)
    return first
