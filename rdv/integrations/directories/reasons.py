"""The tree of reasons: names from the file, English from a table, durations and the like assumed per branch."""

from collections.abc import Mapping
from typing import Annotated, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rdv.errors import BadFile
from rdv.integrations.directories.fields import Code, Imported, Kind, Name
from rdv.integrations.directories.tables import Parsed, cause_of, collect

DEEPEST = 3

Modality = Literal["IN_PERSON", "PHONE", "VIDEO"]
Minutes = Annotated[int, Field(ge=5, le=480)]


class Assumed(BaseModel):
    """What nobody publishes about a branch, so that it has to be assumed; a field that is None comes from above it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    duration_minutes: Minutes | None = None
    modalities: tuple[Modality, ...] | None = None
    office_kinds: tuple[Kind, ...] | None = None

    def over(self, above: "Assumed") -> "Assumed":
        return above.model_copy(update=self.model_dump(exclude_none=True))


class ImportedReason(Imported):
    """A node of the tree."""

    code: Code
    parent_code: str | None
    labels: dict[str, Name]
    level: Annotated[int, Field(ge=1, le=DEEPEST)]
    position: int
    audience: Literal["INDIVIDUAL", "BUSINESS"]
    duration_minutes: Minutes
    modalities: tuple[Modality, ...]
    bookable: bool
    office_kinds: tuple[Kind, ...]
    source: str = "assumption"


class _Reader:
    """Walks the tree once, parents before children."""

    def __init__(self, audience: str, english: Mapping[str, str], assumed: Mapping[str, Assumed]) -> None:
        self.audience, self.english, self.assumed = audience, english, assumed
        self.parsed = Parsed[ImportedReason]()
        self.seen: set[object] = set()

    def children(self, nodes: object, parent: str | None, level: int, above: Assumed) -> None:
        if not isinstance(nodes, list):
            self.parsed.skip(self.parsed.read, f"{parent}: children is no list")
            return
        for position, node in enumerate(nodes):
            self.parsed.read += 1
            if isinstance(node, dict):
                self._node(node, parent, level, position, above)
            else:
                self.parsed.skip(self.parsed.read, f"{parent or 'tree'}: entry {position} is no object")

    def _node(self, node: dict[str, object], parent: str | None, level: int, position: int, above: Assumed) -> None:
        number = self.parsed.read
        code = self._code(node)
        try:
            assumed = Assumed.model_validate(node).over(self.assumed.get(code, Assumed()).over(above))
        except ValidationError as error:
            self.parsed.skip(number, f"{code}: {cause_of(error)}")
            return
        labels = {"fr": node.get("label")}
        if english := node.get("label_en") or self.english.get(code):
            labels["en"] = english
        else:
            self.parsed.warn(number, f"{code}: no English label")
        nodes = node.get("children") or []
        fields = {
            "code": code,
            "parent_code": parent,
            "labels": labels,
            "level": level,
            "position": position,
            "audience": self.audience,
            "bookable": not nodes,
            **assumed.model_dump(),
        }
        taken = len(self.parsed.rows)
        collect(self.parsed, number, lambda: ImportedReason.model_validate(fields), lambda row: row.code, self.seen)
        if len(self.parsed.rows) > taken:
            self.children(nodes, code, level + 1, assumed)

    def _code(self, node: dict[str, object]) -> str:
        """Return the node's code: given, or the end of its address; a second one of the name gets a number."""
        given = node.get("code")
        slug = str(given or str(node.get("url") or "").rstrip("/").rpartition("/")[2])
        code, number = slug, 1
        while code in self.seen:
            number += 1
            code = f"{slug}-{number}"
        return code


def parse_reasons(
    data: bytes, *, english: Mapping[str, str], assumed: Mapping[str, Mapping[str, object]]
) -> Parsed[ImportedReason]:
    """Read a tree `{"audience": …, "tree": [{"code", "label", "children"}]}`.

    Raises BadFile when it is no such tree.
    """
    document = json_object(data)
    if not isinstance(document.get("tree"), list):
        raise BadFile("has no list `tree`")
    branches = {code: Assumed.model_validate(values) for code, values in assumed.items()}
    audience = document.get("audience", "INDIVIDUAL")
    reader = _Reader(str(audience), english, branches)
    reader.children(document["tree"], None, 1, branches["*"])
    return reader.parsed


def json_object(data: bytes) -> dict[str, object]:
    """Return a JSON object; raises BadFile."""
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise BadFile(f"is not JSON: line {error.lineno}: {error.msg}") from None
    if not isinstance(document, dict):
        raise BadFile("is no JSON object")
    return document
