"""The national tree of reasons as values, and what one office makes of it.

Loaded once a process and national version; offices differ by their kind and a few overrides, so what an office serves
is worked out here and costs no statement of its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonNode:
    """A node of the tree, with the values that hold at one office (or nationally); `labels` by language."""

    id: int
    code: str
    parent_id: int | None
    labels: Mapping[str, str]
    level: int
    audience: str
    duration_minutes: int
    buffer_minutes: int
    agents_required: int
    modalities: tuple[str, ...]
    bookable: bool
    office_kinds: frozenset[str]
    served: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonOverride:
    """What an office says of a node and everything under it; None = nothing."""

    served: bool | None = None
    duration_minutes: int | None = None
    buffer_minutes: int | None = None
    agents_required: int | None = None
    modalities: tuple[str, ...] | None = None


@dataclass(frozen=True)
class ReasonTree:
    """All nodes in display order (parents before children)."""

    version: int
    nodes: Mapping[int, ReasonNode]
    _children: Mapping[int | None, tuple[int, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        children: dict[int | None, list[int]] = {}
        for node in self.nodes.values():
            children.setdefault(node.parent_id, []).append(node.id)
        object.__setattr__(self, "_children", {parent: tuple(ids) for parent, ids in children.items()})

    def children(self, node_id: int | None) -> tuple[ReasonNode, ...]:
        """Return the nodes right under a node, or the roots for None."""
        return tuple(self.nodes[child] for child in self._children.get(node_id, ()))

    def descendants(self, node_id: int | None) -> list[ReasonNode]:
        """Return all nodes under a node (None: the whole tree), parents before their children."""
        found: list[ReasonNode] = []
        for child in self.children(node_id):
            found += [child, *self.descendants(child.id)]
        return found

    def leaves(self, node_id: int) -> frozenset[int]:
        """Return the ids of the leaves under a node, itself when it is one; none for an unknown id."""
        if node_id not in self.nodes:
            return frozenset()
        children = self._children.get(node_id, ())
        if not children:
            return frozenset({node_id})
        return frozenset().union(*(self.leaves(child) for child in children))

    def at_office(self, kind: str, overrides: Mapping[int, ReasonOverride]) -> Mapping[int, ReasonNode]:
        """Return every node as an office of a kind has it: nearest override at or above it, field by field."""
        found: dict[int, ReasonNode] = {}
        inherited: dict[int | None, ReasonOverride] = {None: ReasonOverride()}
        for node in self.nodes.values():
            above = inherited[node.parent_id]
            here = _nearest(overrides[node.id], above) if node.id in overrides else above
            inherited[node.id] = here
            found[node.id] = _applied(node, here, kind)
        return MappingProxyType(found)


def _nearest(own: ReasonOverride, above: ReasonOverride) -> ReasonOverride:
    names = ReasonOverride.__slots__
    return ReasonOverride(**{n: getattr(own, n) if getattr(own, n) is not None else getattr(above, n) for n in names})


def _applied(node: ReasonNode, override: ReasonOverride, kind: str) -> ReasonNode:
    by_kind = kind in node.office_kinds
    given = {
        name: getattr(override, name)
        for name in ("duration_minutes", "buffer_minutes", "agents_required", "modalities")
        if getattr(override, name) is not None
    }
    return replace(node, served=by_kind if override.served is None else override.served, **given)


# The whole tree in display order; parents come before their children because a level does.
REASONS = """
select (select version from national_version) as version,
       coalesce((select json_agg(json_build_array(id, code, parent_id, labels, level, audience, duration_minutes,
                        buffer_minutes, agents_required, modalities, bookable, office_kinds)
                        order by level, position, id) from reason), '[]')::text as nodes
"""


async def load_tree(connection: AsyncConnection) -> ReasonTree:
    """Read the tree in one statement."""
    row = (await connection.execute(text(REASONS))).one()
    return ReasonTree(version=row.version, nodes={node.id: node for node in map(_node, orjson.loads(row.nodes))})


def _node(values: list[Any]) -> ReasonNode:
    identity, code, parent, labels, level, audience, duration, buffer, agents, modalities, bookable, kinds = values
    return ReasonNode(
        id=identity,
        code=code,
        parent_id=parent,
        labels=labels,
        level=level,
        audience=audience,
        duration_minutes=duration,
        buffer_minutes=buffer,
        agents_required=agents,
        modalities=tuple(modalities),
        bookable=bookable,
        office_kinds=frozenset(kinds),
    )


def overrides_from(rows: Iterable[list[Any]]) -> dict[int, ReasonOverride]:
    """Turn `[reason_id, served, duration, buffer, agents, modalities]` rows into overrides by reason."""
    return {
        reason: ReasonOverride(
            served=served,
            duration_minutes=duration,
            buffer_minutes=buffer,
            agents_required=agents,
            modalities=None if modalities is None else tuple(modalities),
        )
        for reason, served, duration, buffer, agents, modalities in rows
    }
