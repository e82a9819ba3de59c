"""The documents by which an office sets its parameters."""

from typing import Any

from tests.api.conftest import Api
from tests.api.query_cases.journey import Case
from tests.api.staff import change
from tests.places import Place


async def set_parameters(api: Api, place: Place) -> dict[str, Any]:
    return await change(api, place, "set_parameters", openTime="07:30", slotPolicy="COMPACT", maxLeadDays=-1)


async def set_reason_quota(api: Api, place: Place) -> dict[str, Any]:
    return await change(api, place, "set_reason_quota", reasonId=place.reasons["income"], mostADay=3)


async def set_channel_share(api: Api, place: Place) -> dict[str, Any]:
    return await change(api, place, "set_channel_share", channel="OFFICE", percent=20)


CASES: dict[str, tuple[Case, str, Any]] = {
    "set_channel_share": (set_channel_share, "revision", 1),
    "set_parameters": (set_parameters, "office.parameters.openTime", "07:30"),
    "set_reason_quota": (set_reason_quota, "revision", 1),
}
