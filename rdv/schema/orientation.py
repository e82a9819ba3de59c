"""Which office is competent."""

import strawberry

from rdv.models.national_reads import CommuneRecord
from rdv.schema.context import Info
from rdv.schema.enums import Modality
from rdv.schema.offices import Office
from rdv.schema.slots import Slot, slot
from rdv.usecases import orientation as use_case


@strawberry.federation.type(shareable=True, description="A commune of the official code.")
class Commune:
    code: str = strawberry.field(description="The official code (INSEE).")
    name: str = strawberry.field(description="The commune's name.")
    postcodes: list[str] = strawberry.field(description="Its postcodes.")


@strawberry.type(description="An office for a place and reason.")
class OrientedOffice:
    office: Office = strawberry.field(description="The office.")
    competent: bool = strawberry.field(
        description="Whether it is the competent one; others are near and may be chosen."
    )
    distance_km: float | None = strawberry.field(description="How far from the commune's town hall, in kilometres.")
    first_slot: Slot | None = strawberry.field(
        description="Its earliest free slot within a month, or that of the office that receives for it."
    )
    first_slot_at: Office | None = strawberry.field(
        description="Where the first slot is, when another office receives for this one; else null."
    )


@strawberry.type(description="Where to go.")
class Orientation:
    offices: list[OrientedOffice] = strawberry.field(
        description="The competent offices first, then others near; empty while the commune is not certain."
    )
    communes: list[Commune] = strawberry.field(
        description="The commune that was understood, or the choices: ask again with the code of one of them."
    )


@strawberry.input(description="Where the usager lives: exactly one of commune, postcode and address.")
class OrientationInput:
    reason_id: strawberry.ID = strawberry.field(description="What for.")
    commune_code: str | None = strawberry.field(default=None, description="The commune's official code (INSEE).")
    postcode: str | None = strawberry.field(default=None, description="Five digits; several communes may share one.")
    address: str | None = strawberry.field(
        default=None, description="A free address, its commune or postcode at its end."
    )


async def orientation(info: Info, wanted: OrientationInput) -> Orientation:
    found = await use_case.orientate(
        info.context.services,
        info.context.viewer,
        use_case.OrientationRequest(
            reason_id=wanted.reason_id,
            commune_code=wanted.commune_code,
            postcode=wanted.postcode,
            address=wanted.address,
        ),
    )
    return Orientation(
        offices=[_office(one) for one in found.offices], communes=[_commune(one) for one in found.communes]
    )


def _office(one: use_case.Oriented) -> OrientedOffice:
    first, elsewhere = None, None
    if one.first is not None:
        first = slot(one.first.start, one.reason.duration_minutes, one.first.remaining, Modality.IN_PERSON)
        elsewhere = None if one.first.on_behalf_of is None else Office(record=one.first.office)
    return OrientedOffice(
        office=Office(record=one.office),
        competent=one.competent,
        distance_km=one.distance_km,
        first_slot=first,
        first_slot_at=elsewhere,
    )


def _commune(record: CommuneRecord) -> Commune:
    return Commune(code=record.code, name=record.name, postcodes=list(record.postcodes))
