"""Reasons: nodes of the national tree, with an office's own values where they are reached through an office."""

from collections.abc import Mapping

import strawberry

from rdv.models.reason_tree import ReasonNode, ReasonTree
from rdv.schema.context import Info
from rdv.schema.enums import Modality
from rdv.schema.gateway import about


@strawberry.federation.type(
    keys=["id", "code"],
    description="What a usager comes for: a tree of up to three levels, whose leaves can be booked. Offices have "
    "values of their own: `durationMinutes`, `agentsRequired`, `modalities`, `bookable` are those of the office it was "
    "reached through, else national ones, for a gateway too; so clients keep reasons by place, not by id.",
)
class Reason:
    node: strawberry.Private[ReasonNode]
    nodes: strawberry.Private[Mapping[int, ReasonNode]]
    tree: strawberry.Private[ReasonTree]

    @strawberry.field(description="Identifies the reason; the same in every office.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(str(self.node.id))

    @strawberry.field(description="A stable code in words.")
    def code(self) -> str:
        return self.node.code

    @strawberry.field(description="The reason's name in the language of the request (Accept-Language: fr or en).")
    def label(self, info: Info) -> str:
        return label(self.node, info)

    @strawberry.field(description="1 for a root, up to 3.")
    def level(self) -> int:
        return self.node.level

    @strawberry.field(description="The reason this one is a part of; null for a root.")
    def parent(self) -> "Reason | None":
        if self.node.parent_id is None:
            return None
        return Reason(node=self.nodes[self.node.parent_id], nodes=self.nodes, tree=self.tree)

    @strawberry.field(description="The more precise reasons under this one, in display order.", directives=[about(10)])
    def children(self) -> "list[Reason]":
        children = self.tree.children(self.node.id)
        return [Reason(node=self.nodes[child.id], nodes=self.nodes, tree=self.tree) for child in children]

    @strawberry.field(description="How long an appointment lasts, in minutes: the office's own value where it has one.")
    def duration_minutes(self) -> int:
        return self.node.duration_minutes

    @strawberry.field(description="How many agents receive together.")
    def agents_required(self) -> int:
        return self.node.agents_required

    @strawberry.field(description="How one may be received for it.")
    def modalities(self) -> list[Modality]:
        return [Modality(modality) for modality in self.node.modalities]

    @strawberry.field(description="Whether appointments can be made for it: true for leaves.")
    def bookable(self) -> bool:
        return self.node.bookable


def label(node: ReasonNode, info: Info) -> str:
    """Return a reason's name in the language of the request, in French where there is none."""
    return node.labels.get(info.context.language) or node.labels["fr"]


def national(tree: ReasonTree, nodes: list[ReasonNode]) -> list[Reason]:
    """Return nodes with the values that hold nationally."""
    return [Reason(node=node, nodes=tree.nodes, tree=tree) for node in nodes]
