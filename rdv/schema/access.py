"""Who is asking."""

import strawberry

from rdv.integrations.viewer import ViewerKind
from rdv.models.agents import agent_of
from rdv.models.usagers import usager_of
from rdv.schema.appointments import Agent, Usager
from rdv.schema.context import Info
from rdv.schema.gateway import STAFF, USAGER
from rdv.usecases.access import modules_of


@strawberry.type(description="The caller, as their token says.")
class Viewer:
    kind: str = strawberry.field(description="ANONYMOUS, USAGER, AGENT, ADMINISTRATOR or DEVICE.")
    profile: str | None = strawberry.field(description="LOCAL or NATIONAL, for agents and administrators.")
    scope: str | None = strawberry.field(description="Which offices they reach: OWN, DEPARTEMENT or NATIONAL.")
    modules: list[str] = strawberry.field(description="What they may use within their scope.")

    @strawberry.federation.field(
        description="The signed-in usager; null until their first appointment.", requires_scopes=USAGER
    )
    async def usager(self, info: Info) -> Usager | None:
        viewer = info.context.viewer
        if viewer.kind is not ViewerKind.USAGER or viewer.subject is None:
            return None
        async with info.context.services.database.reading() as connection:
            record = await usager_of(connection, viewer.subject)
        return None if record is None else Usager(record=record)

    @strawberry.federation.field(
        description="The agent whose account this is; null when an office has not named them.", requires_scopes=STAFF
    )
    async def agent(self, info: Info) -> Agent | None:
        viewer = info.context.viewer
        if viewer.kind not in (ViewerKind.AGENT, ViewerKind.ADMINISTRATOR) or viewer.subject is None:
            return None
        async with info.context.services.database.reading() as connection:
            record = await agent_of(connection, viewer.subject)
        return None if record is None else Agent(id=strawberry.ID(str(record.id)), display_name=record.display_name)


def viewer(info: Info) -> Viewer:
    asking = info.context.viewer
    return Viewer(
        kind=asking.kind.value,
        profile=asking.profile and asking.profile.value,
        scope=asking.scope and asking.scope.value,
        modules=[module.value for module in modules_of(asking)],
    )
