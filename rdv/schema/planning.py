"""Several changes together: as they are intended, and as they are published."""

from dataclasses import fields

import strawberry

from rdv.schema.agents import (
    AbsenceRemoval,
    AgentExceptionInput,
    AgentPresenceInput,
    AgentRetirement,
    AgentUpdate,
    AppointmentAssignment,
    AppointmentRelease,
    NewAbsence,
    NewAgent,
    OfficeReasonInput,
)
from rdv.schema.changes import OfficeChange, PlanningChangeResult, change_mutation, change_of, changed
from rdv.schema.context import Info
from rdv.schema.delegations import DelegationAcceptance, DelegationEnd, DelegationProposal, DelegationRefusal
from rdv.schema.gateway import ENGINE, STAFF
from rdv.schema.generation import DraftApplication
from rdv.schema.history import Restoration
from rdv.schema.hours import (
    ExceptionInput,
    ExceptionRemoval,
    NewTemplate,
    TemplateApplicationEnd,
    TemplateApplicationInput,
    TemplateRetirement,
    TemplateRevision,
)
from rdv.schema.mutations import or_problem
from rdv.schema.organisation import ClosureRemoval, CounterRetirement, CounterUpdate, NewClosure, NewCounter
from rdv.schema.parameters import ChannelShareInput, ParametersUpdate, ReasonQuotaInput
from rdv.usecases.changing import Change, ChangeRequest


@strawberry.input(one_of=True, description="One intended change of an office.")
class PlanningChangeInput:
    create_counter: NewCounter | None = strawberry.field(default=strawberry.UNSET, description="Another counter.")
    update_counter: CounterUpdate | None = strawberry.field(
        default=strawberry.UNSET, description="What a counter is called, and what it is for."
    )
    retire_counter: CounterRetirement | None = strawberry.field(
        default=strawberry.UNSET, description="A counter that is given up."
    )
    add_closure: NewClosure | None = strawberry.field(default=strawberry.UNSET, description="Time taken away.")
    remove_closure: ClosureRemoval | None = strawberry.field(
        default=strawberry.UNSET, description="A closure that is taken back."
    )
    set_parameters: ParametersUpdate | None = strawberry.field(
        default=strawberry.UNSET, description="How slots come about and what usagers may do."
    )
    set_reason_quota: ReasonQuotaInput | None = strawberry.field(
        default=strawberry.UNSET, description="How many appointments a day a reason gets."
    )
    set_channel_share: ChannelShareInput | None = strawberry.field(
        default=strawberry.UNSET, description="A part of each day's open time that is kept for a channel."
    )
    create_template: NewTemplate | None = strawberry.field(default=strawberry.UNSET, description="Another template.")
    revise_template: TemplateRevision | None = strawberry.field(
        default=strawberry.UNSET, description="What a template says from now on."
    )
    retire_template: TemplateRetirement | None = strawberry.field(
        default=strawberry.UNSET, description="A template that is not offered any more."
    )
    apply_template: TemplateApplicationInput | None = strawberry.field(
        default=strawberry.UNSET, description="A template that holds between two dates."
    )
    end_template_application: TemplateApplicationEnd | None = strawberry.field(
        default=strawberry.UNSET, description="An earlier end of a template that is applied."
    )
    set_exception: ExceptionInput | None = strawberry.field(
        default=strawberry.UNSET, description="Other hours for one day."
    )
    remove_exception: ExceptionRemoval | None = strawberry.field(
        default=strawberry.UNSET, description="A day that is like the others again."
    )
    set_office_reason: OfficeReasonInput | None = strawberry.field(
        default=strawberry.UNSET, description="What holds for a reason at the office."
    )
    create_agent: NewAgent | None = strawberry.field(
        default=strawberry.UNSET, description="Somebody else who receives."
    )
    update_agent: AgentUpdate | None = strawberry.field(default=strawberry.UNSET, description="What an agent can do.")
    retire_agent: AgentRetirement | None = strawberry.field(
        default=strawberry.UNSET, description="An agent who does not receive any more."
    )
    set_agent_presence: AgentPresenceInput | None = strawberry.field(
        default=strawberry.UNSET, description="When an agent is there."
    )
    set_agent_exception: AgentExceptionInput | None = strawberry.field(
        default=strawberry.UNSET, description="An agent's hours on one day."
    )
    add_absence: NewAbsence | None = strawberry.field(
        default=strawberry.UNSET, description="Time in which an agent is not there."
    )
    remove_absence: AbsenceRemoval | None = strawberry.field(
        default=strawberry.UNSET, description="An absence that is taken back."
    )
    assign_appointment: AppointmentAssignment | None = strawberry.field(
        default=strawberry.UNSET, description="Where an appointment is and who receives it."
    )
    release_appointment: AppointmentRelease | None = strawberry.field(
        default=strawberry.UNSET, description="An appointment that may move again."
    )
    apply_draft: DraftApplication | None = strawberry.field(
        default=strawberry.UNSET, description="A generated planning that holds from now on."
    )
    propose_delegation: DelegationProposal | None = strawberry.field(
        default=strawberry.UNSET, description="Reasons the office would hand to another."
    )
    accept_delegation: DelegationAcceptance | None = strawberry.field(
        default=strawberry.UNSET, description="Another office's reasons that this one receives."
    )
    refuse_delegation: DelegationRefusal | None = strawberry.field(
        default=strawberry.UNSET, description="Another office's reasons that this one does not take."
    )
    end_delegation: DelegationEnd | None = strawberry.field(
        default=strawberry.UNSET, description="A delegation that ends."
    )
    restore_planning: Restoration | None = strawberry.field(
        default=strawberry.UNSET, description="The office as it was after a change of its history."
    )


@strawberry.input(description="Changes to be made together, all or none.")
class PublishPlanningInput(OfficeChange):
    changes: list[PlanningChangeInput] = strawberry.field(description="The changes, in order; at most 200.")


@strawberry.type
class PlanningMutation:
    restore_planning: PlanningChangeResult = change_mutation(
        Restoration, "RestorePlanning", "Go back to how an office was: counters, agents, hours, parameters, all of it."
    )

    apply_draft: PlanningChangeResult = change_mutation(
        DraftApplication,
        "ApplyDraft",
        "Let a generated planning hold: counters are open while somebody is at them. Preview it first with the same "
        "change in `planningPreview`.",
    )

    @strawberry.federation.mutation(
        description="Make changes together, exactly as they were previewed: give the preview's version, and it is "
        "refused when the office was changed meanwhile.",
        requires_scopes=STAFF,
        directives=[ENGINE],
    )
    async def publish_planning(self, info: Info, input: PublishPlanningInput) -> PlanningChangeResult:
        request = ChangeRequest(
            office_id=input.office_id,
            changes=intended(input.changes),
            version=input.version,
            accept_stranded=bool(input.accept_stranded),
            idempotency_key=input.idempotency_key,
            listed=True,
        )
        return await or_problem(info, lambda: changed(info, request))


def intended(changes: list[PlanningChangeInput]) -> list[Change]:
    """Return the changes that were given; each input has one member."""
    found = []
    for one in changes:
        members = (getattr(one, member.name) for member in fields(one))
        found.append(change_of(next(given for given in members if given)))
    return found
