"""What was changed in an office, by whom, and going back to how it was."""

from dataclasses import dataclass
from typing import ClassVar

from rdv.errors import InvalidInput
from rdv.integrations.viewer import Viewer
from rdv.models import revisions
from rdv.models.office_reads import OfficeRecord
from rdv.models.revisions import Revision
from rdv.usecases import access
from rdv.usecases.access import Module
from rdv.usecases.changing import Ground
from rdv.usecases.services import Services

MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RestorePlanning:
    """The office as it was after a change: counters, agents, hours, parameters, all of it.

    What was made since then is retired or gone; appointments and delegations stay.
    """

    code: ClassVar[str] = "RESTORE_PLANNING"
    module: ClassVar[Module] = Module.PLANNING

    revision: int
    over_frozen_day: bool = False

    async def write(self, ground: Ground) -> None:
        """Write it; raises InvalidInput when there is no such revision."""
        access.require(ground.viewer, Module.OFFICE_ORGANISATION, ground.office)
        if not 0 <= self.revision < 2**31 or not await revisions.find(
            ground.connection, ground.office.id, self.revision
        ):
            raise InvalidInput("revision", "The office's history has no such change.")
        await revisions.restore(ground.connection, ground.office.id, self.revision, ground.today)


async def history(
    services: Services, viewer: Viewer, office: OfficeRecord, *, before: int | None, first: int
) -> list[Revision]:
    """Return an office's changes, the latest first; raises NotAllowed."""
    access.require(viewer, Module.PLANNING, office)
    if not 1 <= first <= MOST:
        raise InvalidInput("first", "Ask for 1 to {most} changes.", most=MOST)
    async with services.database.reading() as connection:
        return await revisions.history(connection, office.id, before=before, at_most=first)
