"""Whatever callers write: a typed problem or a GraphQL error that says where, nothing written, never a 500."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from rdv.models.database import Database
from rdv.models.reasons import OfficeReason
from tests.api.conftest import Api
from tests.places import Place, add, add_commune, add_office

TABLES = ("appointment", "appointment_agent", "usager", "idempotency_key", "office_day", "office", "counter", "opening")
FREE = "2027-03-01T10:00:00+01:00"
USAGER = {"firstName": "Camille", "lastName": "Exemple"}


@pytest.fixture
async def place(database: Database) -> Place:
    place = await add_office(database)
    await add_commune(database, "75102", "Paris 2e arrondissement", ["75002"], place.office)
    await add(database, OfficeReason(office_id=place.office, reason_id=place.reasons["survey"], served=False))
    return place


@contextmanager
def nothing_written(database_url: str) -> Iterator[None]:
    """What happens in the block may leave nothing in any table."""
    before = counts(database_url)
    yield
    assert counts(database_url) == before


def counts(database_url: str) -> list[int]:
    with psycopg.connect(database_url) as connection:
        return [connection.execute(f"select count(*) from {table}").fetchone()[0] for table in TABLES]  # type: ignore[call-overload, index]


def wanted(place: Place, **more: Any) -> dict[str, Any]:
    return {"officeId": place.office, "reasonId": place.reasons["declare"]} | more


# ---- one office's slots -------------------------------------------------------------------------------------------

DAY = {"from": "2027-03-01", "to": "2027-03-01"}
SLOTS = [
    ({"to": "2027-05-02"}, "INVALID_INPUT", "to", "Demandez au plus 62 jours."),
    ({"from": "2027-03-02"}, "INVALID_INPUT", "to", "Le dernier jour précède le premier."),
    ({"from": "0001-01-01"}, "INVALID_INPUT", "from", "Cette date est hors limites."),
    ({"from": "9999-12-31", "to": "9999-12-31"}, "INVALID_INPUT", "from", "Cette date est hors limites."),
    ({"to": "9999-12-31"}, "INVALID_INPUT", "to", "Cette date est hors limites."),
    ({"officeId": "0"}, "NOT_FOUND", None, "Ce service n’existe pas."),
    ({"officeId": "99999"}, "NOT_FOUND", None, "Ce service n’existe pas."),
    ({"officeId": "x"}, "NOT_FOUND", None, "Rien ne correspond à « officeId »."),
    ({"officeId": ""}, "NOT_FOUND", None, "Rien ne correspond à « officeId »."),
    ({"officeId": "-1"}, "NOT_FOUND", None, "Rien ne correspond à « officeId »."),
    ({"officeId": "9" * 19}, "NOT_FOUND", None, "Rien ne correspond à « officeId »."),
    ({"officeId": "9" * 5000}, "NOT_FOUND", None, "Rien ne correspond à « officeId »."),
    ({"officeId": "0" * 19 + "1"}, "NOT_FOUND", None, "Rien ne correspond à « officeId »."),
    ({"officeId": "0" * 25 + "1"}, "NOT_FOUND", None, "Rien ne correspond à « officeId »."),
    ({"officeId": "١"}, "NOT_FOUND", None, "Rien ne correspond à « officeId »."),
    ({"officeId": "\0"}, "NOT_FOUND", None, "Rien ne correspond à « officeId »."),
    ({"reasonId": "99999"}, "NOT_FOUND", None, "Ce motif n’existe pas."),
    ({"reasonId": "1; drop table office"}, "NOT_FOUND", None, "Rien ne correspond à « reasonId »."),
    (
        {"reason": "income"},
        "INVALID_INPUT",
        "reasonId",
        "Ce motif en regroupe de plus précis : choisissez l’un d’eux.",
    ),
    ({"reason": "survey"}, "INVALID_INPUT", "reasonId", "Ce service ne traite pas ce motif."),
    ({"reason": "vat"}, "INVALID_INPUT", "reasonId", "Ce service ne traite pas ce motif."),
    ({"modality": "VIDEO"}, "INVALID_INPUT", "modality", "Ce motif n’est pas traité par ce type de rendez-vous."),
    ({"channel": "OFFICE"}, "NOT_ALLOWED", None, "Vous n’êtes pas autorisé à chercher pour un autre canal."),
    (
        {"replacing": "ABCD"},
        "NOT_FOUND",
        None,
        "Ce rendez-vous n’existe pas, ou le code d’accès est inexact.",
    ),
    (
        {"replacing": "\0", "accessCode": "\0"},
        "NOT_FOUND",
        None,
        "Ce rendez-vous n’existe pas, ou le code d’accès est inexact.",
    ),
]


def given(place: Place, change: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return an input with a change; a reason may be named by its code."""
    named = {"reasonId": place.reasons[change["reason"]]} if "reason" in change else {}
    return wanted(place, **more) | {k: v for k, v in change.items() if k != "reason"} | named


async def test_slots_refuse(api: Api, place: Place, database_url: str) -> None:
    found = []
    with nothing_written(database_url):
        for change, *_ in SLOTS:
            answer = await api.answer("search_slots", {"input": given(place, change, **DAY)})
            (error,) = answer["errors"]
            assert (answer["data"], error["path"]) == (None, ["slots"])
            extensions = error["extensions"]
            found.append((change, extensions.pop("code"), extensions.pop("field", None), error["message"]))
            assert extensions == {}
    assert found == SLOTS


async def test_slots_take_a_range_of_exactly_62_days(api: Api, place: Place) -> None:
    found = await api.data("search_slots", {"input": wanted(place, **{"from": "2027-03-01", "to": "2027-05-01"})})
    assert found["slots"]["days"][0]["date"] == "2027-03-01"


# ---- many offices, orientation, reasons, office, appointment --------------------------------------------------------

QUERIES_REFUSED: list[tuple[str, dict[str, Any], str, str | None]] = [
    ("earliest_slots", {"first": 0, "departement": "75"}, "INVALID_INPUT", "first"),
    ("earliest_slots", {"first": 101, "departement": "75"}, "INVALID_INPUT", "first"),
    ("earliest_slots", {"first": -(2**31), "departement": "75"}, "INVALID_INPUT", "first"),
    ("earliest_slots", {}, "INVALID_INPUT", "officeIds"),
    ("earliest_slots", {"officeIds": [str(n) for n in range(501)]}, "INVALID_INPUT", "officeIds"),
    ("earliest_slots", {"officeIds": ["x"]}, "NOT_FOUND", None),
    ("earliest_slots", {"departement": "75", "from": "0001-01-01"}, "INVALID_INPUT", "from"),
    ("earliest_slots", {"departement": "75", "from": "9999-12-31"}, "INVALID_INPUT", "from"),
    ("earliest_slots", {"departement": "\0"}, "INVALID_INPUT", "departement"),
    ("earliest_slots", {"departement": "7" * 5000}, "INVALID_INPUT", "departement"),
    ("earliest_slots", {"near": {"latitude": 91, "longitude": 0}}, "INVALID_INPUT", "near"),
    ("earliest_slots", {"near": {"latitude": 0, "longitude": -180.5}}, "INVALID_INPUT", "near"),
    ("earliest_slots", {"departement": "75", "reasonId": "99999"}, "NOT_FOUND", None),
    ("earliest_slots", {"departement": "75", "reason": "income"}, "INVALID_INPUT", "reasonId"),
    ("orientation", {}, "INVALID_INPUT", "communeCode"),
    ("orientation", {"communeCode": "75102", "postcode": "75002"}, "INVALID_INPUT", "communeCode"),
    ("orientation", {"communeCode": "7510"}, "INVALID_INPUT", "communeCode"),
    ("orientation", {"communeCode": "\0"}, "INVALID_INPUT", "communeCode"),
    ("orientation", {"communeCode": "75102\n"}, "INVALID_INPUT", "communeCode"),
    ("orientation", {"communeCode": "99999"}, "NOT_FOUND", None),
    ("orientation", {"postcode": "7500"}, "INVALID_INPUT", "postcode"),
    ("orientation", {"postcode": "99999"}, "NOT_FOUND", None),
    ("orientation", {"address": " "}, "INVALID_INPUT", "address"),
    ("orientation", {"address": "a" * 301}, "INVALID_INPUT", "address"),
    ("orientation", {"address": "\0"}, "NOT_FOUND", None),
    ("orientation", {"address": "%"}, "NOT_FOUND", None),
    ("orientation", {"address": "nulle part"}, "NOT_FOUND", None),
    ("orientation", {"communeCode": "75102", "reasonId": "x"}, "NOT_FOUND", None),
]


async def test_queries_over_many_offices_refuse(api: Api, place: Place, database_url: str) -> None:
    found = []
    with nothing_written(database_url):
        for document, change, *_ in QUERIES_REFUSED:
            variables = given(place, change)
            del variables["officeId"]
            refused = await api.refusal(document, {"input": variables})
            assert refused["path"] == ["earliestSlots" if document == "earliest_slots" else document]
            found.append((document, change, refused["code"], refused.get("field")))
    assert found == QUERIES_REFUSED


OTHERS_REFUSED = [
    ("{ office { id } }", "INVALID_INPUT", "id"),
    ('{ office(id: "1", code: "x") { id } }', "INVALID_INPUT", "id"),
    ('{ reasons(parentId: "99999") { id } }', "NOT_FOUND", None),
    ('{ reasons(search: "%s") { id } }' % ("x" * 101), "INVALID_INPUT", "search"),
]


async def test_other_queries_refuse(api: Api, place: Place) -> None:
    refused = [(document, await api.refusal(document)) for document, *_ in OTHERS_REFUSED]
    assert [(document, one["code"], one.get("field")) for document, one in refused] == OTHERS_REFUSED


NOTHING_THERE = [
    '{ office(id: "99999") { id } }',
    '{ office(id: "x") { id } }',
    '{ office(code: "x") { id } }',
    r'{ office(code: "\u0000") { id } }',
    r'{ appointment(reference: "\u0000", accessCode: "\u0000") { reference } }',
    '{ appointment(reference: "") { reference } }',
    '{ appointment(reference: "' + "A" * 5000 + '", accessCode: "é") { reference } }',
]


async def test_what_does_not_exist_is_null(api: Api, place: Place) -> None:
    assert [list((await api.data(document)).values()) for document in NOTHING_THERE] == [[None]] * len(NOTHING_THERE)


# ---- mutations ------------------------------------------------------------------------------------------------------

HOLDS = [
    ({"start": "2027-03-01T10:05:00+01:00"}, "INVALID_INPUT", "start"),
    ({"start": "2027-03-01T07:59:00+01:00"}, "INVALID_INPUT", "start"),
    ({"start": "2026-03-02T10:00:00+01:00"}, "INVALID_INPUT", "start"),
    ({"start": "2027-06-01T10:00:00+02:00"}, "INVALID_INPUT", "start"),
    ({"start": "2027-03-01T13:00:00+01:00"}, "INVALID_INPUT", "start"),
    ({"start": "2027-03-06T10:00:00+01:00"}, "INVALID_INPUT", "start"),
    ({"start": "2027-03-01T10:00:01+01:00"}, "INVALID_INPUT", "start"),
    ({"start": "2027-03-01T10:00:00.000001+01:00"}, "INVALID_INPUT", "start"),
    ({"start": "2300-03-01T10:00:00+01:00"}, "INVALID_INPUT", "start"),
    ({"start": "0001-01-01T00:00:00+10:00"}, "INVALID_INPUT", "start"),
    ({"start": "9999-12-31T23:59:00-10:00"}, "INVALID_INPUT", "start"),
    ({"officeId": "99999"}, "NOT_FOUND", None),
    ({"officeId": "x"}, "NOT_FOUND", None),
    ({"reasonId": "99999"}, "NOT_FOUND", None),
    ({"reason": "income"}, "INVALID_INPUT", "reasonId"),
    ({"reason": "survey"}, "INVALID_INPUT", "reasonId"),
    ({"modality": "VIDEO"}, "INVALID_INPUT", "modality"),
    ({"idempotencyKey": ""}, "INVALID_INPUT", "idempotencyKey"),
    ({"idempotencyKey": "k" * 201}, "INVALID_INPUT", "idempotencyKey"),
    ({"idempotencyKey": "\0"}, "INVALID_INPUT", "idempotencyKey"),
]


async def test_holds_are_refused(api: Api, place: Place, database_url: str) -> None:
    found = []
    with nothing_written(database_url):
        for change, *_ in HOLDS:
            refused = (await api.data("hold_slot", {"input": given(place, change, start=FREE)}))["holdSlot"]
            found.append((change, refused["code"], refused.get("field")))
    assert found == HOLDS


USAGERS = [
    ({"email": "camille@"}, "usager.email"),
    ({"email": "camille"}, "usager.email"),
    ({"email": "camille@exa mple.org"}, "usager.email"),
    ({"email": "a@b.org\r\nBcc: x@y.org"}, "usager.email"),
    ({"email": "c" * 300 + "@example.org"}, "usager.email"),
    ({"email": "cam\0ille@example.org"}, "usager.email"),
    ({"phone": "12"}, "usager.phone"),
    ({"phone": "allô"}, "usager.phone"),
    ({"phone": "+33 1 23"}, "usager.phone"),
    ({"phone": "0" * 500}, "usager.phone"),
    ({"phone": "\0"}, "usager.phone"),
    ({"taxNumber": "1234567890123"}, "usager.taxNumber"),
    ({"taxNumber": "x"}, "usager.taxNumber"),
    ({"taxNumber": "\0"}, "usager.taxNumber"),
    ({"companyNumber": "123456789"}, "usager.companyNumber"),
    ({"companyNumber": "73282932000075"}, "usager.companyNumber"),
    ({"companyNumber": "9" * 1000}, "usager.companyNumber"),
    ({"locale": "klingon"}, "usager.locale"),
    ({"locale": "\0"}, "usager.locale"),
    ({"firstName": ""}, "usager.firstName"),
    ({"firstName": "  "}, "usager.firstName"),
    ({"firstName": "x" * 101}, "usager.firstName"),
    ({"firstName": "Ca\0mille"}, "usager.firstName"),
    ({"firstName": "Ca\nmille"}, "usager.firstName"),
    ({"lastName": "\x1b[31mExemple"}, "usager.lastName"),
    ({"lastName": "\u202eelpmexE"}, "usager.lastName"),
    ({"lastName": ""}, "usager.lastName"),
]


async def hold_token(api: Api, place: Place, **more: Any) -> str:
    found: str = (await api.data("hold_slot", {"input": wanted(place, start=FREE) | more}))["holdSlot"]["token"]
    return found


async def confirm(api: Api, token: str, **more: Any) -> dict[str, Any]:
    variables = {"input": {"holdToken": token, "usager": USAGER} | more}
    found: dict[str, Any] = (await api.data("confirm_appointment", variables))["confirmAppointment"]
    return found


async def test_confirmations_are_refused_and_the_hold_stays(api: Api, place: Place, database_url: str) -> None:
    token = await hold_token(api, place)
    found = []
    with nothing_written(database_url):
        for change, _ in USAGERS:
            refused = await confirm(api, token, usager=USAGER | change)
            assert refused["code"] == "INVALID_INPUT"
            found.append((change, refused["field"]))
        for change, field in (
            ({"usager": None}, "usager"),
            ({"comment": "c" * 1001}, "comment"),
            ({"comment": "a\0b"}, "comment"),
            ({"idempotencyKey": "k\n"}, "idempotencyKey"),
        ):
            refused = await confirm(api, token, **change)
            assert (refused["code"], refused["field"]) == ("INVALID_INPUT", field)
    assert found == USAGERS
    assert (await confirm(api, token, comment="c" * 1000))["__typename"] == "AppointmentConfirmed"


async def test_an_appointment_by_phone_needs_a_phone_number(api: Api, place: Place) -> None:
    token = await hold_token(api, place, modality="PHONE")
    refused = await confirm(api, token)
    assert (refused["code"], refused["field"]) == ("INVALID_INPUT", "usager.phone")
    assert (await confirm(api, token, usager=USAGER | {"phone": "0639981234"}))["__typename"] == "AppointmentConfirmed"


async def test_changes_of_an_appointment_are_refused(api: Api, place: Place, database_url: str) -> None:
    made = await confirm(api, await hold_token(api, place))
    keys = {"reference": made["appointment"]["reference"], "accessCode": made["accessCode"]}
    moves = [
        ({"start": "2027-03-01T10:05:00+01:00"}, "INVALID_INPUT"),
        ({"start": "2027-03-01T07:00:00+01:00"}, "INVALID_INPUT"),
        ({"start": "2027-06-01T10:00:00+02:00"}, "INVALID_INPUT"),
        ({"start": "0001-01-01T00:00:00+10:00"}, "INVALID_INPUT"),
        ({"accessCode": "22222-22222"}, "NOT_FOUND"),
        ({"accessCode": None}, "NOT_FOUND"),
        ({"reference": "\0"}, "NOT_FOUND"),
        ({"reference": "A" * 10_000}, "NOT_FOUND"),
        ({"idempotencyKey": "k" * 201}, "INVALID_INPUT"),
    ]
    found = []
    with nothing_written(database_url):
        for change, _ in moves:
            variables = {"input": keys | {"start": "2027-03-01T11:00:00+01:00"} | change}
            answer = (await api.data("reschedule_appointment", variables))["rescheduleAppointment"]
            found.append((change, answer["code"]))
        assert found == moves
        for change in ({"accessCode": "x"}, {"reference": "x"}, {"reference": "\0", "accessCode": "\0"}):
            answer = (await api.data("cancel_appointment", {"input": keys | change}))["cancelAppointment"]
            assert answer["code"] == "NOT_FOUND"
        # The contract's union has no InvalidInput here, so it is a GraphQL error.
        refused = await api.refusal("cancel_appointment", {"input": keys | {"why": "w" * 1001}})
        assert refused == {"code": "INVALID_INPUT", "field": "why", "path": ["cancelAppointment"]}
    assert (await api.data("appointment", keys))["appointment"]["status"] == "BOOKED"
