"""Kinds of fields that several directories share, checked once."""

import re
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

_POSTCODE = re.compile(r"[0-9]{5}")
_COMMUNE = re.compile(r"(?:[0-9]{2}|2[AB])[0-9]{3}")

# The kinds of tax offices, by the name the directory gives them (`pivot.type_service_local`, and the ids' beginning).
KINDS = {
    "sip": "SIP",
    "sie": "SIE",
    "tresorerie": "TRESORERIE",
    "hypotheque": "SPF",
    "centre_impots_fonciers": "CDIF",
    "conciliateur_fiscal": "CONCILIATEUR_FISCAL",
    "paierie_departementale": "PAIERIE_DEPARTEMENTALE",
    "paierie_regionale": "PAIERIE_REGIONALE",
    "sde": "SDE",
    "prs": "PRS",
    "cadastre": "CADASTRE",
}


class Imported(BaseModel):
    """A row that came in: frozen, and nothing in it that the model does not name."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _known_kind(value: str) -> str:
    if value not in KINDS.values():
        raise ValueError(f"{value or 'nothing'} is no kind of office")
    return value


def _known_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{value or 'nothing'} is no time zone") from None
    return value


def _postcode(value: str) -> str:
    if not _POSTCODE.fullmatch(value):
        raise ValueError(f"{value!r} is not a postcode of 5 digits")
    return value


def _commune_code(value: str) -> str:
    if not _COMMUNE.fullmatch(value):
        raise ValueError(f"{value!r} is no code of a commune")
    return value


def _nothing(value: object) -> object:
    return None if value == "" else value


Name = Annotated[str, Field(min_length=1, max_length=300)]
Code = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[A-Za-z0-9_.:-]+$")]
Kind = Annotated[str, AfterValidator(_known_kind)]
TimeZone = Annotated[str, AfterValidator(_known_zone)]
Postcode = Annotated[str, AfterValidator(_postcode)]
CommuneCode = Annotated[str, AfterValidator(_commune_code)]
Latitude = Annotated[float | None, Field(ge=-90, le=90), BeforeValidator(_nothing)]
Longitude = Annotated[float | None, Field(ge=-180, le=180), BeforeValidator(_nothing)]
Optional = Annotated[str | None, Field(max_length=300), BeforeValidator(_nothing)]
