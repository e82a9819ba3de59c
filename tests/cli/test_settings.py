"""Settings are refused when they cannot be meant, and the server's own address is never used for another database."""

import pytest

from rdv.errors import BadSetting
from rdv.settings import read_settings, unknown_settings

POOLER, DIRECT, OTHER = (f"postgresql://rdv@{host}/rdv" for host in ("pooler", "server", "other"))


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RDV_DATABASE_URL", POOLER)
    monkeypatch.setenv("RDV_DIRECT_DATABASE_URL", DIRECT)


def test_both_are_read_from_the_environment() -> None:
    assert read_settings().on(POOLER).direct_database_url == DIRECT


def test_an_address_that_is_put_in_the_place_of_the_configured_one_stands_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert read_settings().on(OTHER).direct_database_url is None
    assert read_settings(database_url=OTHER).direct_database_url is None
    monkeypatch.delenv("RDV_DATABASE_URL")  # the embedded one, wherever it is
    assert read_settings().on(OTHER).direct_database_url is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trusted_proxies", ""),
        ("trusted_proxies", "127.0.0.1, 10.0.0.0/8,2001:db8::/32"),
        ("cors_origins", "*"),
        ("cors_origins", "https://portal.example.org,http://localhost:3000"),
        ("otlp_endpoint", "http://collector:4318"),
        ("otlp_endpoint", "https://collector.example.org/otlp/"),
    ],
)
def test_what_can_be_meant_is_taken(name: str, value: str) -> None:
    assert getattr(read_settings(**{name: value}), name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trusted_proxies", "proxy.example.org"),
        ("trusted_proxies", "10.0.0.1/8"),
        ("trusted_proxies", "10.0.0.1 10.0.0.2"),
        ("trusted_proxies", "10.0.0.1,*"),
        ("trusted_proxies", "*"),
        ("cors_origins", "other.example.org"),
        ("cors_origins", "https://portal.example.org/"),
        ("cors_origins", "https://portal.example.org/app"),
        ("cors_origins", "https://Portal.example.org"),
        ("cors_origins", "https://portal.example.org:port"),
        ("cors_origins", "https://someone@portal.example.org"),
        ("cors_origins", "https://portal.example.org other.example.org"),
        ("otlp_endpoint", "otel:4318"),
        ("otlp_endpoint", "grpc://collector:4317"),
        ("otlp_endpoint", "http://collector:4318/v1/traces"),
        ("otlp_endpoint", "http://[collector:4318"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_name_alone(name: str, value: str) -> None:
    with pytest.raises(BadSetting) as refused:
        read_settings(**{name: value})
    assert str(refused.value).startswith(f"RDV_{name.upper()}: not ")
    assert value not in str(refused.value)


def test_variables_that_are_no_settings_are_found() -> None:
    given = ["RDV_MAX_COSTS", "RDV_MAX_COST", "rdv_pool_size", "RDV_TEST_SERVER", "PATH"]
    assert unknown_settings(given) == ["RDV_MAX_COSTS"]
