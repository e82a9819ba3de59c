"""Counters, and what each of them is for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rdv.engine.values import Channel, Modality
from rdv.errors import InvalidInput, NotFound
from rdv.models import rows
from rdv.models.offices import Counter
from rdv.usecases.access import Module
from rdv.usecases.changing import Ground
from rdv.usecases.offices import id_from
from rdv.usecases.usager_input import checked_text

LONGEST_LABEL = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCounter:
    """A new counter, with an agenda of its own; None = no restriction."""

    code: ClassVar[str] = "CREATE_COUNTER"
    module: ClassVar[Module] = Module.OFFICE_ORGANISATION
    over_frozen_day: ClassVar[bool] = False

    label: str
    exposed: bool = True
    reason_ids: Sequence[str] | None = None
    channels: Sequence[Channel] | None = None
    modalities: Sequence[Modality] | None = None

    async def write(self, ground: Ground) -> None:
        """Write it; its id is the next of those made."""
        made = await rows.add(
            ground.connection,
            Counter(
                office_id=ground.office.id,
                label=label(self.label),
                exposed=self.exposed,
                reason_ids=reason_ids(ground, self.reason_ids),
                channels=specialised("channels", self.channels),
                modalities=specialised("modalities", self.modalities),
            ),
        )
        ground.made.append(made)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateCounter:
    """A counter as it is to be from now on, all of it."""

    code: ClassVar[str] = "UPDATE_COUNTER"
    module: ClassVar[Module] = Module.OFFICE_ORGANISATION

    counter_id: str
    label: str
    exposed: bool = True
    reason_ids: Sequence[str] | None = None
    channels: Sequence[Channel] | None = None
    modalities: Sequence[Modality] | None = None
    over_frozen_day: bool = False

    async def write(self, ground: Ground) -> None:
        """Write it; raises NotFound for a counter that is not in use at the office."""
        await change_counter(
            ground,
            self.counter_id,
            label=label(self.label),
            exposed=self.exposed,
            reason_ids=reason_ids(ground, self.reason_ids),
            channels=specialised("channels", self.channels),
            modalities=specialised("modalities", self.modalities),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireCounter:
    """A counter that is given up; who stood there is moved, or is without a place."""

    code: ClassVar[str] = "RETIRE_COUNTER"
    module: ClassVar[Module] = Module.OFFICE_ORGANISATION

    counter_id: str
    over_frozen_day: bool = False

    async def write(self, ground: Ground) -> None:
        """Write it; raises NotFound for a counter that is not in use at the office."""
        await change_counter(ground, self.counter_id, retired=True)


async def change_counter(ground: Ground, counter_id: str, **values: object) -> None:
    """Write columns of a counter in use of the office; raises NotFound."""
    key = {"office_id": ground.office.id, "id": id_from(counter_id, field="counterId"), "retired": False}
    if not await rows.change(ground.connection, Counter, key, **values):
        raise NotFound("There is no such counter at this office.")


def label(text: str) -> str:
    """Return what is written at a counter; raises InvalidInput."""
    checked = checked_text("label", text, LONGEST_LABEL)
    if not checked:
        raise InvalidInput("label", "A name is needed.")
    return checked


def reason_ids(ground: Ground, ids: Sequence[str] | None, *, field: str = "reasonIds") -> list[int] | None:
    """Return nodes of the reason tree, each with everything under it; raises InvalidInput."""
    if ids is None:
        return None
    found = sorted({id_from(one, field=field) for one in ids})
    if not found:
        raise InvalidInput(field, "This would be for nothing: give at least one, or leave it out for no restriction.")
    if any(one not in ground.nation.tree.nodes for one in found):
        raise InvalidInput(field, "There is no such reason.")
    return found


def specialised(field: str, names: Sequence[Channel] | Sequence[Modality] | None) -> list[str] | None:
    """Return what something is restricted to; raises InvalidInput."""
    if names is None:
        return None
    if not names:
        raise InvalidInput(field, "This would be for nothing: give at least one, or leave it out for no restriction.")
    return sorted({one.value for one in names})
