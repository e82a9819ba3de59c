"""Which of the offices' formats a file has, and its reader."""

from collections.abc import Sequence

from rdv.integrations.directories.dgfip import MARK, Known, parse_dgfip
from rdv.integrations.directories.dila import parse_dila
from rdv.integrations.directories.offices import Communes, ImportedOffice, parse_offices
from rdv.integrations.directories.tables import Parsed, header_of, text_of


def parse_any_offices(data: bytes, communes: Communes, known: Sequence[Known]) -> Parsed[ImportedOffice]:
    """Read offices in any of the formats; raises BadFile."""
    if data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{"):
        return parse_dila(data, communes)
    text = text_of(data)
    if MARK in header_of(text):
        return parse_dgfip(text, communes, known)
    return parse_offices(text, communes)
