"""Who is asking, as a signed token said: a value, whoever issued the token."""

from dataclasses import dataclass
from enum import StrEnum


class ViewerKind(StrEnum):
    """What sort of caller this is."""

    ANONYMOUS = "ANONYMOUS"
    USAGER = "USAGER"
    AGENT = "AGENT"
    ADMINISTRATOR = "ADMINISTRATOR"
    DEVICE = "DEVICE"


class Profile(StrEnum):
    """Whether an agent or administrator belongs to a local office or to a national structure."""

    LOCAL = "LOCAL"
    NATIONAL = "NATIONAL"


class Scope(StrEnum):
    """Which offices a caller reaches."""

    OWN = "OWN"
    DEPARTEMENT = "DEPARTEMENT"
    NATIONAL = "NATIONAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """A caller. `offices` are codes of offices (scope OWN), `departement` is for scope DEPARTEMENT.

    `name` is personal data: shown to its owner, never logged.
    """

    kind: ViewerKind = ViewerKind.ANONYMOUS
    subject: str | None = None
    name: str | None = None
    profile: Profile | None = None
    scope: Scope | None = None
    offices: frozenset[str] = frozenset()
    departement: str | None = None


ANONYMOUS = Viewer()
