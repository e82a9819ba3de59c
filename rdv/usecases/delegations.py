"""An office's delegations, given and taken, with what came of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rdv.integrations.viewer import Viewer
from rdv.models import delegation
from rdv.models.delegation import Delegation
from rdv.models.office_reads import OfficeRecord, load_offices
from rdv.usecases.access import Module, require
from rdv.usecases.services import Services


class DelegationStatus(StrEnum):
    """What has become of a delegation."""

    PROPOSED = "PROPOSED"
    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    ENDED = "ENDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegationFound:
    """A delegation with both offices, and how many appointments it brought by status."""

    row: Delegation
    office: OfficeRecord
    to_office: OfficeRecord
    appointments: Mapping[str, int]


async def delegations(services: Services, viewer: Viewer, office: OfficeRecord) -> list[DelegationFound]:
    """Return what an office has handed to others and received from them, the latest first; raises NotAllowed."""
    require(viewer, Module.PLANNING, office)
    async with services.database.reading() as connection:
        found = await delegation.of_office(connection, office.id)
        offices = await load_offices(connection, list({i for one in found for i in (one.office_id, one.to_office_id)}))
        made = await delegation.made(connection, [one.id or 0 for one in found])
    return [
        DelegationFound(
            row=one,
            office=offices[one.office_id],
            to_office=offices[one.to_office_id],
            appointments=made.get(one.id or 0, {}),
        )
        for one in found
    ]
