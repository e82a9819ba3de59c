"""Every way in which a token can be wrong, each shown to be refused in the same words."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from rdv.errors import BadSetting, BadToken
from rdv.integrations.identity import DemoIssuer, JwksIdentity, NoIdentity
from rdv.integrations.viewer import Profile, Scope, Viewer, ViewerKind

NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
ISSUER, AUDIENCE = "https://identity.example.org", "rdv"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
OTHER_ED_KEY = ed25519.Ed25519PrivateKey.generate()

JWKS: dict[str, Any] = {
    "keys": [
        RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True) | {"kid": "rsa", "use": "sig"},
        ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True) | {"kid": "ec"},
        OKPAlgorithm.to_jwk(ED_KEY.public_key(), as_dict=True) | {"kid": "ed", "alg": "EdDSA"},
    ]
}
USAGER = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "exp": int((NOW + timedelta(minutes=5)).timestamp()),
    "sub": "u-1",
    "name": "Camille Exemple",
    "rdv_kind": "usager",
}
AGENT = USAGER | {"sub": "a-1", "rdv_kind": "agent", "rdv_profile": "local", "rdv_scope": "own", "rdv_offices": ["x"]}


def identity(now: datetime = NOW, jwks: dict[str, Any] = JWKS) -> JwksIdentity:
    return JwksIdentity(json.dumps(jwks), issuer=ISSUER, audience=AUDIENCE, clock=lambda: now)


def signed(payload: object, *, kid: str = "ed") -> str:
    return jwt.api_jws.PyJWS().encode(json.dumps(payload).encode(), ED_KEY, algorithm="EdDSA", headers={"kid": kid})


def raw_token(header: object, payload: object, signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(payload).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def refused(token: str, *, now: datetime = NOW) -> bool:
    with pytest.raises(BadToken) as caught:
        identity(now).viewer(token)
    assert str(caught.value) == "The token is not valid."
    assert caught.value.__cause__ is None
    return True


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"), [(RSA_KEY, "RS256", "rsa"), (EC_KEY, "ES256", "ec"), (ED_KEY, "EdDSA", "ed")]
)
def test_a_token_signed_with_a_known_key_speaks_for_its_subject(key: PrivateKey, algorithm: str, kid: str) -> None:
    token = jwt.encode(USAGER, key, algorithm=algorithm, headers={"kid": kid})
    assert identity().viewer(token) == Viewer(kind=ViewerKind.USAGER, subject="u-1", name="Camille Exemple")


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "sub", "rdv_kind"])
def test_a_token_without_a_required_claim_is_refused(claim: str) -> None:
    assert refused(signed({name: value for name, value in USAGER.items() if name != claim}))


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://elsewhere.example.org"},
        {"iss": [ISSUER]},
        {"aud": "another-service"},
        {"aud": []},
        {"aud": 1},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"nbf": int(NOW.timestamp()) + 61},
        {"iat": int(NOW.timestamp()) + 61},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 201},
        {"name": ["Camille"]},
        {"rdv_kind": "ADMINISTRATOR"},
        {"rdv_kind": "anonymous"},
        {"rdv_kind": None},
        {"rdv_offices": "x"},
        {"rdv_offices": [1]},
    ],
)
def test_a_claim_that_says_something_else_is_refused(change: dict[str, Any]) -> None:
    assert refused(signed(USAGER | change))


def test_a_token_is_refused_from_its_end_on_and_not_before() -> None:
    end = NOW + timedelta(minutes=5)
    assert identity(end - timedelta(seconds=1)).viewer(signed(USAGER)).subject == "u-1"
    assert refused(signed(USAGER), now=end)


def test_an_issuer_whose_clock_is_a_minute_ahead_is_understood() -> None:
    ahead = int(NOW.timestamp()) + 60
    assert identity().viewer(signed(USAGER | {"iat": ahead, "nbf": ahead})).subject == "u-1"


def test_one_of_several_audiences_is_enough() -> None:
    assert identity().viewer(signed(USAGER | {"aud": ["portal", AUDIENCE]})).subject == "u-1"


@pytest.mark.parametrize("kid", ["unknown", "rsa", "ec", ""])
def test_a_key_id_that_is_not_the_signing_keys_is_refused(kid: str) -> None:
    assert refused(signed(USAGER, kid=kid))


def test_a_token_without_key_id_is_refused() -> None:
    assert refused(jwt.encode(USAGER, ED_KEY, algorithm="EdDSA"))


def test_a_token_of_a_stranger_who_claims_our_key_id_is_refused() -> None:
    assert refused(jwt.encode(USAGER, OTHER_ED_KEY, algorithm="EdDSA", headers={"kid": "ed"}))


@pytest.mark.parametrize("name", ["none", "None", "NONE", ""])
def test_an_unsigned_token_is_refused(name: str) -> None:
    assert refused(raw_token({"alg": name, "typ": "JWT", "kid": "rsa"}, USAGER))


def test_a_public_key_used_as_a_shared_secret_is_refused() -> None:
    pem = RSA_KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    unsigned = raw_token({"alg": "HS256", "typ": "JWT", "kid": "rsa"}, USAGER).rpartition(".")[0]
    digest = hmac.new(pem, unsigned.encode(), hashlib.sha256).digest()
    assert refused(f"{unsigned}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}")


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
def test_another_algorithm_of_the_same_key_is_refused(algorithm: str) -> None:
    assert refused(jwt.encode(USAGER, RSA_KEY, algorithm=algorithm, headers={"kid": "rsa"}))


def test_a_changed_payload_is_refused() -> None:
    header, _, signature = signed(USAGER).split(".")
    payload = base64.urlsafe_b64encode(json.dumps(USAGER | {"sub": "u-2"}).encode()).rstrip(b"=").decode()
    assert refused(f"{header}.{payload}.{signature}")


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "é.é.é",
        "\ud800",
        "null",
        "x" * 20_000,
        raw_token([], {}),
        raw_token({"alg": "EdDSA", "kid": ["ed"]}, USAGER),
        raw_token({"alg": "EdDSA", "kid": {"ed": 1}}, USAGER),
        raw_token({"alg": "EdDSA", "kid": None}, USAGER),
        raw_token({"alg": "EdDSA", "kid": "ed", "crit": ["x"], "x": 1}, USAGER),
        base64.urlsafe_b64encode(b"[" * 9_000).decode() + ".e30.e30",
    ],
)
def test_garbage_is_refused(token: str) -> None:
    assert refused(token)


def test_a_payload_that_is_no_object_is_refused() -> None:
    assert refused(signed([1]))


@pytest.mark.parametrize(
    ("claims", "viewer"),
    [
        (
            AGENT,
            Viewer(
                kind=ViewerKind.AGENT,
                subject="a-1",
                name="Camille Exemple",
                profile=Profile.LOCAL,
                scope=Scope.OWN,
                offices=frozenset({"x"}),
            ),
        ),
        (
            AGENT | {"rdv_scope": "departement", "rdv_departement": "75", "rdv_offices": []},
            Viewer(
                kind=ViewerKind.AGENT,
                subject="a-1",
                name="Camille Exemple",
                profile=Profile.LOCAL,
                scope=Scope.DEPARTEMENT,
                departement="75",
            ),
        ),
        (
            AGENT
            | {"rdv_kind": "administrator", "rdv_profile": "national", "rdv_scope": "national", "rdv_offices": []},
            Viewer(
                kind=ViewerKind.ADMINISTRATOR,
                subject="a-1",
                name="Camille Exemple",
                profile=Profile.NATIONAL,
                scope=Scope.NATIONAL,
            ),
        ),
        (
            USAGER | {"rdv_kind": "device", "rdv_scope": "own", "rdv_offices": ["x", "y"], "name": None},
            Viewer(kind=ViewerKind.DEVICE, subject="u-1", scope=Scope.OWN, offices=frozenset({"x", "y"})),
        ),
    ],
)
def test_claims_become_the_caller_they_describe(claims: dict[str, Any], viewer: Viewer) -> None:
    assert identity().viewer(signed(claims)) == viewer


@pytest.mark.parametrize(
    "claims",
    [
        USAGER | {"rdv_profile": "local"},
        USAGER | {"rdv_scope": "national"},
        USAGER | {"rdv_offices": ["x"]},
        USAGER | {"rdv_departement": "75"},
        AGENT | {"rdv_profile": None},
        AGENT | {"rdv_scope": None},
        AGENT | {"rdv_offices": []},
        AGENT | {"rdv_departement": "75"},
        AGENT | {"rdv_scope": "departement"},
        AGENT | {"rdv_scope": "national"},
        AGENT | {"rdv_scope": "national", "rdv_offices": []},
        AGENT | {"rdv_scope": "national", "rdv_profile": "national"},
        AGENT | {"rdv_kind": "device"},
        AGENT | {"rdv_kind": "device", "rdv_profile": None, "rdv_scope": "national", "rdv_offices": []},
        AGENT | {"rdv_kind": "device", "rdv_profile": None, "rdv_offices": []},
    ],
)
def test_claims_that_contradict_each_other_are_refused(claims: dict[str, Any]) -> None:
    assert refused(signed(claims))


def test_without_an_issuer_nobody_signs_in() -> None:
    with pytest.raises(BadToken):
        NoIdentity().viewer(signed(USAGER))


def private(key: dict[str, Any]) -> dict[str, Any]:
    return {"keys": [key | {"kid": "k"}]}


@pytest.mark.parametrize(
    ("jwks", "fault"),
    [
        ("", "is not a JSON Web Key Set"),
        ("[]", "is not a JSON Web Key Set"),
        ('{"keys": {}}', "is not a JSON Web Key Set"),
        ('{"keys": [1]}', "is not a JSON Web Key Set"),
        ("[" * 100_000, "is not a JSON Web Key Set"),
        ('{"keys": []}', "contains no usable key (ES256, EdDSA, RS256)"),
        (json.dumps({"keys": [JWKS["keys"][0] | {"use": "enc"}]}), "contains no usable key (ES256, EdDSA, RS256)"),
        (json.dumps({"keys": [JWKS["keys"][0] | {"alg": "RS512"}]}), "contains no usable key (ES256, EdDSA, RS256)"),
        (json.dumps({"keys": [JWKS["keys"][1] | {"crv": "P-384"}]}), "contains no usable key (ES256, EdDSA, RS256)"),
        (json.dumps({"keys": [JWKS["keys"][2] | {"x": "AAAA"}]}), "contains no usable key (ES256, EdDSA, RS256)"),
        (json.dumps({"keys": [{"kty": "unheard-of", "kid": "k"}]}), "contains no usable key (ES256, EdDSA, RS256)"),
        (
            json.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "k"}]}),
            "contains a private or shared key; only public ones belong here",
        ),
        (
            json.dumps(private(OKPAlgorithm.to_jwk(ED_KEY, as_dict=True))),
            "contains a private or shared key; only public ones belong here",
        ),
        pytest.param(
            json.dumps({"keys": [OKPAlgorithm.to_jwk(ED_KEY.public_key(), as_dict=True)]}),
            "every key needs a `kid` of its own",
            id="a key without one",  # the key is another in each process, and a test's name may not be
        ),
        (json.dumps({"keys": JWKS["keys"][:1] * 2}), "every key needs a `kid` of its own"),
    ],
)
def test_a_key_set_that_cannot_be_used_is_a_bad_setting_in_one_line(jwks: str, fault: str) -> None:
    with pytest.raises(BadSetting) as caught:
        JwksIdentity(jwks, issuer=ISSUER, audience=AUDIENCE, clock=lambda: NOW)
    assert str(caught.value) == f"RDV_TOKEN_JWKS: {fault}"


def test_a_short_rsa_key_is_left_out() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - that is the point
    key = RSAAlgorithm.to_jwk(short.public_key(), as_dict=True) | {"kid": "short"}
    with pytest.raises(BadSetting):
        identity(jwks={"keys": [key]})


def test_the_demo_issuer_signs_what_its_own_key_set_verifies(tmp_path: Path) -> None:
    viewers = [
        Viewer(kind=ViewerKind.USAGER, subject="u", name="Camille Exemple"),
        Viewer(
            kind=ViewerKind.AGENT, subject="a", profile=Profile.LOCAL, scope=Scope.OWN, offices=frozenset({"x", "y"})
        ),
        Viewer(
            kind=ViewerKind.AGENT,
            subject="d",
            profile=Profile.LOCAL,
            scope=Scope.DEPARTEMENT,
            offices=frozenset({"x"}),
            departement="75",
        ),
        Viewer(kind=ViewerKind.ADMINISTRATOR, subject="n", profile=Profile.NATIONAL, scope=Scope.NATIONAL),
        Viewer(kind=ViewerKind.DEVICE, subject="k", scope=Scope.OWN, offices=frozenset({"x"})),
    ]
    issuer = DemoIssuer(tmp_path / "made" / "demo-issuer.pem", issuer=ISSUER, audience=AUDIENCE)
    reader = JwksIdentity(issuer.jwks(), issuer=ISSUER, audience=AUDIENCE, clock=lambda: NOW)
    tokens = [issuer.token(viewer, now=NOW, lifetime=timedelta(hours=1)) for viewer in viewers]
    assert [reader.viewer(token) for token in tokens] == viewers


def test_a_demo_token_ends_when_its_life_does(tmp_path: Path) -> None:
    issuer = DemoIssuer(tmp_path / "demo-issuer.pem", issuer=ISSUER, audience=AUDIENCE)
    token = issuer.token(Viewer(kind=ViewerKind.USAGER, subject="u"), now=NOW, lifetime=timedelta(hours=1))
    late = JwksIdentity(issuer.jwks(), issuer=ISSUER, audience=AUDIENCE, clock=lambda: NOW + timedelta(hours=1))
    with pytest.raises(BadToken):
        late.viewer(token)


def test_the_demo_issuer_keeps_its_key_where_only_the_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "demo-issuer.pem"
    first = DemoIssuer(path, issuer=ISSUER, audience=AUDIENCE).jwks()
    assert path.stat().st_mode & 0o777 == 0o600
    assert DemoIssuer(path, issuer=ISSUER, audience=AUDIENCE).jwks() == first
    assert [file.name for file in tmp_path.iterdir()] == ["demo-issuer.pem"]
    assert "PRIVATE" not in first
    assert '"d"' not in first


def test_a_damaged_demo_key_is_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "demo-issuer.pem").write_text("rubbish")
    with pytest.raises(BadSetting) as caught:
        DemoIssuer(tmp_path / "demo-issuer.pem", issuer=ISSUER, audience=AUDIENCE)
    assert str(caught.value) == "RDV_DATA_DIR: demo-issuer.pem is not an Ed25519 key; remove it to have a new one"


def test_a_place_where_no_key_can_be_kept_is_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadSetting) as caught:
        DemoIssuer(tmp_path / "file" / "demo-issuer.pem", issuer=ISSUER, audience=AUDIENCE)
    assert str(caught.value).startswith("RDV_DATA_DIR: demo-issuer.pem cannot be kept there: ")
