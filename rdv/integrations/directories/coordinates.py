"""Whether an office's coordinates can be right, judged by the mairies of the communes.

An office is expected within 30 km of its commune's mairie. The remark says whether the nearest mairie of all is in
another département: if so the office is misplaced; if not, office and mairie contradict each other, and one of them is.
Where the mairie has no coordinates only the first can be said, and the départements' own mairies stand in.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rdv.integrations.directories.offices import Communes, ImportedOffice

NEAR_KM = 30.0
KM_PER_DEGREE = 111.195


def kilometres(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Return the distance of two points of one country, as on a flat map between them."""
    east = (longitude - other_longitude) * math.cos(math.radians((latitude + other_latitude) / 2))
    return math.hypot(latitude - other_latitude, east) * KM_PER_DEGREE


@dataclass(frozen=True, slots=True)
class _Mairie:
    departement: str
    latitude: float
    longitude: float


class Mairies:
    """Where the communes are."""

    def __init__(self, communes: Communes) -> None:
        self._by_code = {
            code: _Mairie(commune.departement, commune.latitude, commune.longitude)
            for code, commune in communes.items()
            if commune.latitude is not None and commune.longitude is not None
        }
        self._all = tuple(self._by_code.values())

    def doubt(self, office: ImportedOffice) -> str | None:
        """Return why the office's coordinates cannot be right, if so."""
        if office.latitude is None or office.longitude is None:
            return None
        at = (office.latitude, office.longitude)
        away = min((kilometres(*at, mairie.latitude, mairie.longitude) for mairie in self._near(office)), default=0.0)
        if away <= NEAR_KM:
            return None
        found = _nearest(at, self._all).departement
        if found != office.departement:
            return (
                f"{office.code}: coordinates {away:.0f} km from its commune, in {found} instead of {office.departement}"
            )
        if office.commune_code in self._by_code:
            return f"{office.code}: coordinates {away:.0f} km from its commune, although in {found}"
        return None

    def _near(self, office: ImportedOffice) -> Sequence[_Mairie]:
        own = self._by_code.get(office.commune_code)
        return [own] if own else [mairie for mairie in self._all if mairie.departement == office.departement]


def _nearest(at: tuple[float, float], mairies: Sequence[_Mairie]) -> _Mairie:
    return min(mairies, key=lambda mairie: kilometres(*at, mairie.latitude, mairie.longitude))
