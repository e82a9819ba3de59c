"""An office's organisation as it is written down: every row that planning may change."""

from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from rdv.models import rows
from rdv.models.drafts import RosterShift
from rdv.models.offices import Agent
from rdv.models.planning import Closure, DayException, Opening
from rdv.models.quotas import ChannelShare, ReasonQuota
from rdv.models.reasons import OfficeReason
from rdv.models.templates import PlanningTemplate, TemplateApplication, TemplateVersion

Row = TypeVar("Row", bound=SQLModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationRows:
    """An office's rows; single days, closures and shifts from `since` on only."""

    agents: list[Agent]
    templates: list[PlanningTemplate]
    versions: list[TemplateVersion]
    applications: list[TemplateApplication]
    openings: list[Opening]
    exceptions: list[DayException]
    closures: list[Closure]
    reasons: list[OfficeReason]
    quotas: list[ReasonQuota]
    shares: list[ChannelShare]
    shifts: list[RosterShift]


async def load_organisation(connection: AsyncConnection, office: int, since: date) -> OrganisationRows:
    """Read an office's organisation, one statement a table."""

    async def of(model: type[Row]) -> list[Row]:
        return [model(**row) for row in await rows.values(connection, model, office_id=office)]

    templates = await of(PlanningTemplate)
    return OrganisationRows(
        agents=await of(Agent),
        templates=templates,
        versions=[
            TemplateVersion(**row)
            for template in templates
            for row in await rows.values(connection, TemplateVersion, template_id=template.id)
        ],
        applications=await of(TemplateApplication),
        openings=[one for one in await of(Opening) if one.on_date is None or one.on_date >= since],
        exceptions=[one for one in await of(DayException) if one.on_date >= since],
        closures=[one for one in await of(Closure) if one.to_date >= since],
        reasons=await of(OfficeReason),
        quotas=await of(ReasonQuota),
        shares=await of(ChannelShare),
        shifts=[one for one in await of(RosterShift) if one.on_date >= since],
    )
