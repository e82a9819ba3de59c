"""When an office is open: templates, single days, and where they hold."""

from datetime import date

import strawberry

from rdv.schema.changes import PlanningChangeResult, change_input, change_mutation
from rdv.schema.enums import described
from rdv.schema.scalars import LocalTime
from rdv.usecases import exceptions, templates
from rdv.usecases.opening_changes import Layer, TimeRange, Weekday
from rdv.usecases.templates import TemplateKind, TemplateRange

OVER_FROZEN_DAY = "Go on although settled days change, whose agents were told."
COUNTER = "For one counter; left out: for the office."

described(
    Layer,
    "What hours are for.",
    name="HoursLayer",
    APPOINTMENT="Receiving by appointment.",
    WALK_IN="Receiving who comes without one.",
)
described(Weekday, "A day of the week.", **{day.name: f"{day.capitalize()}s." for day in Weekday})
described(
    TemplateKind,
    "What a template describes.",
    DAY="One day; its application says on which days it holds.",
    WEEK="A week.",
    MONTH="Certain weekdays of a month, the second Tuesday for example.",
)


@strawberry.input(description="A range of one day.")
class TimeRangeInput:
    start_time: LocalTime = strawberry.field(description="From when on.")
    end_time: LocalTime = strawberry.field(description="Until when; 24:00 is the end of the day.")

    def value(self) -> TimeRange:
        return TimeRange(start_time=self.start_time, end_time=self.end_time)


@strawberry.input(description="A range of a template.")
class TemplateRangeInput:
    start_time: LocalTime = strawberry.field(description="From when on.")
    end_time: LocalTime = strawberry.field(description="Until when; 24:00 is the end of the day.")
    layer: Layer = strawberry.field(default=Layer.APPOINTMENT, description="What these hours are for.")
    weekday: Weekday | None = strawberry.field(default=None, description="Needed for week and month templates.")
    nth: int | None = strawberry.field(
        default=None, description="Needed for month templates: the n-th such weekday of a month, 1 to 5; -1: the last."
    )

    def value(self) -> TemplateRange:
        return TemplateRange(**vars(self))


@change_input(templates.CreateTemplate, "A new template of an office.")
class NewTemplate:
    kind: TemplateKind = strawberry.field(description="What it describes.")
    name: str = strawberry.field(description="What it is called; at most 100 characters.")
    ranges: list[TemplateRangeInput] = strawberry.field(description="Its ranges; of one layer and day none overlap.")


@change_input(templates.ReviseTemplate, "What a template says from now on: a new version of it.")
class TemplateRevision:
    template_id: strawberry.ID = strawberry.field(description="The template.")
    ranges: list[TemplateRangeInput] = strawberry.field(description="Its ranges from now on.")
    reapply_from: date | None = strawberry.field(
        default=None,
        description="Where it is applied, the new version holds from this day on; left out: the old one does.",
    )
    over_frozen_day: bool = strawberry.field(default=False, description=OVER_FROZEN_DAY)


@change_input(templates.RetireTemplate, "A template that is not offered any more; where it is applied it stays.")
class TemplateRetirement:
    template_id: strawberry.ID = strawberry.field(description="The template.")


@change_input(templates.ApplyTemplate, "A template that holds between two dates and replaces what recurs there then.")
class TemplateApplicationInput:
    template_id: strawberry.ID = strawberry.field(description="The template.")
    template_version: int | None = strawberry.field(default=None, description="Its version; left out: the latest.")
    counter_id: strawberry.ID | None = strawberry.field(default=None, description=COUNTER)
    from_date: date = strawberry.field(description="The first day.")
    until_date: date | None = strawberry.field(default=None, description="The last day; left out: for ever.")
    every_weeks: int = strawberry.field(
        default=1, description="Every n-th week, counted from the one that contains the first day."
    )
    weekdays: list[Weekday] | None = strawberry.field(
        default=None, description="On which days, for a day template; for no other."
    )
    over_frozen_day: bool = strawberry.field(default=False, description=OVER_FROZEN_DAY)


@change_input(templates.EndTemplateApplication, "An earlier end of a template that is applied.")
class TemplateApplicationEnd:
    application_id: strawberry.ID = strawberry.field(description="The application of the template.")
    until_date: date = strawberry.field(description="The last day on which it holds.")
    over_frozen_day: bool = strawberry.field(default=False, description=OVER_FROZEN_DAY)


@change_input(exceptions.SetException, "What replaces one day's recurring hours; the other days stay as they are.")
class ExceptionInput:
    on_date: date = strawberry.field(description="The day.")
    counter_id: strawberry.ID | None = strawberry.field(default=None, description=COUNTER)
    ranges: list[TimeRangeInput] = strawberry.field(
        default_factory=list, description="When it is open that day; none: closed."
    )
    over_frozen_day: bool = strawberry.field(default=False, description=OVER_FROZEN_DAY)


@change_input(exceptions.RemoveException, "A day that is like the others again.")
class ExceptionRemoval:
    on_date: date = strawberry.field(description="The day.")
    counter_id: strawberry.ID | None = strawberry.field(default=None, description=COUNTER)
    over_frozen_day: bool = strawberry.field(default=False, description=OVER_FROZEN_DAY)


@strawberry.type
class HoursMutation:
    create_template: PlanningChangeResult = change_mutation(
        NewTemplate, "CreateTemplate", "Give an office a day, week or month template."
    )
    revise_template: PlanningChangeResult = change_mutation(
        TemplateRevision, "ReviseTemplate", "Make a new version of a template."
    )
    retire_template: PlanningChangeResult = change_mutation(
        TemplateRetirement, "RetireTemplate", "Do not offer a template any more."
    )
    apply_template: PlanningChangeResult = change_mutation(
        TemplateApplicationInput, "ApplyTemplate", "Let a template hold for an office or a counter between two dates."
    )
    end_template_application: PlanningChangeResult = change_mutation(
        TemplateApplicationEnd, "EndTemplateApplication", "Let a template that is applied end earlier."
    )
    set_exception: PlanningChangeResult = change_mutation(
        ExceptionInput, "SetException", "Give one day other hours than those that recur."
    )
    remove_exception: PlanningChangeResult = change_mutation(
        ExceptionRemoval, "RemoveException", "Let a day be like the others again."
    )
