"""Setting how an office's slots come about."""

from datetime import date

import strawberry

from rdv.schema.changes import PlanningChangeResult, change_input, change_mutation
from rdv.schema.enums import Channel, SlotPolicy
from rdv.schema.scalars import LocalTime
from rdv.usecases import parameters, quotas


@change_input(parameters.SetParameters, "An office's parameters; what is left out stays as it is.")
class ParametersUpdate:
    step_minutes: int | None = strawberry.field(
        default=None, description="The distance between two starts, in minutes; 0: each reason's own duration."
    )
    min_lead_minutes: int | None = strawberry.field(
        default=None, description="How long before its start a slot can be booked at the latest."
    )
    max_lead_days: int | None = strawberry.field(
        default=None, description="How many days ahead slots can be booked; -1: without limit."
    )
    lead_in_open_days: bool | None = strawberry.field(
        default=None, description="Whether only days on which a counter is open count for `maxLeadDays`."
    )
    auto_open: bool | None = strawberry.field(
        default=None, description="Whether new days open by themselves; otherwise up to `publishedUntil`."
    )
    open_time: LocalTime | None = strawberry.field(
        default=None, description="At what time of the day another day opens to booking."
    )
    published_until: date | None = strawberry.field(
        default=None, description="The last day that can be booked where days do not open by themselves."
    )
    hold_seconds: int | None = strawberry.field(default=None, description="How long a hold lasts, in seconds.")
    resale_delay_minutes: int | None = strawberry.field(
        default=None, description="How long a cancelled time is not offered again, so that it cannot be passed on."
    )
    freeze_time: LocalTime | None = strawberry.field(
        default=None, description="From when on nobody's counter or agents change any more for new bookings of a day."
    )
    freeze_days_before: int | None = strawberry.field(
        default=None, description="How many days before that day `freezeTime` is; 0: on the day itself."
    )
    change_deadline_minutes: int | None = strawberry.field(
        default=None, description="How long before it starts usagers may change an appointment at the latest."
    )
    max_appointments_per_usager: int | None = strawberry.field(
        default=None, description="How many appointments to come one usager may have at a time."
    )
    most_per_usager_in_period: int | None = strawberry.field(
        default=None,
        description="How many appointments of one usager may lie less than `usagerPeriodDays` apart; -1: any number.",
    )
    usager_period_days: int | None = strawberry.field(default=None, description="That period, in days.")
    slot_policy: SlotPolicy | None = strawberry.field(
        default=None, description="Which of the feasible starts are offered."
    )
    open_to_booking: bool | None = strawberry.field(default=None, description="Whether it takes appointments.")
    staffed: bool | None = strawberry.field(
        default=None, description="Whether agents are assigned as well as counters; otherwise every counter is staffed."
    )
    proposal_hold_hours: int | None = strawberry.field(
        default=None, description="How long another time is held for whoever lost theirs, in hours."
    )
    over_frozen_day: bool = strawberry.field(
        default=False, description="Go on although settled days change, whose agents were told."
    )


@change_input(quotas.SetReasonQuota, "At most so many appointments a day for a reason and everything under it.")
class ReasonQuotaInput:
    reason_id: strawberry.ID = strawberry.field(description="The reason.")
    most_a_day: int | None = strawberry.field(default=None, description="How many; left out: no quota any more.")


@change_input(quotas.SetChannelShare, "A part of each day's open time that is kept for a channel.")
class ChannelShareInput:
    channel: Channel = strawberry.field(description="The channel.")
    percent: int | None = strawberry.field(default=None, description="How much; left out: nothing any more.")


@strawberry.type
class ParametersMutation:
    set_parameters: PlanningChangeResult = change_mutation(
        ParametersUpdate, "SetParameters", "Set how an office's slots come about and what usagers may do."
    )
    set_reason_quota: PlanningChangeResult = change_mutation(
        ReasonQuotaInput, "SetReasonQuota", "Limit how many appointments a day a reason gets."
    )
    set_channel_share: PlanningChangeResult = change_mutation(
        ChannelShareInput, "SetChannelShare", "Keep a part of each day's open time for a channel."
    )
