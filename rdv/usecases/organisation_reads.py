"""Looking at an office's organisation: as it is written down for those who plan it, as hours for everybody."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from rdv.engine.outlook import Outlook
from rdv.errors import NotFound
from rdv.integrations.viewer import Viewer
from rdv.models.bookings import local_day
from rdv.models.office_reads import OfficeRecord, load_offices
from rdv.models.organisation_reads import OrganisationRows, load_organisation
from rdv.models.situation import Situation, load_situations
from rdv.usecases.access import Module, require
from rdv.usecases.changing import version_of
from rdv.usecases.offices import id_from
from rdv.usecases.opening_changes import Layer
from rdv.usecases.services import Services
from rdv.usecases.slots import check_range

Spans = list[tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationFound:
    """An office's organisation with the version that changes of it are based on."""

    office: OfficeRecord
    plan: OrganisationRows
    version: str


async def organisation(services: Services, viewer: Viewer, office_id: str, since: date | None) -> OrganisationFound:
    """Return an office's organisation; raises NotFound or NotAllowed."""
    identity = id_from(office_id, field="officeId")
    async with services.database.reading() as connection:
        office = (await load_offices(connection, [identity])).get(identity)
        if office is None:
            raise NotFound("There is no such office.")
        require(viewer, Module.PLANNING, office)
        nation = await services.agendas.nations.current(connection)
        today = local_day(services.clock(), office.time_zone)
        plan = await load_organisation(connection, identity, since or today)
    return OrganisationFound(office=office, plan=plan, version=version_of(office, nation))


async def hours(
    services: Services, office: OfficeRecord, first: date, last: date
) -> Mapping[tuple[date, Layer], Spans]:
    """Return when some counter that takes bookings is open, and when one may come without an appointment."""
    check_range(first, last)
    async with services.database.reading() as connection:
        nation = await services.agendas.nations.current(connection)

        async def situation(layer: Layer) -> Situation:
            found = await load_situations(
                connection, nation, [office.id], first=first, last=last, now=services.clock(), layer=layer.value
            )
            return found[office.id]

        layers = {layer: await situation(layer) for layer in Layer}

    def open_at() -> dict[tuple[date, Layer], Spans]:
        found: dict[tuple[date, Layer], Spans] = defaultdict(list)
        for layer, one in layers.items():
            outlook = Outlook(one.instance, first, last)
            shown = [name for name, record in one.counters.items() if record.exposed]
            ranges = sorted({spans for name in shown for spans in outlook.ranges(name)})
            for day, start, end in ranges:
                _join(found[day, layer], start, end)
        return found

    return await services.agendas.in_thread(open_at)


def _join(spans: Spans, start: int, end: int) -> None:
    """Add a span to others that begin no later; those that touch become one."""
    if spans and start <= spans[-1][1]:
        spans[-1] = spans[-1][0], max(spans[-1][1], end)
    else:
        spans.append((start, end))
