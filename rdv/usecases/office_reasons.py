"""What an office makes of a reason: whether it serves it, how long it takes, who and how it is received."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rdv.engine.values import Modality
from rdv.errors import InvalidInput
from rdv.models import rows
from rdv.models.reasons import OfficeReason
from rdv.usecases.access import Module
from rdv.usecases.changing import Ground
from rdv.usecases.offices import id_from
from rdv.usecases.organisation import specialised

BOUNDS = {"duration_minutes": (1, 1440), "buffer_minutes": (0, 1440), "agents_required": (1, 20)}
FIELDS = {
    "duration_minutes": "durationMinutes",
    "buffer_minutes": "bufferMinutes",
    "agents_required": "agentsRequired",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOfficeReason:
    """What holds at this office for a reason and everything under it; None = as above it, or nationally.

    Appointments already made keep their times.
    """

    code: ClassVar[str] = "SET_OFFICE_REASON"
    module: ClassVar[Module] = Module.OFFICE_ORGANISATION
    over_frozen_day: ClassVar[bool] = False

    reason_id: str
    served: bool | None = None
    duration_minutes: int | None = None
    buffer_minutes: int | None = None
    agents_required: int | None = None
    modalities: Sequence[Modality] | None = None

    async def write(self, ground: Ground) -> None:
        """Write it in the place of what was said before; raises InvalidInput."""
        reason = id_from(self.reason_id, field="reasonId")
        if reason not in ground.nation.tree.nodes:
            raise InvalidInput("reasonId", "There is no such reason.")
        for name, (least, most) in BOUNDS.items():
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise InvalidInput(FIELDS[name], "Give a number from {least} to {most}.", least=least, most=most)
        said: dict[str, Any] = {
            "served": self.served,
            "duration_minutes": self.duration_minutes,
            "buffer_minutes": self.buffer_minutes,
            "agents_required": self.agents_required,
            "modalities": specialised("modalities", self.modalities),
        }
        await rows.remove(ground.connection, OfficeReason, office_id=ground.office.id, reason_id=reason)
        if any(value is not None for value in said.values()):
            await rows.add(ground.connection, OfficeReason(office_id=ground.office.id, reason_id=reason, **said))
