import pytest

from rdv.integrations.viewer import Viewer
from tests.api.conftest import Api


async def test_what_fails_outside_any_resolver_is_masked_too(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(token: str) -> Viewer:
        raise RuntimeError(f"no keys at {token}")

    monkeypatch.setattr(api.viewers, "viewer", broken)
    response = await api.client.post(
        "/graphql", json={"query": "{ viewer { kind } }"}, headers={"authorization": "Bearer secret"}
    )
    assert response.status_code == 500
    (error,) = response.json()["errors"]
    assert error["message"] == "Une erreur est survenue de notre côté."
    assert error["extensions"]["code"] == "INTERNAL"
    assert len(error["extensions"]["correlationId"]) == 32
    assert "secret" not in response.text
