"""Who may do what: the matrix as data, the check as one function.

Rules of this file: every use case that touches an office or a person's data asks here, with the office in hand, before
it reads or writes for the caller. Nothing else in the project compares kinds, profiles or scopes. Editing `MATRIX` is
a decision of the administration; editing `reaches` changes who sees other offices: both need the tests beside them.
"""

from enum import StrEnum
from typing import Protocol

from rdv.engine.values import Channel
from rdv.errors import NotAllowed
from rdv.integrations.viewer import Profile, Scope, Viewer, ViewerKind


class Module(StrEnum):
    """A part of the product that a profile may use."""

    NATIONAL_PARAMETERS = "NATIONAL_PARAMETERS"
    OFFICE_ORGANISATION = "OFFICE_ORGANISATION"
    PLANNING = "PLANNING"
    APPOINTMENTS = "APPOINTMENTS"
    RECEPTION = "RECEPTION"
    STEERING = "STEERING"


class OfficeLike(Protocol):
    """What the check has to know of an office."""

    @property
    def code(self) -> str: ...
    @property
    def departement(self) -> str: ...


_AGENT_LOCAL = (ViewerKind.AGENT, Profile.LOCAL)
_AGENT_NATIONAL = (ViewerKind.AGENT, Profile.NATIONAL)
_ADMINISTRATOR_LOCAL = (ViewerKind.ADMINISTRATOR, Profile.LOCAL)
_ADMINISTRATOR_NATIONAL = (ViewerKind.ADMINISTRATOR, Profile.NATIONAL)

MATRIX: dict[Module, frozenset[tuple[ViewerKind, Profile]]] = {
    Module.NATIONAL_PARAMETERS: frozenset({_ADMINISTRATOR_NATIONAL}),
    Module.OFFICE_ORGANISATION: frozenset({_ADMINISTRATOR_LOCAL, _ADMINISTRATOR_NATIONAL}),
    Module.PLANNING: frozenset({_ADMINISTRATOR_LOCAL, _ADMINISTRATOR_NATIONAL}),
    Module.APPOINTMENTS: frozenset({_AGENT_LOCAL, _AGENT_NATIONAL, _ADMINISTRATOR_LOCAL, _ADMINISTRATOR_NATIONAL}),
    Module.RECEPTION: frozenset({_AGENT_LOCAL, _ADMINISTRATOR_LOCAL}),
    Module.STEERING: frozenset({_ADMINISTRATOR_LOCAL, _ADMINISTRATOR_NATIONAL}),
}


def modules_of(viewer: Viewer) -> tuple[Module, ...]:
    """Return the modules the viewer's profile may use somewhere, in the matrix's order."""
    return tuple(module for module, allowed in MATRIX.items() if (viewer.kind, viewer.profile) in allowed)


def reaches(viewer: Viewer, office: OfficeLike) -> bool:
    """Tell whether an office is within the viewer's scope."""
    match viewer.scope:
        case Scope.NATIONAL:
            return True
        case Scope.DEPARTEMENT:
            return office.departement == viewer.departement or office.code in viewer.offices
        case Scope.OWN:
            return office.code in viewer.offices
        case None:
            return False


def may(viewer: Viewer, module: Module, office: OfficeLike) -> bool:
    """Tell whether the viewer may use a module for an office."""
    return module in modules_of(viewer) and reaches(viewer, office)


def require(viewer: Viewer, module: Module, office: OfficeLike) -> None:
    """Raise NotAllowed unless the viewer may use the module for the office."""
    if not may(viewer, module, office):
        raise NotAllowed("You may not do this for this office.")


def channel_of(viewer: Viewer) -> Channel:
    """Return the channel the viewer's bookings come from."""
    if viewer.kind in (ViewerKind.ANONYMOUS, ViewerKind.USAGER):
        return Channel.INTERNET
    return Channel.CONTACT_CENTRE if viewer.profile is Profile.NATIONAL else Channel.OFFICE
