"""What can be asked."""

from datetime import date
from typing import Annotated

import strawberry

from rdv import errors
from rdv.integrations.directories.folding import folded
from rdv.models.database import Connection
from rdv.models.office_reads import OfficeRecord, load_office_by_code, load_offices
from rdv.schema import access as access_schema
from rdv.schema import delegations as delegations_schema
from rdv.schema import generation as generation_schema
from rdv.schema import history as history_schema
from rdv.schema import organisation_reads as organisation_schema
from rdv.schema import orientation as orientation_schema
from rdv.schema import preview as preview_schema
from rdv.schema import slots as slots_schema
from rdv.schema.appointments import Appointment, appointment
from rdv.schema.context import Info
from rdv.schema.enums import Audience
from rdv.schema.gateway import COUNTRY, ENGINE, STAFF, YEAR, about
from rdv.schema.offices import Office
from rdv.schema.reasons import Reason, label, national
from rdv.schema.subgraph import Subgraph
from rdv.usecases import appointments
from rdv.usecases.offices import id_from

MAX_SEARCH = 100


@strawberry.type(
    description="What can be asked. A member goes only after a release in which it was deprecated; enums and unions "
    "may grow with any release, so clients have a default case: `... on Problem` for refusals."
)
class Query(Subgraph):
    @strawberry.field(description="Who is asking.")
    def viewer(self, info: Info) -> access_schema.Viewer:
        return access_schema.viewer(info)

    @strawberry.field(
        description="Reasons of the national tree: the roots; those under `parentId`; or, with `search`, those on any "
        "level whose label contains the words, accents and capitals aside.",
        directives=[about(20)],
    )
    async def reasons(
        self,
        info: Info,
        parent_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only reasons under this one.")
        ] = None,
        audience: Annotated[
            Audience | None, strawberry.argument(description="Only those for citizens, or for businesses.")
        ] = None,
        search: Annotated[
            str | None, strawberry.argument(description="Words of the label; at most 100 letters.")
        ] = None,
    ) -> list[Reason]:
        tree = await info.context.tree()
        parent = None if parent_id is None else id_from(parent_id, field="parentId")
        if parent is not None and parent not in tree.nodes:
            raise errors.NotFound("There is no such reason.")
        if search is not None and len(search) > MAX_SEARCH:
            raise errors.InvalidInput("search", "This text is longer than {most} characters.", most=MAX_SEARCH)
        nodes = list(tree.children(parent))
        if search is not None:
            words = folded(search).split()
            under = tree.descendants(parent)
            nodes = [n for n in under if all(w in folded(label(n, info)) for w in words)]
        return national(tree, [n for n in nodes if audience is None or n.audience == audience.value])

    @strawberry.field(description="The competent office for a place and reason.", directives=[COUNTRY])
    async def orientation(
        self, info: Info, input: orientation_schema.OrientationInput
    ) -> orientation_schema.Orientation:
        return await orientation_schema.orientation(info, input)

    @strawberry.field(description="An office by its id or by its code in the directory; null when there is none.")
    async def office(
        self,
        info: Info,
        id: Annotated[
            strawberry.ID | None, strawberry.argument(description="The office's id; or else its code.")
        ] = None,
        code: Annotated[str | None, strawberry.argument(description="The office's code; or else its id.")] = None,
    ) -> Office | None:
        if (id is None) == (code is None):
            raise errors.InvalidInput("id", "Give either an id or a code.")
        async with info.context.services.database.reading() as connection:
            if code is not None:
                record = await load_office_by_code(connection, code.replace("\0", ""))
            else:
                record = await _office(connection, id or "")
        return None if record is None else Office(record=record)

    @strawberry.field(
        description="The free slots of an office for a reason, over at most 62 days.", directives=[ENGINE]
    )
    async def slots(self, info: Info, input: slots_schema.SlotsInput) -> slots_schema.SlotSearch:
        return await slots_schema.search(info, input)

    @strawberry.field(
        description="Offices with their earliest free slot, the earliest first, then the nearest.",
        directives=[COUNTRY, about(10)],
    )
    async def earliest_slots(self, info: Info, input: slots_schema.EarliestSlotsInput) -> list[slots_schema.OfficeSlot]:
        return await slots_schema.earliest(info, input)

    @strawberry.federation.field(
        description="What intended changes of an office would lead to, with nothing changed: for those who plan it.",
        requires_scopes=STAFF,
        directives=[YEAR],
    )
    async def planning_preview(
        self, info: Info, input: preview_schema.PlanningPreviewInput
    ) -> preview_schema.PlanningPreview:
        return await preview_schema.planning_preview(info, input)

    @strawberry.federation.field(
        description="What was changed in an office, the latest first: for those who plan it. Entries come from the "
        "first change on; number 0 is the office before it.",
        requires_scopes=STAFF,
        directives=[about(20)],
    )
    async def planning_history(
        self,
        info: Info,
        office_id: Annotated[strawberry.ID, strawberry.argument(description="The office.")],
        before: Annotated[int | None, strawberry.argument(description="Only those before this number.")] = None,
        first: Annotated[int, strawberry.argument(description="How many at most, up to 100.")] = 20,
    ) -> list[history_schema.PlanningRevision]:
        return await history_schema.history(info, office_id, before, first)

    @strawberry.federation.field(
        description="An office's organisation as it is written down: agents, templates, hours, closures, quotas; for "
        "who plans it.",
        requires_scopes=STAFF,
    )
    async def organisation(
        self,
        info: Info,
        office_id: Annotated[strawberry.ID, strawberry.argument(description="The office.")],
        since: Annotated[
            date | None, strawberry.argument(description="Leave out what was over before this day; today by default.")
        ] = None,
    ) -> organisation_schema.Organisation:
        return await organisation_schema.organisation(info, office_id, since)

    @strawberry.field(
        description="When an office is open, with an appointment and without, closures and holidays taken away."
    )
    async def office_hours(
        self,
        info: Info,
        office_id: Annotated[strawberry.ID, strawberry.argument(description="The office.")],
        from_: Annotated[date, strawberry.argument(name="from", description="The first local day.")],
        to: Annotated[date, strawberry.argument(description="The last one, included; at most 62 days in all.")],
    ) -> list[organisation_schema.OfficeHours]:
        return await organisation_schema.office_hours(info, office_id, from_, to)

    @strawberry.federation.field(
        description="What an office has handed to others and received from them, the latest first, for who plans it.",
        requires_scopes=STAFF,
        directives=[about(20)],
    )
    async def delegations(
        self, info: Info, office_id: Annotated[strawberry.ID, strawberry.argument(description="The office.")]
    ) -> list[delegations_schema.Delegation]:
        return await delegations_schema.delegations(info, office_id)

    @strawberry.federation.field(
        description="A generated planning, for those who plan its office; null when there is none.",
        requires_scopes=STAFF,
    )
    async def planning_draft(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The planning.")]
    ) -> generation_schema.PlanningDraft | None:
        return await generation_schema.planning_draft(info, id)

    @strawberry.federation.field(
        description="An office's generated plannings, the latest first, for those who plan it.",
        requires_scopes=STAFF,
        directives=[about(20)],
    )
    async def planning_drafts(
        self,
        info: Info,
        office_id: Annotated[strawberry.ID, strawberry.argument(description="The office.")],
        before: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only those asked for before this one.")
        ] = None,
        first: Annotated[int, strawberry.argument(description="How many at most, up to 100.")] = 20,
    ) -> list[generation_schema.PlanningDraft]:
        return await generation_schema.planning_drafts(info, office_id, before, first)

    @strawberry.field(
        description="An appointment: for its usager, with its access code, or for those who manage the office's "
        "appointments; null for everybody else and when there is none."
    )
    async def appointment(
        self,
        info: Info,
        reference: Annotated[
            str, strawberry.argument(description="However it is written: blanks, dashes, small letters.")
        ],
        access_code: Annotated[str | None, strawberry.argument(description="For who is not signed in.")] = None,
    ) -> Appointment | None:
        try:
            record = await appointments.find(info.context.services, info.context.viewer, reference, access_code)
        except (errors.NotFound, errors.NotAllowed):
            return None
        return await appointment(info.context, record)


async def _office(connection: Connection, text: str) -> OfficeRecord | None:
    try:
        identity = id_from(text, field="id")
    except errors.NotFound:
        return None
    return (await load_offices(connection, [identity])).get(identity)
