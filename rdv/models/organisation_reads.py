"""An office's organisation as it is written down: every row that planning may change."""

from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from sqlalchemy import ColumnElement, func
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel, col

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
    """An office's rows; without hours, templates, closures and shifts that were over before `since`."""

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

    async def of(model: type[Row], *also: ColumnElement[bool]) -> list[Row]:
        return [model(**row) for row in await rows.values(connection, model, *also, office_id=office)]

    templates = await of(PlanningTemplate)
    return OrganisationRows(
        agents=await of(Agent),
        templates=templates,
        versions=[
            TemplateVersion(**row)
            for row in await rows.values(
                connection, TemplateVersion, col(TemplateVersion.template_id).in_([one.id for one in templates])
            )
        ],
        applications=await of(TemplateApplication, func.coalesce(TemplateApplication.until_date, since) >= since),
        openings=await of(Opening, func.coalesce(Opening.on_date, Opening.until_date, since) >= since),
        exceptions=await of(DayException, col(DayException.on_date) >= since),
        closures=await of(Closure, col(Closure.to_date) >= since),
        reasons=await of(OfficeReason),
        quotas=await of(ReasonQuota),
        shares=await of(ChannelShare),
        shifts=await of(RosterShift, col(RosterShift.on_date) >= since),
    )
