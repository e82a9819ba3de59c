"""Who issued this token, and whom does it speak for: a port, its real form, the null form, and the demo's issuer.

Every refusal is the same `BadToken`, whatever was wrong: a caller who guesses learns nothing. Only public keys, only
RS256, ES256 and EdDSA, and for each key its own algorithm alone: what the token's header says is never obeyed, so
neither `none` nor a public key used as an HMAC secret gets through. The clock is an argument.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Protocol

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import OKPAlgorithm
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from rdv.errors import BadSetting, BadToken
from rdv.integrations.keepsakes import keepsake
from rdv.integrations.viewer import Profile, Scope, Viewer, ViewerKind

ALGORITHMS = frozenset({"RS256", "ES256", "EdDSA"})
LONGEST_TOKEN = 16_384
SHORTEST_RSA_BITS = 2_048
SKEW_SECONDS = 60  # how far an issuer's clock may be ahead; a token's end is never stretched

Clock = Callable[[], datetime]


class Identity(Protocol):
    """Tells whom a token speaks for."""

    def viewer(self, token: str) -> Viewer:
        """Return the caller a bearer token speaks for; raises BadToken."""


def bearer(identity: Identity, authorization: str) -> Viewer:
    """Return whom an Authorization header speaks for; raises BadToken."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise BadToken
    return identity.viewer(token.strip())


class Claims(BaseModel):
    """What a token must say, each claim by itself; `rdv_viewer` checks what they say together."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    sub: str = Field(min_length=1, max_length=200)
    exp: FiniteFloat
    nbf: FiniteFloat | None = None
    iat: FiniteFloat | None = None
    name: str | None = Field(default=None, max_length=200)
    rdv_kind: Literal["usager", "agent", "administrator", "device"]
    rdv_profile: Literal["local", "national"] | None = None
    rdv_scope: Literal["own", "departement", "national"] | None = None
    rdv_offices: list[str] = Field(default_factory=list, max_length=1_000)
    rdv_departement: str | None = Field(default=None, min_length=1, max_length=10)


class NoIdentity:
    """Nobody signs in: no issuer is configured."""

    def viewer(self, token: str) -> Viewer:
        """Refuse every token."""
        del token
        raise BadToken


class JwksIdentity:
    """Verifies JSON Web Tokens against the public keys of one issuer."""

    def __init__(self, jwks: str, *, issuer: str, audience: str, clock: Clock) -> None:
        """Read the key set; raises BadSetting when it contains no usable key, or a private one."""
        self._keys = read_keys(jwks)
        self._issuer = issuer
        self._audience = audience
        self._clock = clock

    def viewer(self, token: str) -> Viewer:
        """Return the caller the token speaks for; raises BadToken, which never says why."""
        try:
            return self._verified(token)
        except (jwt.PyJWTError, ValidationError, ValueError, TypeError, KeyError, RecursionError):
            raise BadToken from None

    def _verified(self, token: str) -> Viewer:
        if len(token) > LONGEST_TOKEN:
            raise BadToken
        key = self._keys[jwt.get_unverified_header(token)["kid"]]
        payload = jwt.decode(
            token,
            key.key,
            algorithms=[key.algorithm_name],
            audience=self._audience,
            issuer=self._issuer,
            # Times are checked below, against the clock that was given.
            options={
                "require": ["iss", "aud", "exp", "sub"],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
        claims = Claims.model_validate(payload)
        self._check_times(claims)
        return rdv_viewer(claims)

    def _check_times(self, claims: Claims) -> None:
        now = self._clock().timestamp()
        begins = max(claims.nbf or 0.0, claims.iat or 0.0)
        if not begins - SKEW_SECONDS <= now < claims.exp:
            raise BadToken


def read_keys(jwks: str) -> Mapping[str, jwt.PyJWK]:
    """Return the verification keys of a JSON Web Key Set by their ids; others of the set are left out.

    Raises BadSetting when none is left, when an id is missing or given twice, or when a key is private.
    """
    keys: dict[str, jwt.PyJWK] = {}
    for given in _listed(jwks):
        if "d" in given or given.get("kty") == "oct":
            raise BadSetting("RDV_TOKEN_JWKS: contains a private or shared key; only public ones belong here")
        key = _usable(given)
        if key is None:
            continue
        if not isinstance(key.key_id, str) or key.key_id in keys:
            raise BadSetting("RDV_TOKEN_JWKS: every key needs a `kid` of its own")
        keys[key.key_id] = key
    if not keys:
        raise BadSetting(f"RDV_TOKEN_JWKS: contains no usable key ({', '.join(sorted(ALGORITHMS))})")
    return keys


def _listed(jwks: str) -> list[dict[str, Any]]:
    try:
        listed = json.loads(jwks)["keys"]
    except (ValueError, TypeError, KeyError, RecursionError):
        listed = None
    if not isinstance(listed, list) or not all(isinstance(key, dict) for key in listed):
        raise BadSetting("RDV_TOKEN_JWKS: is not a JSON Web Key Set")
    return listed


def _usable(given: dict[str, Any]) -> jwt.PyJWK | None:
    if given.get("use", "sig") != "sig":
        return None
    try:
        key = jwt.PyJWK(given)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if key.algorithm_name not in ALGORITHMS:
        return None
    weak = isinstance(key.key, RSAPublicKey) and key.key.key_size < SHORTEST_RSA_BITS
    return None if weak else key


def rdv_viewer(claims: Claims) -> Viewer:
    """Return the caller that claims describe; raises BadToken when they contradict each other.

    A usager has no profile, no scope and no office. A device is bound to its own offices. Agents and administrators
    have a profile and a scope, and name exactly what the scope needs: offices (own), a département (and offices
    beyond it, if any), or nothing (national); who belongs to a local office does not reach the whole country.
    """
    profile = None if claims.rdv_profile is None else Profile(claims.rdv_profile.upper())
    scope = None if claims.rdv_scope is None else Scope(claims.rdv_scope.upper())
    kind = ViewerKind(claims.rdv_kind.upper())
    offices = frozenset(claims.rdv_offices)
    if not _consistent(kind, profile, scope, has_offices=bool(offices), departement=claims.rdv_departement):
        raise BadToken
    return Viewer(
        kind=kind,
        subject=claims.sub,
        name=claims.name,
        profile=profile,
        scope=scope,
        offices=offices,
        departement=claims.rdv_departement,
    )


def _consistent(
    kind: ViewerKind, profile: Profile | None, scope: Scope | None, *, has_offices: bool, departement: str | None
) -> bool:
    match kind, profile, scope:
        case ViewerKind.USAGER, None, None:
            return not has_offices and departement is None
        case ViewerKind.DEVICE, None, Scope.OWN:
            return has_offices and departement is None
        case ((ViewerKind.AGENT | ViewerKind.ADMINISTRATOR), Profile(), Scope.OWN):
            return has_offices and departement is None
        case ((ViewerKind.AGENT | ViewerKind.ADMINISTRATOR), Profile(), Scope.DEPARTEMENT):
            return departement is not None
        case ((ViewerKind.AGENT | ViewerKind.ADMINISTRATOR), Profile.NATIONAL, Scope.NATIONAL):
            return not has_offices and departement is None
        case _:
            return False


class DemoIssuer:
    """Signs tokens for the demo's personas with a key of its own, kept in a file that only its owner may read."""

    def __init__(self, path: Path, *, issuer: str, audience: str) -> None:
        """Read the key, or make it when missing; raises BadSetting when the file is not such a key."""
        pem = keepsake(path, lambda: _pem(Ed25519PrivateKey.generate()))
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError):
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            raise BadSetting(f"RDV_DATA_DIR: {path.name} is not an Ed25519 key; remove it to have a new one")
        self._key = key
        self._issuer = issuer
        self._audience = audience

    def jwks(self) -> str:
        """Return the public key as a JSON Web Key Set."""
        public = OKPAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return json.dumps({"keys": [public | {"kid": self._kid, "use": "sig", "alg": "EdDSA"}]})

    def token(self, viewer: Viewer, *, now: datetime, lifetime: timedelta) -> str:
        """Return a token that speaks for the viewer from `now` (real time) on, for a lifetime."""
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "iat": int(now.astimezone(UTC).timestamp()),
            "exp": int((now + lifetime).astimezone(UTC).timestamp()),
            "sub": viewer.subject,
            "name": viewer.name,
            "rdv_kind": viewer.kind.lower(),
            "rdv_profile": viewer.profile and viewer.profile.lower(),
            "rdv_scope": viewer.scope and viewer.scope.lower(),
            "rdv_offices": sorted(viewer.offices) or None,
            "rdv_departement": viewer.departement,
        }
        said = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(said, self._key, algorithm="EdDSA", headers={"kid": self._kid})

    @property
    def _kid(self) -> str:
        raw = self._key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return f"demo-{raw[:6].hex()}"


def _pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
