"""Agents, what an office makes of reasons, and who receives which appointment."""

from datetime import date

import strawberry

from rdv.schema.changes import PlanningChangeResult, change_input, change_mutation
from rdv.schema.enums import Modality
from rdv.schema.hours import TimeRangeInput
from rdv.schema.scalars import LocalTime
from rdv.usecases import agents, assignment, office_reasons
from rdv.usecases.opening_changes import Weekday

OVER_FROZEN_DAY = "Go on although settled days change, whose agents were told."
AS_NATIONAL = "left out: as for the reason above it, or nationally."


@change_input(office_reasons.SetOfficeReason, "What holds at an office for a reason and everything under it.")
class OfficeReasonInput:
    reason_id: strawberry.ID = strawberry.field(description="The reason.")
    served: bool | None = strawberry.field(default=None, description=f"Whether the office serves it; {AS_NATIONAL}")
    duration_minutes: int | None = strawberry.field(default=None, description=f"How long it takes; {AS_NATIONAL}")
    buffer_minutes: int | None = strawberry.field(
        default=None, description=f"How long the counter is needed afterwards; {AS_NATIONAL}"
    )
    agents_required: int | None = strawberry.field(
        default=None, description=f"How many agents receive together; {AS_NATIONAL}"
    )
    modalities: list[Modality] | None = strawberry.field(
        default=None, description=f"How one may be received; {AS_NATIONAL}"
    )


@change_input(agents.CreateAgent, "Somebody who receives at an office.")
class NewAgent:
    display_name: str = strawberry.field(description="The name shown to usagers and colleagues.")
    subject: str | None = strawberry.field(default=None, description="Their account, as their token names it.")
    reason_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="What they can do, each with everything under it; left out: everything."
    )
    counter_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Where they receive; left out: anywhere."
    )
    most_minutes_a_day: int = strawberry.field(
        default=420, description="The longest a generated planning lets them receive on one day."
    )
    most_minutes_a_week: int = strawberry.field(
        default=2100, description="The longest a generated planning lets them receive in one week."
    )
    preferred_counter_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Where a generated planning would rather have them; left out: anywhere."
    )


@change_input(
    agents.UpdateAgent, "An agent as they are from now on, all of it: what `organisation` says, with what changes."
)
class AgentUpdate(NewAgent):
    agent_id: strawberry.ID = strawberry.field(description="The agent.")
    over_frozen_day: bool = strawberry.field(default=False, description=OVER_FROZEN_DAY)


@change_input(agents.RetireAgent, "An agent who does not receive at the office any more.")
class AgentRetirement:
    agent_id: strawberry.ID = strawberry.field(description="The agent.")
    over_frozen_day: bool = strawberry.field(default=False, description=OVER_FROZEN_DAY)


@strawberry.input(description="A recurring range of presence.")
class PresenceRangeInput:
    weekdays: list[Weekday] = strawberry.field(description="On which days of the week.")
    start_time: LocalTime = strawberry.field(description="From when on.")
    end_time: LocalTime = strawberry.field(description="Until when; 24:00 is the end of the day.")
    from_date: date | None = strawberry.field(default=None, description="The first day; left out: it always was.")
    until_date: date | None = strawberry.field(default=None, description="The last day; left out: for ever.")
    every_weeks: int = strawberry.field(default=1, description="Every n-th week, counted from the first day's.")
    nth_of_month: list[int] | None = strawberry.field(
        default=None, description="Only the n-th such weekday of a month, 1 to 5; -1: the last."
    )

    def value(self) -> agents.PresenceRange:
        return agents.PresenceRange(**vars(self))


@change_input(agents.SetAgentPresence, "When an agent is there, all of it.")
class AgentPresenceInput:
    agent_id: strawberry.ID = strawberry.field(description="The agent.")
    ranges: list[PresenceRangeInput] = strawberry.field(description="None: whenever the office is open.")
    over_frozen_day: bool = strawberry.field(default=False, description=OVER_FROZEN_DAY)


@change_input(agents.SetAgentException, "What replaces an agent's presence on one day.")
class AgentExceptionInput:
    agent_id: strawberry.ID = strawberry.field(description="The agent.")
    on_date: date = strawberry.field(description="The day.")
    ranges: list[TimeRangeInput] | None = strawberry.field(
        default=None, description="When they are there; an empty list: not at all; left out: as usual."
    )
    over_frozen_day: bool = strawberry.field(default=False, description=OVER_FROZEN_DAY)


@change_input(agents.AddAbsence, "Time in which an agent is not there.")
class NewAbsence:
    agent_id: strawberry.ID = strawberry.field(description="The agent.")
    from_date: date = strawberry.field(description="The first day.")
    from_time: LocalTime = strawberry.field(default=LocalTime(0), description="From when on that day.")
    to_date: date = strawberry.field(description="The last day.")
    to_time: LocalTime = strawberry.field(default=LocalTime(1440), description="Until when on that day.")
    over_frozen_day: bool = strawberry.field(default=False, description=OVER_FROZEN_DAY)


@change_input(agents.RemoveAbsence, "An absence that is taken back.")
class AbsenceRemoval:
    absence_id: strawberry.ID = strawberry.field(description="The absence.")


@change_input(assignment.AssignAppointment, "Where an appointment is and who receives it, whoever else has to move.")
class AppointmentAssignment:
    reference: str = strawberry.field(description="The appointment.")
    counter_id: strawberry.ID | None = strawberry.field(default=None, description="Where; left out: where it stands.")
    agent_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Who receives; left out, or fewer than needed: whoever can."
    )
    over_frozen_day: bool = strawberry.field(
        default=False, description="Let others move on a settled day, whose agents were told."
    )


@change_input(assignment.ReleaseAppointment, "An appointment that may move again.")
class AppointmentRelease:
    reference: str = strawberry.field(description="The appointment.")


@strawberry.type
class AgentsMutation:
    set_office_reason: PlanningChangeResult = change_mutation(
        OfficeReasonInput, "SetOfficeReason", "Say what an office makes of a reason and everything under it."
    )
    create_agent: PlanningChangeResult = change_mutation(NewAgent, "CreateAgent", "Add somebody who receives.")
    update_agent: PlanningChangeResult = change_mutation(AgentUpdate, "UpdateAgent", "Change what an agent can do.")
    retire_agent: PlanningChangeResult = change_mutation(
        AgentRetirement, "RetireAgent", "Let an agent receive no more; others serve who was theirs."
    )
    set_agent_presence: PlanningChangeResult = change_mutation(
        AgentPresenceInput, "SetAgentPresence", "Say when an agent is there."
    )
    set_agent_exception: PlanningChangeResult = change_mutation(
        AgentExceptionInput, "SetAgentException", "Give an agent other hours on one day."
    )
    add_absence: PlanningChangeResult = change_mutation(
        NewAbsence, "AddAbsence", "Say that an agent is not there; with overFrozenDay also on a settled day."
    )
    remove_absence: PlanningChangeResult = change_mutation(AbsenceRemoval, "RemoveAbsence", "Take an absence back.")
    assign_appointment: PlanningChangeResult = change_mutation(
        AppointmentAssignment, "AssignAppointment", "Pin an appointment to a counter and agents by hand."
    )
    release_appointment: PlanningChangeResult = change_mutation(
        AppointmentRelease, "ReleaseAppointment", "Let the engine decide again where an appointment is."
    )
