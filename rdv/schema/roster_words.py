"""Rules that a generated planning cannot keep, in words."""

import datetime as dt
from typing import Any

from babel.dates import format_date

from rdv.models.reason_tree import ReasonNode
from rdv.schema.context import Info
from rdv.schema.reasons import label
from rdv.schema.scalars import clock


def words(info: Info, one: dict[str, Any], reason: ReasonNode | None) -> str:
    """Say what cannot be kept."""
    translate = info.context.translate
    values = {
        "day": format_date(dt.date.fromisoformat(one["date"]), "full", locale=translate.language),
        "start": clock(one["start_minute"]),
        "end": clock(one["end_minute"]),
        "needed": one["needed"],
        "possible": one["possible"],
        "reason": "" if reason is None else label(reason, info),
    }
    said = {
        ("TOO_FEW_COUNTERS", True): lambda: translate(
            "{day}, {start} to {end}: counters to be open: {needed}; that may be open: {possible}.", **values
        ),
        ("TOO_FEW_COUNTERS", False): lambda: translate(
            "{day}, {start} to {end}: agents needed for “{reason}”: {needed}; counters for it that may be open: "
            "{possible}.",
            **values,
        ),
        ("TOO_FEW_PRESENT", True): lambda: translate(
            "{day}, {start} to {end}: counters to be open: {needed}; agents who are there: {possible}.", **values
        ),
        ("TOO_FEW_HOURS", True): lambda: translate(
            "{day}, {start} to {end}: counters to be open: {needed}; as many as longest days and weeks, breaks and "
            "shortest shifts allow: {possible}.",
            **values,
        ),
        ("TOO_FEW_SKILLED", False): lambda: translate(
            "{day}, {start} to {end}: agents needed for “{reason}”: {needed}; who are there and can serve it: "
            "{possible}.",
            **values,
        ),
        ("TOO_FEW_HOURS", False): lambda: translate(
            "{day}, {start} to {end}: agents needed for “{reason}”: {needed}; as many as longest days and weeks, "
            "breaks and shortest shifts allow: {possible}.",
            **values,
        ),
    }
    return said[one["code"], reason is None]()
