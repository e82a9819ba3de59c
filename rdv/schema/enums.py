"""The enumerations of the schema: the engine's and usecases' own, described for callers."""

from enum import Enum

import strawberry

from rdv.engine.values import Channel, Modality
from rdv.engine.values import Status as AppointmentStatus

__all__ = ["AppointmentStatus", "Audience", "Channel", "Modality", "SlotPolicy"]

strawberry.enum(Channel, description="Where a booking comes from.")
strawberry.enum(Modality, description="How the usager is received.")
strawberry.enum(
    AppointmentStatus,
    name="AppointmentStatus",
    description="What has become of an appointment. HELD: reserved while a form is filled.",
)


@strawberry.enum(description="Whom a reason concerns.")
class Audience(Enum):
    INDIVIDUAL = "INDIVIDUAL"
    BUSINESS = "BUSINESS"


@strawberry.enum(description="Which of the feasible starts an office offers.")
class SlotPolicy(Enum):
    ALL = strawberry.enum_value("ALL", description="Every start that can be honoured.")
    COMPACT = strawberry.enum_value("COMPACT", description="Those that leave few gaps too short to be used.")
