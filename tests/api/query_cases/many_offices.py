"""The documents for a whole set of offices."""

from typing import Any

from rdv.integrations.viewer import Profile, Scope, Viewer, ViewerKind
from tests.api.conftest import Api
from tests.api.query_cases.journey import Case
from tests.places import Place


def national(api: Api) -> str:
    api.viewers.known["national"] = Viewer(
        kind=ViewerKind.ADMINISTRATOR, subject="national", profile=Profile.NATIONAL, scope=Scope.NATIONAL
    )
    return "national"


async def change_offices(api: Api, place: Place) -> dict[str, Any]:
    closure = {"addClosure": {"fromDate": "2027-03-03", "toDate": "2027-03-03"}}
    wanted = {"departement": "75", "changes": [closure]}
    return await api.data("change_offices", {"input": wanted}, who=national(api))


async def set_holiday(api: Api, place: Place) -> dict[str, Any]:
    wanted = {"territory": "FR", "date": "2027-03-03", "closed": True}
    return await api.data("set_holiday", {"input": wanted}, who=national(api))


CASES: dict[str, tuple[Case, str, Any]] = {
    "change_offices": (change_offices, "changeOffices.changed.0.office.code", "sip-75101-01"),
    "set_holiday": (set_holiday, "setHoliday.changed", []),
}
