"""Who sees and changes an appointment: its usager, whoever has its access code, and those who manage its office's.

To everybody else it does not exist: a wrong code, a wrong reference and somebody else's appointment look the same.
"""

from collections.abc import Iterable

from rdv.errors import NotAllowed, NotFound
from rdv.integrations.viewer import Viewer, ViewerKind
from rdv.models.agents import OfficeAgentRecord
from rdv.models.appointment_reads import AppointmentRecord
from rdv.models.database import Connection
from rdv.models.office_reads import OfficeRecord, load_offices
from rdv.models.usagers import UsagerRecord
from rdv.usecases.access import Module, may, modules_of
from rdv.usecases.services import Services


async def visible(
    services: Services,
    connection: Connection,
    viewer: Viewer,
    record: AppointmentRecord | None,
    access_code: str | None,
) -> AppointmentRecord:
    """Return the appointment if the viewer may see and change it; raises NotFound or, for staff, NotAllowed.

    A hold is known by its token only.
    """
    opened = services.secrets.opens(access_code, record.access_code_hash if record else None)
    if record is None or record.status == "HELD":
        raise NotFound("There is no such appointment, or the access code is not right.")
    if opened or is_own(viewer, record):
        return record
    if Module.APPOINTMENTS not in modules_of(viewer):
        raise NotFound("There is no such appointment, or the access code is not right.")
    if not may_manage(viewer, await concerned(connection, record)):
        raise NotAllowed("You may not manage appointments of this office.")
    return record


def is_own(viewer: Viewer, record: AppointmentRecord) -> bool:
    """Tell whether the appointment is the signed-in usager's own."""
    return record.usager is not None and _is(viewer, record.usager)


def _is(viewer: Viewer, usager: UsagerRecord) -> bool:
    return viewer.kind is ViewerKind.USAGER and viewer.subject is not None and usager.subject == viewer.subject


def may_see(viewer: Viewer, owner: UsagerRecord, office: OfficeRecord) -> bool:
    """Tell whether the viewer may see a usager's appointments at an office without their access codes."""
    return _is(viewer, owner) or may(viewer, Module.APPOINTMENTS, office)


def may_see_appointment(viewer: Viewer, record: AppointmentRecord, offices: Iterable[OfficeRecord]) -> bool:
    """Tell whether the viewer may see an appointment of some offices without its access code; a hold nobody may."""
    return record.status != "HELD" and (is_own(viewer, record) or may_manage(viewer, offices))


def may_see_usager(viewer: Viewer, usager: UsagerRecord, offices: Iterable[OfficeRecord]) -> bool:
    """Tell whether the viewer is a usager who has appointments at some offices, or manages one of these."""
    return _is(viewer, usager) or any(may(viewer, Module.APPOINTMENTS, office) for office in offices)


def may_see_agent(viewer: Viewer, agent: OfficeAgentRecord, office: OfficeRecord) -> bool:
    """Tell whether the viewer is an agent of an office, or manages its appointments."""
    staff = viewer.kind in (ViewerKind.AGENT, ViewerKind.ADMINISTRATOR) and viewer.subject is not None
    return (staff and agent.subject == viewer.subject) or may(viewer, Module.APPOINTMENTS, office)


def may_manage(viewer: Viewer, offices: Iterable[OfficeRecord]) -> bool:
    """Tell whether the viewer manages appointments of one of the offices: deadlines for usagers do not bind them."""
    return any(may(viewer, Module.APPOINTMENTS, office) for office in offices)


async def concerned(connection: Connection, record: AppointmentRecord) -> list[OfficeRecord]:
    """Return the offices whose matter an appointment is: where it is, and which gave it away."""
    ids = [one for one in (record.office_id, record.delegated_by) if one is not None]
    return list((await load_offices(connection, ids)).values())
