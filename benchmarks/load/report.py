"""A report as JSON (what `compare` reads), Markdown (for an issue) and one HTML page with its plots inside."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from benchmarks.load.charts import pictures
from benchmarks.load.run import FORMAT
from rdv.errors import BadFile

Report = Mapping[str, Any]


def write(report: Report, folder: Path) -> list[Path]:
    """Write all three forms and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    forms = {"report.json": as_json(report), "report.md": as_markdown(report), "report.html": as_html(report)}
    for name, text in forms.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in forms]


def read(path: Path) -> Report:
    """Read a report; raises BadFile when it is none."""
    try:
        report: Report = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        raise BadFile(f"{path}: cannot be read as a report") from None
    if not isinstance(report, dict) or report.get("format") != FORMAT:
        raise BadFile(f"{path}: is not a report of `rdv bench load` ({FORMAT})")
    return report


def as_json(report: Report) -> str:
    return orjson.dumps(report, option=orjson.OPT_INDENT_2).decode() + "\n"


def as_markdown(report: Report) -> str:
    return _environment().get_template("report.md.j2").render(r=report)


def as_html(report: Report) -> str:
    drawn = [Markup(one) for one in pictures(report)]  # noqa: S704 - our own drawings; their texts are escaped
    return _environment().get_template("report.html.j2").render(r=report, pictures=drawn)


def _environment() -> Environment:
    folder = Path(__file__).parent / "templates"
    made = Environment(
        loader=FileSystemLoader(folder),
        autoescape=select_autoescape(["html.j2"]),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    made.filters |= {"ms": _ms, "plain": _plain, "counted": _counted}
    return made


def _ms(value: float) -> str:
    return f"{value:.1f}" if abs(value) < 100 else f"{value:.0f}"


def _plain(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _counted(found: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in found.items()) or "0"
