"""Which of the offices' formats a file has, and its reader."""

from collections.abc import Sequence
from typing import Protocol

from rdv.integrations.directories.offices import Communes, ImportedOffice, parse_offices
from rdv.integrations.directories.tables import Parsed, text_of


class Known(Protocol):
    """An office that is known already."""

    @property
    def code(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def commune_code(self) -> str: ...


def parse_any_offices(data: bytes, communes: Communes, known: Sequence[Known]) -> Parsed[ImportedOffice]:
    """Read offices in any of the formats; raises BadFile."""
    return parse_offices(text_of(data), communes)
