"""Those who organise an office, and what they do, as tests do it."""

from typing import Any

from rdv.integrations.viewer import Profile, Scope, Viewer, ViewerKind
from tests.api.conftest import Api
from tests.places import Place


def head_of(api: Api, place: Place, name: str = "head") -> str:
    """Make the office's head known and return their token."""
    api.viewers.known[name] = Viewer(
        kind=ViewerKind.ADMINISTRATOR,
        subject=name,
        profile=Profile.LOCAL,
        scope=Scope.OWN,
        offices=frozenset({place.code}),
    )
    return name


async def change(api: Api, place: Place, document: str, who: str = "head", **given: Any) -> dict[str, Any]:
    """Run a mutation of `queries/` that changes the office, as its head, and return its result."""
    if who == "head":
        head_of(api, place)
    (result,) = (await api.data(document, {"input": {"officeId": place.office} | given}, who=who)).values()
    found: dict[str, Any] = result
    return found


async def preview(
    api: Api,
    place: Place,
    changes: list[dict[str, Any]],
    *,
    first: str = "2027-03-01",
    last: str = "2027-03-05",
    **more: Any,
) -> dict[str, Any]:
    """Return what changes would lead to, as the office's head sees it."""
    wanted = {"officeId": place.office, "changes": changes, "from": first, "to": last} | more
    answer = await api.data("planning_preview", {"input": wanted}, who=head_of(api, place))
    found: dict[str, Any] = answer["planningPreview"]
    return found
