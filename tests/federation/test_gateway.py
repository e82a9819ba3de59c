"""A portal's query through a real gateway: one document, two subgraphs, the caller's own token all the way."""

import pytest

from tests.federation.conftest import START, Federated, ask

APPOINTMENTS = "appointments { totalCount edges { node { reference start office { code articles } } } }"
SEEN = f"id displayName profile {{ taxAccount }} {APPOINTMENTS}"
ME = f"{{ me {{ {SEEN} }} }}"
OF_ANYBODY = "query ($id: ID!) { usager(id: $id) { id profile { taxAccount } %s } }"
REFERENCE = "query ($of: [_Any!]!) { _entities(representations: $of) { ... on Usager { %s } } }"


@pytest.mark.parametrize("who", ["camille", "dominique"])
def test_a_usager_reads_their_account_appointments_and_offices_at_once(federated: Federated, who: str) -> None:
    office = {"code": "sip-75101-01", "articles": ["Open longer in May"]}
    appointment = {"reference": federated.references[who], "start": START, "office": office}
    assert ask(federated.gateway, ME, token=federated.tokens[who]) == {
        "data": {
            "me": {
                "id": federated.ids[who],
                "displayName": f"{who.title()} Exemple",
                "profile": {"taxAccount": f"account of {who}"},
                "appointments": {"totalCount": 1, "edges": [{"node": appointment}]},
            }
        }
    }


def test_who_is_known_to_us_is_known_to_the_portal(federated: Federated) -> None:
    asked = "{ viewer { usager { displayName profile { preferredLanguage } } } }"
    assert ask(federated.gateway, asked, token=federated.tokens["camille"])["data"]["viewer"] == {
        "usager": {"displayName": "Camille Exemple", "profile": {"preferredLanguage": "fr"}}
    }


def test_without_a_token_nobody_is_signed_in(federated: Federated) -> None:
    assert ask(federated.gateway, ME) == {"data": {"me": None}}
    anonymous = {"kind": "ANONYMOUS", "usager": None}
    assert ask(federated.gateway, "{ viewer { kind usager { id } } }") == {"data": {"viewer": anonymous}}


def test_a_token_that_is_none_is_refused_by_us_through_the_gateway(federated: Federated) -> None:
    answer = ask(federated.gateway, "{ viewer { kind } }", token="x.y.z")  # noqa: S106 - is none
    (error,) = answer["errors"]
    assert (answer["data"], error["message"]) == (None, "The token is not valid.")
    assert error["extensions"]["serviceName"] == "rdv"


@pytest.mark.parametrize("who", [None, "camille"])
def test_a_reference_to_another_usager_opens_nothing(federated: Federated, who: str | None) -> None:
    token = federated.tokens[who] if who else None
    other = {"id": federated.ids["dominique"]}
    bare = {"data": {"usager": {**other, "profile": None}}}
    assert ask(federated.gateway, OF_ANYBODY % "", other, token) == bare  # the portal gives the reference away
    refused = ask(federated.gateway, OF_ANYBODY % APPOINTMENTS, other, token)
    assert refused["data"] == {"usager": None}
    assert federated.references["dominique"] not in str(refused)
    straight = ask(federated.rdv, REFERENCE % "displayName", {"of": [{"__typename": "Usager", **other}]}, token)
    assert straight["data"] == {"_entities": [None]}


def test_a_reference_to_oneself_opens_ones_appointments(federated: Federated) -> None:
    straight = {"of": [{"__typename": "Usager", "id": federated.ids["dominique"]}]}
    answer = ask(federated.rdv, REFERENCE % "appointments { totalCount }", straight, federated.tokens["dominique"])
    assert answer["data"] == {"_entities": [{"appointments": {"totalCount": 1}}]}
