"""Who receives an appointment, and where: by hand, or as the engine sees fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rdv.errors import InvalidInput, NotFound
from rdv.models import appointment_reads, bookings, rows
from rdv.models.appointment_reads import AppointmentRecord
from rdv.models.appointments import Appointment
from rdv.models.bookings import Seat
from rdv.usecases.access import Module
from rdv.usecases.agents import agent_id
from rdv.usecases.changing import Ground
from rdv.usecases.opening_changes import counter_id
from rdv.usecases.secrets import normalised

MOST_AGENTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignAppointment:
    """An appointment stays at a counter and with agents, whoever else has to move; what is left out is filled freely.

    Where that cannot be honoured it has no place, and nothing is changed without an explicit word.
    """

    code: ClassVar[str] = "ASSIGN_APPOINTMENT"
    module: ClassVar[Module] = Module.APPOINTMENTS

    reference: str
    counter_id: str | None = None
    agent_ids: Sequence[str] | None = None
    over_frozen_day: bool = False

    async def write(self, ground: Ground) -> None:
        """Write it; raises NotFound or InvalidInput."""
        record = await _appointment(ground, self.reference)
        counter = await counter_id(ground, self.counter_id)
        given = self.agent_ids or ()
        if len(given) > MOST_AGENTS or len(set(given)) < len(given):
            raise InvalidInput("agentIds", "Name each agent once, at most {most}.", most=MOST_AGENTS)
        if given and not ground.office.staffed:
            raise InvalidInput("agentIds", "Agents are not assigned at this office.")
        agents = tuple([await agent_id(ground, one, field="agentIds") for one in given])
        seat = Seat(counter_id=record.counter_id if counter is None else counter, agent_ids=agents)
        await bookings.move(ground.connection, ground.office.id, {record.id: seat})
        await rows.change(ground.connection, Appointment, {"id": record.id}, pinned=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseAppointment:
    """An appointment that was assigned by hand may move again."""

    code: ClassVar[str] = "RELEASE_APPOINTMENT"
    module: ClassVar[Module] = Module.APPOINTMENTS
    over_frozen_day: ClassVar[bool] = False

    reference: str

    async def write(self, ground: Ground) -> None:
        """Write it; raises NotFound."""
        record = await _appointment(ground, self.reference)
        await rows.change(ground.connection, Appointment, {"id": record.id}, pinned=False)


async def _appointment(ground: Ground, reference: str) -> AppointmentRecord:
    found = await appointment_reads.find(ground.connection, appointment_reads.BY_REFERENCE, normalised(reference))
    if found is None or found.office_id != ground.office.id or found.status != "BOOKED" or found.ends_at <= ground.now:
        raise NotFound("There is no such appointment to come at this office.")
    return found
