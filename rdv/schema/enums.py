"""The enumerations of the schema: the engine's and usecases' own, described for callers."""

from enum import Enum
from typing import Any

import strawberry

from rdv.engine.values import Channel, Modality
from rdv.engine.values import Status as AppointmentStatus

__all__ = ["AppointmentStatus", "Audience", "Channel", "Modality", "SlotPolicy", "described"]


def described(kind: type[Enum], description: str, *, name: str | None = None, **values: str) -> None:
    """Show an enumeration in the schema, with a description for it and one for each of its values."""
    strawberry.enum(kind, name=name, description=description)
    definition: Any = kind.__strawberry_definition__  # type: ignore[attr-defined]  # `strawberry.enum` puts it there
    for one in definition.values:
        one.description = values.pop(one.name)
    if values:
        raise TypeError(f"{kind.__name__} has no {', '.join(values)}")


class Audience(Enum):
    INDIVIDUAL = "INDIVIDUAL"
    BUSINESS = "BUSINESS"


class SlotPolicy(Enum):
    ALL = "ALL"
    COMPACT = "COMPACT"


described(
    Channel,
    "Where a booking comes from.",
    INTERNET="By the usager themselves.",
    CONTACT_CENTRE="By an agent of a contact centre, for usagers of any office.",
    OFFICE="By an agent of the office.",
)
described(
    Modality,
    "How the usager is received.",
    IN_PERSON="At a counter of the office.",
    PHONE="They are called at the number they gave.",
    VIDEO="They meet an agent by video.",
)
described(
    AppointmentStatus,
    "What has become of an appointment.",
    name="AppointmentStatus",
    HELD="Reserved for a few minutes, while a form is filled.",
    BOOKED="Made, and still to come.",
    ARRIVED="The usager is there and waits.",
    IN_PROGRESS="The usager is being received.",
    DONE="The usager has been received.",
    NO_SHOW="The usager did not come.",
    CANCELLED="Given up; its time is free.",
)
described(
    Audience,
    "Whom a reason concerns.",
    INDIVIDUAL="Citizens.",
    BUSINESS="Companies and the self-employed.",
)
described(
    SlotPolicy,
    "Which of the feasible starts an office offers.",
    ALL="Every start that can be honoured.",
    COMPACT="Those that leave few gaps too short to be used.",
)
