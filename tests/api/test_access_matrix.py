"""Every mutation and every read that shows a person or a plan, as each profile from near and far."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    build_schema,
    is_required_input_field,
)

from rdv.integrations.viewer import Profile, Scope, Viewer, ViewerKind
from rdv.models.database import Database
from rdv.schema import printed
from tests.api.conftest import Api
from tests.api.steps import booked
from tests.api.test_changes import rows
from tests.places import Place, add_office

SCHEMA = build_schema(printed())

# Who may, by the design's table; what each mutation is a matter of.
ORGANISATION = {"administrator local", "administrator national"}
PLANNING = ORGANISATION
APPOINTMENTS = ORGANISATION | {"agent local", "agent national"}
NATIONAL = {"administrator national"}
ORGANISING = """
createCounter updateCounter retireCounter createAgent updateAgent retireAgent setOfficeReason
"""
PLANNING_IT = """
addClosure removeClosure setParameters setReasonQuota setChannelShare createTemplate reviseTemplate retireTemplate
applyTemplate endTemplateApplication setException removeException setAgentPresence setAgentException addAbsence
removeAbsence restorePlanning publishPlanning applyDraft generatePlanning generatePlannings changeOffices
proposeDelegation acceptDelegation refuseDelegation endDelegation
"""
MATTERS = {
    "NATIONAL": (NATIONAL, "setHoliday"),
    "ORGANISATION": (ORGANISATION, ORGANISING),
    "PLANNING": (PLANNING, PLANNING_IT),
    "APPOINTMENTS": (APPOINTMENTS, "assignAppointment releaseAppointment proposeAlternatives"),
}
# For usagers as well; `test_access.py` says for whom.
OF_USAGERS = {"holdSlot", "releaseHold", "confirmAppointment", "rescheduleAppointment", "cancelAppointment"}
# Their office follows from another id; `test_generation.py` says for whom.
BY_ID = {"cancelGeneration"}

PROFILES = {
    "agent local": (ViewerKind.AGENT, Profile.LOCAL),
    "agent national": (ViewerKind.AGENT, Profile.NATIONAL),
    "administrator local": (ViewerKind.ADMINISTRATOR, Profile.LOCAL),
    "administrator national": (ViewerKind.ADMINISTRATOR, Profile.NATIONAL),
}
REACHES: dict[str, tuple[bool, dict[str, Any]]] = {
    "own office": (True, {"scope": Scope.OWN, "offices": frozenset({"sip-75101-01"})}),
    "another office": (False, {"scope": Scope.OWN, "offices": frozenset({"sip-75101-77"})}),
    "own departement": (True, {"scope": Scope.DEPARTEMENT, "departement": "75"}),
    "another departement": (False, {"scope": Scope.DEPARTEMENT, "departement": "974"}),
    "national": (True, {"scope": Scope.NATIONAL}),
}
OUTSIDERS = {
    "usager": Viewer(kind=ViewerKind.USAGER, subject="u"),
    "kiosk": Viewer(kind=ViewerKind.DEVICE, subject="k", scope=Scope.OWN, offices=frozenset({"sip-75101-01"})),
}


def staff() -> Iterator[tuple[str, str, bool, Viewer]]:
    for profile, (kind, of) in PROFILES.items():
        for reach, (near, scope) in REACHES.items():
            viewer = Viewer(kind=kind, subject=f"{profile} {reach}", profile=of, **scope)
            yield profile, reach, near, viewer


def known(api: Api) -> dict[str, tuple[str, bool]]:
    """Make everybody known; return by name the profile, and whether the office is within reach."""
    api.viewers.known |= OUTSIDERS
    found = dict.fromkeys(OUTSIDERS, ("outsider", False))
    for profile, _, near, viewer in staff():
        api.viewers.known[str(viewer.subject)] = viewer
        found[str(viewer.subject)] = (profile, near)
    return found


def something(wanted: GraphQLInputType, place: Place, name: str = "") -> Any:
    """Return a value of an input type: the office's own where it is asked for, else whatever is well-formed."""
    if isinstance(wanted, GraphQLNonNull):
        wanted = wanted.of_type
    if isinstance(wanted, GraphQLList):
        # Empty changes are of no module.
        return [{"addClosure": something(CLOSURE, place)}] if name == "changes" else []
    if isinstance(wanted, GraphQLEnumType):
        return next(iter(wanted.values))
    if isinstance(wanted, GraphQLInputObjectType):
        fields = wanted.fields.items()
        return {key: something(one.type, place, key) for key, one in fields if is_required_input_field(one)}
    known_values = {"officeId": place.office, "departement": "75", "territory": "FR"}
    plain = {"ID": "1", "Int": 1, "String": "x", "Date": "2027-03-10", "LocalTime": "10:00"}
    return known_values.get(name, plain.get(wanted.name, True))


CLOSURE: Any = SCHEMA.type_map["NewClosure"]


def mutation(name: str, place: Place) -> tuple[str, dict[str, Any]]:
    """Return a document for a mutation, with an input that is well-formed."""
    assert SCHEMA.mutation_type is not None
    field = SCHEMA.mutation_type.fields[name]
    of = field.args["input"].type
    given = something(of, place)
    if name == "changeOffices":
        given |= {"departement": "75"}
    return f"mutation($input: {of}) {{ {name}(input: $input) {{ __typename }} }}", {"input": given}


async def outcome(api: Api, name: str, place: Place, who: str | None) -> str:
    document, given = mutation(name, place)
    answer = await api.data(document, given, who=who)
    return str(answer[name]["__typename"])


def test_every_mutation_is_the_matter_of_some_module() -> None:
    assert SCHEMA.mutation_type is not None
    listed = [name for _, names in MATTERS.values() for name in names.split()]
    assert sorted([*listed, *OF_USAGERS, *BY_ID]) == sorted(SCHEMA.mutation_type.fields)


@pytest.mark.parametrize(
    ("name", "matter"), [(name, matter) for matter, (_, names) in MATTERS.items() for name in names.split()]
)
async def test_a_mutation_is_for_its_profiles_within_their_reach_and_for_nobody_else(
    api: Api, database: Database, name: str, matter: str
) -> None:
    place = await add_office(database, agents=1, staffed=True)
    allowed = MATTERS[matter][0]
    everybody = known(api)
    may = {who for who, (profile, near) in everybody.items() if profile in allowed and (near or matter == "NATIONAL")}
    before = await rows(database)
    for who in sorted(everybody.keys() - may):
        assert await outcome(api, name, place, who) == "NotAllowed", who
    assert await outcome(api, name, place, None) == "NotAllowed"
    assert await rows(database) == before
    for who in sorted(may):
        assert await outcome(api, name, place, who) != "NotAllowed", who


READS = {
    "organisation": ("query($office: ID!) { organisation(officeId: $office) { agents { displayName } } }", PLANNING),
    "planningHistory": ("query($office: ID!) { planningHistory(officeId: $office) { madeBy } }", PLANNING),
    "planningDrafts": ("query($office: ID!) { planningDrafts(officeId: $office) { shifts { date } } }", PLANNING),
    "delegations": ("query($office: ID!) { delegations(officeId: $office) { id } }", PLANNING),
    "planningPreview": (
        """query($office: ID!) {
          planningPreview(input: {officeId: $office, changes: [], from: "2027-03-03", to: "2027-03-03"}) {
            stranded { appointment { usager { displayName } } }
          }
        }""",
        PLANNING,
    ),
}


@pytest.mark.parametrize("name", READS)
async def test_a_plan_is_read_by_those_who_plan_the_office_only(api: Api, database: Database, name: str) -> None:
    place = await add_office(database, agents=1, staffed=True)
    document, allowed = READS[name]
    for who, (profile, near) in [*known(api).items(), (None, ("outsider", False))]:
        answer = await api.answer(document, {"office": place.office}, who=who)
        if profile in allowed and near:
            assert "errors" not in answer, (who, answer)
        else:
            assert answer["data"] is None, who
            assert answer["errors"][0]["extensions"]["code"] == "NOT_ALLOWED", who


PERSONS = """query($reference: String!) {
  appointment(reference: $reference) {
    comment usager { id displayName appointments { totalCount } } agents { displayName } counter { label }
  }
}"""


WITH_CODE = """query($reference: String!, $accessCode: String) {
  appointment(reference: $reference, accessCode: $accessCode) {
    agents { displayName } counter { label } usager { displayName }
  }
}"""


async def test_whatever_shows_a_person_is_for_who_manages_the_offices_appointments(
    api: Api, database: Database
) -> None:
    place = await add_office(database, agents=1, staffed=True)
    keys = await booked(api, place, "2027-03-03T10:00:00+01:00")
    for who, (profile, near) in [*known(api).items(), (None, ("outsider", False))]:
        seen = (await api.data(PERSONS, {"reference": keys["reference"]}, who=who))["appointment"]
        if profile in APPOINTMENTS and near:
            assert seen["usager"]["displayName"] == "Camille Exemple", who
            assert (seen["agents"], seen["counter"]) == ([{"displayName": "Agent 1"}], {"label": "Guichet 1"}), who
        else:
            assert seen is None, who
    theirs = (await api.data(WITH_CODE, keys))["appointment"]
    assert theirs == {"agents": [], "counter": None, "usager": {"displayName": "Camille Exemple"}}
