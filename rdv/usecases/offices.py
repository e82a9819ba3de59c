"""Finding offices and the reasons they serve, from the ids that callers write."""

import re
from collections.abc import Mapping

from rdv.errors import InvalidInput, NotFound
from rdv.models.reason_tree import ReasonNode

LARGEST_ID = 2**63 - 1
_ID = re.compile(r"0|[1-9][0-9]{0,18}")


def id_from(text: str, *, field: str) -> int:
    """Return the number an id stands for; raises NotFound when it cannot be one of ours."""
    if _ID.fullmatch(text) and int(text) <= LARGEST_ID:
        return int(text)
    raise NotFound("There is nothing with this {field}.", field=field)


def served_leaf(reasons: Mapping[int, ReasonNode], reason: int, *, field: str = "reasonId") -> ReasonNode:
    """Return a reason that can be booked at an office, with the office's values."""
    node = reasons.get(reason)
    if node is None:
        raise NotFound("There is no such reason.")
    if not node.bookable:
        raise InvalidInput(field, "This reason has more precise ones under it: choose one of these.")
    if not node.served:
        raise InvalidInput(field, "This office does not serve this reason.")
    return node


def check_modality(node: ReasonNode, modality: str) -> None:
    """Refuse a modality in which a reason is not served."""
    if modality not in node.modalities:
        raise InvalidInput("modality", "This reason is not served in this way.")
