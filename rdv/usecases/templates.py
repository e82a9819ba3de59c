"""Day, week and month templates: made, revised, and applied to an office or one of its counters."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from rdv.errors import InvalidInput, NotFound
from rdv.models import rows
from rdv.models.planning import Opening
from rdv.models.templates import PlanningTemplate, TemplateApplication, TemplateVersion
from rdv.usecases.access import Module
from rdv.usecases.changing import Ground
from rdv.usecases.offices import id_from
from rdv.usecases.opening_changes import (
    NTH,
    Layer,
    TimeRange,
    Weekday,
    check_period,
    check_ranges,
    counter_id,
    take_out,
)
from rdv.usecases.usager_input import checked_text

LONGEST_NAME = 100
MOST_WEEKS = 52


class TemplateKind(StrEnum):
    """What a template describes."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateRange(TimeRange):
    """A range of a template: of a weekday (WEEK, MONTH), the n-th of its month (MONTH; -1 = the last)."""

    layer: Layer = Layer.APPOINTMENT
    weekday: Weekday | None = None
    nth: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTemplate:
    """A new template; its id is the next of those made."""

    code: ClassVar[str] = "CREATE_TEMPLATE"
    module: ClassVar[Module] = Module.PLANNING
    over_frozen_day: ClassVar[bool] = False

    kind: TemplateKind
    name: str
    ranges: Sequence[TemplateRange]

    async def write(self, ground: Ground) -> None:
        """Write it; raises InvalidInput."""
        _check(self.kind, self.ranges)
        row = PlanningTemplate(office_id=ground.office.id, kind=self.kind.value, name=_name(self.name))
        made = await rows.add(ground.connection, row)
        ground.made.append(made)
        await _add_version(ground, made, 1, self.ranges)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviseTemplate:
    """What a template says from now on; where it is applied that only changes from `reapply_from` on, if given."""

    code: ClassVar[str] = "REVISE_TEMPLATE"
    module: ClassVar[Module] = Module.PLANNING

    template_id: str
    ranges: Sequence[TemplateRange]
    reapply_from: date | None = None
    over_frozen_day: bool = False

    async def write(self, ground: Ground) -> None:
        """Write it; raises NotFound or InvalidInput."""
        template = await _template(ground, self.template_id)
        _check(TemplateKind(template["kind"]), self.ranges)
        number = len(await rows.values(ground.connection, TemplateVersion, template_id=template["id"])) + 1
        await _add_version(ground, template["id"], number, self.ranges)
        if self.reapply_from is None:
            return
        ground.refuse_frozen("reapplyFrom", self.reapply_from, over=self.over_frozen_day)
        for one in await rows.values(
            ground.connection, TemplateApplication, office_id=ground.office.id, template_id=template["id"]
        ):
            until = one["until_date"]
            if until is None or until >= self.reapply_from:
                first = max(one["from_date"], self.reapply_from)
                await _end(ground, one, first - timedelta(days=1))
                await _apply(ground, one | {"from_date": first, "version_number": number, "until_date": until})


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireTemplate:
    """A template that is not offered any more; where it is applied it stays so."""

    code: ClassVar[str] = "RETIRE_TEMPLATE"
    module: ClassVar[Module] = Module.PLANNING
    over_frozen_day: ClassVar[bool] = False

    template_id: str

    async def write(self, ground: Ground) -> None:
        """Write it; raises NotFound."""
        template = await _template(ground, self.template_id)
        await rows.change(ground.connection, PlanningTemplate, {"id": template["id"]}, retired=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyTemplate:
    """A template for an office, or for one counter, between two dates: it replaces what recurs there then.

    `template_version` None = the latest; `weekdays` are for a DAY template.
    """

    code: ClassVar[str] = "APPLY_TEMPLATE"
    module: ClassVar[Module] = Module.PLANNING

    template_id: str
    template_version: int | None = None
    counter_id: str | None = None
    from_date: date
    until_date: date | None = None
    every_weeks: int = 1
    weekdays: Sequence[Weekday] | None = None
    over_frozen_day: bool = False

    async def write(self, ground: Ground) -> None:
        """Write it; its id is the next of those made. Raises NotFound or InvalidInput."""
        template = await _template(ground, self.template_id)
        check_period(self.from_date, self.until_date)
        ground.refuse_frozen("fromDate", self.from_date, over=self.over_frozen_day)
        if not 1 <= self.every_weeks <= MOST_WEEKS:
            raise InvalidInput("everyWeeks", "Give a number from {least} to {most}.", least=1, most=MOST_WEEKS)
        if (template["kind"] == TemplateKind.DAY) != bool(self.weekdays):
            raise InvalidInput("weekdays", "Weekdays are needed for a day template, and for no other.")
        versions = await rows.values(ground.connection, TemplateVersion, template_id=template["id"])
        application = {
            "office_id": ground.office.id,
            "template_id": template["id"],
            "version_number": len(versions) if self.template_version is None else self.template_version,
            "counter_id": await counter_id(ground, self.counter_id),
            "from_date": self.from_date,
            "until_date": self.until_date,
            "every_weeks": self.every_weeks,
            "weekdays": sorted({one.number for one in self.weekdays or ()}),
        }
        await _apply(ground, application)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndTemplateApplication:
    """A template that is applied until an earlier day than was intended; what it replaced does not come back."""

    code: ClassVar[str] = "END_TEMPLATE_APPLICATION"
    module: ClassVar[Module] = Module.PLANNING

    application_id: str
    until_date: date
    over_frozen_day: bool = False

    async def write(self, ground: Ground) -> None:
        """Write it; raises NotFound."""
        ground.refuse_frozen("untilDate", self.until_date + timedelta(days=1), over=self.over_frozen_day)
        key = {"office_id": ground.office.id, "id": id_from(self.application_id, field="applicationId")}
        found = await rows.values(ground.connection, TemplateApplication, **key)
        if not found:
            raise NotFound("This template is not applied at this office.")
        await _end(ground, found[0], self.until_date)


async def _template(ground: Ground, template_id: str) -> dict[str, Any]:
    key = {"office_id": ground.office.id, "id": id_from(template_id, field="templateId"), "retired": False}
    found = await rows.values(ground.connection, PlanningTemplate, **key)
    if not found:
        raise NotFound("There is no such template at this office.")
    return found[0]


def _name(text: str) -> str:
    name = checked_text("name", text, LONGEST_NAME)
    if not name:
        raise InvalidInput("name", "A name is needed.")
    return name


def _check(kind: TemplateKind, ranges: Sequence[TemplateRange]) -> None:
    if not ranges:
        raise InvalidInput("ranges", "A template has at least one range.")
    for at, one in enumerate(ranges):
        if (one.weekday is None) != (kind is TemplateKind.DAY):
            raise InvalidInput(f"ranges[{at}].weekday", "Weekdays are for week and month templates, and needed there.")
        if (one.nth is None) != (kind is not TemplateKind.MONTH) or (one.nth is not None and one.nth not in NTH):
            raise InvalidInput(f"ranges[{at}].nth", "Ranges of a month template, and only these, say 1 to 5, or -1.")
    check_ranges(ranges, [(one.layer.value, one.weekday, one.nth) for one in ranges])


async def _add_version(ground: Ground, template: int, number: int, ranges: Sequence[TemplateRange]) -> None:
    said = [
        {
            "layer": one.layer.value,
            "weekday": one.weekday and one.weekday.number,
            "nth": one.nth,
            "start_minute": one.start_time,
            "end_minute": one.end_time,
        }
        for one in ranges
    ]
    row = TemplateVersion(template_id=template, number=number, ranges=said, made_at=ground.now)
    await rows.add(ground.connection, row)


async def _apply(ground: Ground, application: dict[str, Any]) -> None:
    key = {"template_id": application["template_id"], "number": application["version_number"]}
    found = await rows.values(ground.connection, TemplateVersion, **key)
    if not found:
        raise InvalidInput("templateVersion", "There is no such version of this template.")
    ranges = found[0]["ranges"]
    _check_days(application, ranges)
    given = {name: value for name, value in application.items() if name != "id"}
    made = await rows.add(ground.connection, TemplateApplication(**given))
    ground.made.append(made)
    layers = {one["layer"] for one in ranges}
    whose = {"office_id": ground.office.id, "counter_id": application["counter_id"], "agent_id": None}
    await take_out(ground.connection, application["from_date"], application["until_date"], layers, **whose)
    await rows.add_all(ground.connection, [Opening(**_opening(application, one, made)) for one in ranges])


def _opening(application: dict[str, Any], one: dict[str, Any], made: int) -> dict[str, Any]:
    return {
        "office_id": application["office_id"],
        "counter_id": application["counter_id"],
        "application_id": made,
        "layer": one["layer"],
        "source": "template",
        "weekdays": [one["weekday"]] if one["weekday"] else application["weekdays"],
        "nth_of_month": None if one["nth"] is None else [one["nth"]],
        "from_date": application["from_date"],
        "until_date": application["until_date"],
        "every_weeks": application["every_weeks"],
        "start_minute": one["start_minute"],
        "end_minute": one["end_minute"],
    }


def _check_days(application: dict[str, Any], ranges: Sequence[dict[str, Any]]) -> None:
    """Refuse to apply a template between dates that contain none of its weekdays."""
    first, last = application["from_date"], application["until_date"]
    if last is None or (last - first).days >= 6:
        return
    between = {(first + timedelta(days=n)).isoweekday() for n in range((last - first).days + 1)}
    wanted = {one["weekday"] for one in ranges if one["weekday"]} or set(application["weekdays"])
    if not wanted & between:
        raise InvalidInput("fromDate", "None of the template's days lies between these dates.")


async def _end(ground: Ground, application: dict[str, Any], last: date) -> None:
    """Let an application end, from the next day on there is nothing of it."""
    whose = {"office_id": ground.office.id, "application_id": application["id"]}
    await take_out(ground.connection, last + timedelta(days=1), None, **whose)
    if last < application["from_date"]:
        await rows.remove(ground.connection, TemplateApplication, id=application["id"])
    else:
        await rows.change(ground.connection, TemplateApplication, {"id": application["id"]}, until_date=last)
