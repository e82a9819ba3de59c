"""An office's own parameters: how its slots come about, and what usagers may do."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from rdv.engine.values import Policy
from rdv.errors import InvalidInput
from rdv.models import rows
from rdv.models.offices import Office
from rdv.usecases.access import Module
from rdv.usecases.changing import Ground

# By parameter: the smallest and the largest value.
BOUNDS = {
    "step_minutes": (0, 1440),
    "min_lead_minutes": (0, 100_000),
    "max_lead_days": (-1, 730),
    "open_time": (0, 1439),
    "hold_seconds": (30, 86_400),
    "resale_delay_minutes": (0, 7 * 1440),
    "freeze_time": (0, 1440),
    "freeze_days_before": (0, 30),
    "change_deadline_minutes": (0, 100_000),
    "max_appointments_per_usager": (1, 1000),
    "most_per_usager_in_period": (-1, 1000),
    "usager_period_days": (1, 3660),
    "proposal_hold_hours": (1, 24 * 31),
}
NONE = {"step_minutes": 0, "max_lead_days": -1, "most_per_usager_in_period": -1}  # the values that mean: without
COLUMNS = {"open_time": "open_minute", "freeze_time": "freeze_minute"}  # where they are called otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class SetParameters:
    """What an office sets; None = as it is. Times are minutes of the day."""

    code: ClassVar[str] = "SET_PARAMETERS"
    module: ClassVar[Module] = Module.PLANNING

    step_minutes: int | None = None
    min_lead_minutes: int | None = None
    max_lead_days: int | None = None
    lead_in_open_days: bool | None = None
    auto_open: bool | None = None
    open_time: int | None = None
    published_until: date | None = None
    hold_seconds: int | None = None
    resale_delay_minutes: int | None = None
    freeze_time: int | None = None
    freeze_days_before: int | None = None
    change_deadline_minutes: int | None = None
    max_appointments_per_usager: int | None = None
    most_per_usager_in_period: int | None = None
    usager_period_days: int | None = None
    slot_policy: Policy | None = None
    open_to_booking: bool | None = None
    staffed: bool | None = None
    proposal_hold_hours: int | None = None
    over_frozen_day: bool = False

    async def write(self, ground: Ground) -> None:
        """Write them; raises InvalidInput."""
        given = {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}
        given.pop("over_frozen_day", None)
        for name, value in given.items():
            least, most = BOUNDS.get(name, (None, None))
            if least is not None and most is not None and not least <= value <= most:
                raise InvalidInput(_camel(name), "Give a number from {least} to {most}.", least=least, most=most)
        if self.published_until is not None and not 1971 <= self.published_until.year <= 2199:
            raise InvalidInput("publishedUntil", "This date is out of range.")
        columns = {COLUMNS.get(n, n): None if NONE.get(n) == value else value for n, value in given.items()}
        if self.slot_policy is not None:
            columns["slot_policy"] = self.slot_policy.name
        if columns:
            await rows.change(ground.connection, Office, {"id": ground.office.id}, **columns)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.title, others))
