"""Whose appointment it becomes, and how many one person may have."""

from datetime import datetime

from rdv.errors import InvalidInput, TooManyAppointments
from rdv.integrations.viewer import Viewer, ViewerKind
from rdv.models.appointment_reads import AppointmentRecord
from rdv.models.database import Connection
from rdv.models.office_reads import OfficeRecord
from rdv.models.usagers import UsagerDetails, count_around, count_live, usager_of
from rdv.usecases.usager_input import UsagerRequest, checked_usager


async def whose(
    connection: Connection, viewer: Viewer, request: UsagerRequest | None, *, phone_needed: bool
) -> tuple[UsagerDetails, str | None]:
    """Return whose appointment it becomes, and their account when they are signed in themselves."""
    subject = viewer.subject if viewer.kind is ViewerKind.USAGER else None
    if request is None:
        if subject is None:
            raise InvalidInput("usager", "Say for whom the appointment is.")
        known = await usager_of(connection, subject)
        first, _, last = (viewer.name or "").strip().rpartition(" ")
        if known is None and not last:
            raise InvalidInput("usager", "Say for whom the appointment is.")
        request = UsagerRequest(
            first_name=known.first_name if known else first or last,
            last_name=known.last_name if known else last,
            email=known.email if known else None,
            phone=known.phone if known else None,
            tax_number=known.tax_number if known else None,
            company_number=known.company_number if known else None,
            locale=known.locale if known else None,
        )
    return checked_usager(request, phone_needed=phone_needed), subject


def marks(details: UsagerDetails, subject: str | None) -> list[str]:
    """Return everything by which `count_live` may know the person again, in the one order in which it is locked."""
    email = details.email and details.email.lower()
    return sorted(filter(None, {subject, email, details.phone, details.tax_number, details.company_number}))


async def check_limit(
    connection: Connection,
    office: OfficeRecord,
    now: datetime,
    *,
    subject: str | None,
    details: UsagerDetails | None = None,
    other_than: int = 0,
) -> None:
    """Refuse more live appointments of one person than the office allows."""
    count = await count_live(connection, office.id, now, subject=subject, details=details, other_than=other_than)
    limit = office.max_appointments_per_usager
    if count >= limit:
        raise TooManyAppointments("At most {limit} appointments at a time are possible at this office.", limit=limit)


async def check_period(
    connection: Connection,
    office: OfficeRecord,
    record: AppointmentRecord,
    *,
    subject: str | None,
    details: UsagerDetails,
) -> None:
    """Refuse more appointments of one person around one time than the office allows."""
    limit = office.most_per_usager_in_period
    if limit is None:
        return
    days = office.usager_period_days
    count = await count_around(
        connection, office.id, record.starts_at, days, subject=subject, details=details, other_than=record.id
    )
    if count >= limit:
        raise TooManyAppointments(
            "At most {limit} appointments within {days} days are possible at this office.", limit=limit, days=days
        )
