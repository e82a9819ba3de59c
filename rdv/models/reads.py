"""What an answer was made of, noted while it is made, so that it is known how long it holds."""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

Asked = tuple[int, date, date]  # an office, the first and the last local day


class Version(NamedTuple):
    """It changes whenever an office's situation may have changed; each part only grows."""

    office: int
    nation: int
    days: int

    def since(self, other: "Version") -> bool:
        """Tell whether nothing of it is older than another one."""
        return all(mine >= theirs for mine, theirs in zip(self, other, strict=True))

    def __str__(self) -> str:
        return ".".join(map(str, self))


@dataclass(slots=True)
class Reads:
    """The agendas by their offices and days, until when the first of them holds, and whether anything else was read.

    An office that does not exist has no version. `asked`: versions that were asked for since the request came.
    `clocked`: how many uses of agendas may depend on the minute, since nobody said until when they hold.
    """

    asked: Mapping[Asked, Version] = field(default_factory=dict)

    agendas: dict[Asked, Version | None] = field(default_factory=dict)
    until: datetime | None = None
    clocked: int = 0
    others: bool = False

    def versions(self, offices: Sequence[int], first: date, last: date) -> dict[int, Version] | None:
        """Return offices' versions for some days, if those of all were asked for since the request came."""
        found = {office: self.asked.get((office, first, last)) for office in offices}
        known = {office: version for office, version in found.items() if version is not None}
        return known if len(known) == len(found) else None

    def agenda(self, asked: Asked, version: Version | None, until: datetime | None) -> None:
        """Note an agenda; with the same one of two versions there is no one moment at which the answer holds."""
        self.others |= self.agendas.setdefault(asked, version) != version
        self._before(until)

    def holds(self, until: datetime | None) -> None:
        """Say until when what was made of agendas once read holds by the clock; None: for good."""
        self.clocked -= 1
        self._before(until)

    def _before(self, until: datetime | None) -> None:
        if until is not None and (self.until is None or until < self.until):
            self.until = until


noting: ContextVar[Reads | None] = ContextVar("noting", default=None)
