"""The whole matrix of the design, crossed with every reach: exactly what is allowed, and nothing else."""

from dataclasses import dataclass
from itertools import product

import pytest

from rdv.engine.values import Channel
from rdv.errors import NotAllowed
from rdv.integrations.viewer import ANONYMOUS, Profile, Scope, Viewer, ViewerKind
from rdv.usecases.access import Module, channel_of, may, modules_of, reaches, require


@dataclass(frozen=True)
class AnOffice:
    code: str
    departement: str


OFFICES = {
    "own": AnOffice("sip-own", "75"),
    "same département": AnOffice("sip-other", "75"),
    "other département": AnOffice("sip-far", "974"),
}

# The design's table, line by line, in its own words.
TABLE = {
    Module.NATIONAL_PARAMETERS: {"administrator national"},
    Module.OFFICE_ORGANISATION: {"administrator local", "administrator national"},
    Module.PLANNING: {"administrator local", "administrator national"},
    Module.APPOINTMENTS: {"agent local", "agent national", "administrator local", "administrator national"},
    Module.RECEPTION: {"agent local", "administrator local"},
    Module.STEERING: {"administrator local", "administrator national"},
}
PROFILES = {
    "agent local": (ViewerKind.AGENT, Profile.LOCAL),
    "agent national": (ViewerKind.AGENT, Profile.NATIONAL),
    "administrator local": (ViewerKind.ADMINISTRATOR, Profile.LOCAL),
    "administrator national": (ViewerKind.ADMINISTRATOR, Profile.NATIONAL),
}
REACH = {
    "own": {"own"},
    "own département": {"own", "same département"},
    "other département": {"own", "other département"},  # its own office too, wherever it lies
    "national": {"own", "same département", "other département"},
    "nothing": set(),
}


def viewer(profile: str, reach: str) -> Viewer:
    kind, of = PROFILES[profile]
    own = frozenset({"sip-own"})
    match reach:
        case "own":
            return Viewer(kind=kind, profile=of, subject="s", scope=Scope.OWN, offices=own)
        case "own département":
            return Viewer(kind=kind, profile=of, subject="s", scope=Scope.DEPARTEMENT, departement="75")
        case "other département":
            return Viewer(kind=kind, profile=of, subject="s", scope=Scope.DEPARTEMENT, departement="974", offices=own)
        case "national":
            return Viewer(kind=kind, profile=of, subject="s", scope=Scope.NATIONAL)
        case _:
            return Viewer(kind=kind, profile=of, subject="s")


EVERYTHING = list(product(TABLE, PROFILES, REACH, OFFICES))


@pytest.mark.parametrize(("module", "profile", "reach", "office"), EVERYTHING)
def test_a_profile_may_use_a_module_exactly_where_the_table_and_its_reach_say(
    module: Module, profile: str, reach: str, office: str
) -> None:
    allowed = profile in TABLE[module] and office in REACH[reach]
    assert may(viewer(profile, reach), module, OFFICES[office]) is allowed


def test_the_table_has_every_module() -> None:
    assert set(TABLE) == set(Module)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_is_told_its_modules_in_the_order_of_the_matrix(profile: str) -> None:
    assert modules_of(viewer(profile, "own")) == tuple(m for m in Module if profile in TABLE[m])


@pytest.mark.parametrize("office", OFFICES)
@pytest.mark.parametrize("module", Module)
@pytest.mark.parametrize(
    "caller",
    [
        ANONYMOUS,
        Viewer(kind=ViewerKind.USAGER, subject="u"),
        Viewer(kind=ViewerKind.DEVICE, subject="k", scope=Scope.OWN, offices=frozenset({"sip-own"})),
        Viewer(kind=ViewerKind.AGENT, subject="a", scope=Scope.NATIONAL),  # no profile
        Viewer(kind=ViewerKind.USAGER, subject="u", profile=Profile.LOCAL, scope=Scope.NATIONAL),
        Viewer(kind=ViewerKind.DEVICE, subject="k", profile=Profile.NATIONAL, scope=Scope.NATIONAL),
    ],
)
def test_whoever_is_neither_agent_nor_administrator_uses_no_module(caller: Viewer, module: Module, office: str) -> None:
    assert not may(caller, module, OFFICES[office])
    assert modules_of(caller) == ()


@pytest.mark.parametrize("office", OFFICES)
def test_a_device_reaches_its_own_office_only(office: str) -> None:
    device = Viewer(kind=ViewerKind.DEVICE, subject="k", scope=Scope.OWN, offices=frozenset({"sip-own"}))
    assert reaches(device, OFFICES[office]) is (office == "own")


@pytest.mark.parametrize("scope", [None, Scope.OWN, Scope.DEPARTEMENT])
@pytest.mark.parametrize("office", OFFICES)
def test_a_scope_that_names_nothing_reaches_nothing(scope: Scope | None, office: str) -> None:
    assert not reaches(Viewer(kind=ViewerKind.AGENT, profile=Profile.LOCAL, scope=scope), OFFICES[office])


def test_what_is_allowed_is_let_through_and_what_is_not_raises() -> None:
    local = viewer("agent local", "own")
    require(local, Module.APPOINTMENTS, OFFICES["own"])
    with pytest.raises(NotAllowed) as caught:
        require(local, Module.PLANNING, OFFICES["own"])
    assert str(caught.value) == "You may not do this for this office."
    with pytest.raises(NotAllowed):
        require(local, Module.APPOINTMENTS, OFFICES["same département"])


@pytest.mark.parametrize(
    ("caller", "channel"),
    [
        (ANONYMOUS, Channel.INTERNET),
        (Viewer(kind=ViewerKind.USAGER, subject="u"), Channel.INTERNET),
        (Viewer(kind=ViewerKind.DEVICE, subject="k", scope=Scope.OWN), Channel.OFFICE),
        (viewer("agent local", "own"), Channel.OFFICE),
        (viewer("administrator local", "own"), Channel.OFFICE),
        (viewer("agent national", "national"), Channel.CONTACT_CENTRE),
        (viewer("administrator national", "national"), Channel.CONTACT_CENTRE),
    ],
)
def test_a_booking_comes_from_the_channel_of_who_makes_it(caller: Viewer, channel: Channel) -> None:
    assert channel_of(caller) is channel
