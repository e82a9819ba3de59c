"""Organising an office: its counters, and when they are closed."""

from datetime import date

import strawberry

from rdv.schema.changes import PlanningChangeResult, change_input, change_mutation
from rdv.schema.enums import Channel, Modality
from rdv.schema.scalars import LocalTime
from rdv.usecases import closures, organisation

REASONS = "Reasons it is for, each with everything under it; left out: no restriction."
CHANNELS = "Channels it is for; left out: no restriction."
MODALITIES = "Modalities it is for; left out: no restriction."
OVER_FROZEN_DAY = "Go on although the change concerns a day that is settled, whose agents were told."


@change_input(organisation.CreateCounter, "A new counter, with an agenda of its own.")
class NewCounter:
    label: str = strawberry.field(description="What is written at the counter; at most 100 characters.")
    exposed: bool = strawberry.field(default=True, description="Whether it takes bookings.")
    reason_ids: list[strawberry.ID] | None = strawberry.field(default=None, description=REASONS)
    channels: list[Channel] | None = strawberry.field(default=None, description=CHANNELS)
    modalities: list[Modality] | None = strawberry.field(default=None, description=MODALITIES)


@change_input(organisation.UpdateCounter, "A counter as it is to be from now on, all of it.")
class CounterUpdate(NewCounter):
    counter_id: strawberry.ID = strawberry.field(description="The counter.")
    over_frozen_day: bool = strawberry.field(default=False, description=OVER_FROZEN_DAY)


@change_input(organisation.RetireCounter, "A counter that is given up; who stood there is moved if that can be.")
class CounterRetirement:
    counter_id: strawberry.ID = strawberry.field(description="The counter.")
    over_frozen_day: bool = strawberry.field(default=False, description=OVER_FROZEN_DAY)


@change_input(closures.AddClosure, "Time taken away from the office, or from some of its counters.")
class NewClosure:
    from_date: date = strawberry.field(description="The first day.")
    from_time: LocalTime = strawberry.field(default=LocalTime(0), description="From when on that day.")
    to_date: date = strawberry.field(description="The last day.")
    to_time: LocalTime = strawberry.field(default=LocalTime(1440), description="Until when on that day.")
    counter_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Which counters; left out: all of them."
    )
    over_frozen_day: bool = strawberry.field(default=False, description=OVER_FROZEN_DAY)


@change_input(closures.RemoveClosure, "A closure that is taken back.")
class ClosureRemoval:
    closure_id: strawberry.ID = strawberry.field(description="The closure.")


@strawberry.type
class OrganisationMutation:
    create_counter: PlanningChangeResult = change_mutation(
        NewCounter, "CreateCounter", "Give an office another counter."
    )
    update_counter: PlanningChangeResult = change_mutation(
        CounterUpdate, "UpdateCounter", "Change what a counter is called, and what it is for."
    )
    retire_counter: PlanningChangeResult = change_mutation(
        CounterRetirement, "RetireCounter", "Give a counter up; refused while somebody would lose their place."
    )
    add_closure: PlanningChangeResult = change_mutation(
        NewClosure, "AddClosure", "Close an office, or some of its counters, for a time."
    )
    remove_closure: PlanningChangeResult = change_mutation(ClosureRemoval, "RemoveClosure", "Take a closure back.")
