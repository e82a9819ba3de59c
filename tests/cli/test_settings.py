"""The server's own address goes with the pooler's: never with another database."""

import pytest

from rdv.settings import read_settings

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
