"""The document by which changes are previewed."""

from typing import Any

from tests.api.conftest import Api
from tests.api.query_cases.journey import Case
from tests.api.staff import preview
from tests.places import Place


async def planning_preview(api: Api, place: Place) -> dict[str, Any]:
    closure = {"fromDate": "2027-03-03", "toDate": "2027-03-03"}
    return {"planningPreview": await preview(api, place, [{"addClosure": closure}])}


CASES: dict[str, tuple[Case, str, Any]] = {
    "planning_preview": (planning_preview, "planningPreview.reasons.0.days.2.after", 0),
}
