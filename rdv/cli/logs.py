"""Logs without personal data: no request lines, and of an exception its kind and place, never its words or values."""

import logging
import os
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal

from pythonjsonlogger.json import JsonFormatter

from rdv.integrations.trace import trace_id
from rdv.settings import unknown_settings

log = logging.getLogger("rdv.settings")


class Discreet(logging.Formatter):
    """Writes where an exception arose and what kind it was; what it says may be somebody's data."""

    def formatException(  # noqa: N802 - the standard library's name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        kind, _, trace = ei
        if kind is None:
            return ""
        places = [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(trace)]
        return "\n".join([*places, f"{kind.__module__}.{kind.__qualname__}"])


class DiscreetJson(Discreet, JsonFormatter):
    """The same, a JSON object a line, with moments that mean the same on every machine."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - as above
        del datefmt
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


class Traced(logging.Filter):
    """Adds the trace of the request to what is logged while it is answered."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let everything through."""
        record.trace = trace_id.get()
        return True


def logging_config(form: Literal["text", "json"] = "text", level: str = "WARNING") -> dict[str, Any]:
    """Return the configuration: to standard error, of ourselves from a level on, of others what they warn of."""
    names = {"asctime": "time", "levelname": "level", "name": "logger", "exc_info": "error"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"traced": {"()": Traced}},
        "formatters": {
            "text": {"()": Discreet, "format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
            "json": {
                "()": DiscreetJson,
                "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s %(trace)s",
                "rename_fields": names,
            },
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": form, "filters": ["traced"]}},
        "loggers": {"rdv": {"level": level}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
    }


def warn_of_unknown_settings() -> None:
    """Tell the log of variables that nobody reads."""
    for name in unknown_settings(os.environ):
        log.warning("%s: is no setting of this version, and changes nothing", name)
