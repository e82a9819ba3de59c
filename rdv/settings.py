"""One frozen settings object, read once by `app.py` and `cli.py` from the environment (`RDV_…`)."""

from collections.abc import Iterable
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from rdv.errors import BadSetting

SECRET_LENGTH = 32
SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
ALL = "*"
PREFIX, OF_TESTS = "RDV_", "RDV_TEST_"


def _database_url(text: str) -> str:
    # A socket's folder stands in the query and leaves the host empty, which general checks of addresses refuse.
    scheme, separator, rest = text.partition("://")
    if scheme not in SCHEMES or not separator or not rest:
        raise ValueError("not an address like postgresql://user:password@host/database")
    return text


def parts(text: str) -> list[str]:
    """Return what stands between commas."""
    return [one.strip() for one in text.split(",") if one.strip()]


def _proxies(text: str) -> str:
    # The server takes what is no address for the name of a socket, and would believe nobody; of all proxies it would
    # believe the first address, which callers write themselves.
    for one in parts(text):
        try:
            ip_network(one)
        except ValueError:
            raise ValueError("not addresses like 10.0.0.1 and networks like 10.0.0.0/8, by commas") from None
    return text


def _origins(text: str) -> str:
    # Browsers send an origin in exactly one form: any other would never be met.
    if not all(one == ALL or _is_origin(one) for one in parts(text)):
        raise ValueError("not * or origins like https://portal.example.org, without a path or a slash, by commas")
    return text


def _is_origin(text: str) -> bool:
    try:
        found = urlsplit(text)
        _ = found.port
    except ValueError:
        return False
    written = text == f"{found.scheme}://{found.netloc}".lower() and len(text.split()) == 1
    return written and bool(found.hostname) and found.username is None


def _collector(text: str) -> str:
    try:
        found = urlsplit(text)
        known = found.scheme in ("http", "https") and bool(found.hostname) and not (found.query or found.fragment)
    except ValueError:
        known = False
    if text and (not known or found.path.rstrip("/").endswith("/v1/traces")):
        raise ValueError("not an address like http://collector:4318, to which /v1/traces is added")
    return text


DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
Proxies = Annotated[str, AfterValidator(_proxies)]
Origins = Annotated[str, AfterValidator(_origins)]
Collector = Annotated[str, AfterValidator(_collector)]


class Settings(BaseSettings):
    """Every setting there is, with its default; the name in the environment is `RDV_` and the upper-case field."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, hide_input_in_errors=True, extra="ignore")

    database_url: DatabaseUrl | None = Field(default=None, repr=False, description="a PostgreSQL ≥ 15; none = embedded")
    # A pooler that has a server process for each transaction forgets who listens, and what was prepared.
    direct_database_url: DatabaseUrl | None = Field(
        default=None, repr=False, description="the same PostgreSQL, where database_url is a pooler in front of it"
    )
    data_dir: Path = Field(default=Path(".rdv"), description="where embedded database and demo keep files")
    # Empty = not given: only what serves needs it, and says so.
    secret_key: SecretStr = Field(
        default=SecretStr(""), validate_default=False, min_length=SECRET_LENGTH, description="seals codes and tokens"
    )
    token_issuer: str = Field(default="rdv-demo", description="who must have issued an identity token")
    token_audience: str = Field(default="rdv", description="for whom a token must have been issued")
    token_jwks: str = Field(default="", description="the issuer's public keys, as a JSON Web Key Set")
    pool_size: int = Field(default=8, ge=1, le=200, description="database connections per process")
    agendas_kept_mb: int = Field(default=550, ge=0, description="megabytes of compiled agendas of offices in memory")
    answers_kept_mb: int = Field(default=64, ge=0, description="megabytes of answers kept to be sent again; 0 = none")
    explorer: bool = Field(default=True, description="whether browsers see GraphiQL at /graphql")
    introspection: bool = Field(default=True, description="whether the schema tells about itself")
    trusted_documents: str = Field(default="", description="manifests of persisted queries, beside ours; by commas")
    trusted_documents_only: bool = Field(default=False, description="whether only documents of manifests run")
    max_cost: int = Field(default=50_000, ge=1_000, description="the estimated cost of one operation at most")
    max_depth: int = Field(default=25, ge=5, description="how deep one operation may go")
    max_aliases: int = Field(default=200, ge=0, description="how many fields of one document may have other names")
    max_tokens: int = Field(
        default=5_000,
        ge=100,
        description="how many tokens one document may have; ten times as many values its variables",
    )
    max_body_bytes: int = Field(default=1_000_000, ge=1_000, description="how large the body of one request may be")
    max_batch: int = Field(default=10, ge=0, description="how many operations one request may bring; 0 = no batches")
    operation_seconds: float = Field(default=10.0, gt=0, description="how long one operation may take")
    rate_limit: str = Field(default="", description="requests by one caller, like 600/minute; none = no limit")
    live_per_caller: int = Field(default=20, ge=0, description="streams, and sockets, one caller may have open")
    live_per_process: int = Field(
        default=800,
        ge=0,
        description="streams, sockets and what these follow that one process has; each socket is a file",
    )
    trusted_proxies: Proxies = Field(default="", description="proxies whose X-Forwarded-For is believed")
    cors_origins: Origins = Field(default="", description="origins whose scripts may ask, by commas; * = all")
    metrics: bool = Field(default=False, description="whether /metrics answers Prometheus")
    log_format: Literal["text", "json"] = Field(default="text", description="lines for people, or for machines")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="WARNING", description="from INFO on each request is logged: its operation, status and time"
    )
    otlp_endpoint: Collector = Field(
        default="", description="an OpenTelemetry collector (OTLP over HTTP); none = no traces"
    )
    otlp_share: float = Field(default=1.0, ge=0, le=1, description="the share of new traces that is collected")
    statement_timeout_ms: int = Field(default=10_000, ge=100, description="after this a statement is cancelled")

    def on(self, address: str) -> Self:
        """Return the same for a database at an address; another than the configured one is not behind its pooler."""
        direct = self.direct_database_url if address == self.database_url else None
        return self.model_copy(update={"database_url": address, "direct_database_url": direct})


def unknown_settings(names: Iterable[str]) -> list[str]:
    """Return which variables of an environment look like settings and are none, as one that is written wrongly."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    found = (name.upper() for name in names)
    return sorted(one for one in found if one.startswith(PREFIX) and not one.startswith(OF_TESTS) and one not in known)


def read_settings(**given: object) -> Settings:
    """Read the environment; `given` beats it.

    Raises BadSetting with one line that names the setting and the fault, never the value.
    """
    if "database_url" in given:  # the environment's direct address is of its own database
        given = {"direct_database_url": None} | given
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        name = "RDV_" + "_".join(str(part) for part in first["loc"][:1]).upper()
        if first["type"] == "too_short":
            raise BadSetting(f"{name}: needs at least {SECRET_LENGTH} characters") from None
        raise BadSetting(f"{name}: {first['msg'].removeprefix('Value error, ')}") from None
