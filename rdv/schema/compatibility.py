"""What a change of the schema means for who uses it: each difference from the released schema, with its class.

graphql-core tells the classes apart. It does not look at directives, so those that a gateway or a reader relies on are
compared here. A removal that the released schema announced by `@deprecated` is told from one out of the blue by
comparing with the released schema without its deprecated members: the latter is still a difference then.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from graphql import (
    REMOVE,
    BreakingChange,
    BreakingChangeType,
    DangerousChange,
    DocumentNode,
    Node,
    SafeChange,
    SafeChangeType,
    Visitor,
    build_ast_schema,
    find_breaking_changes,
    find_schema_changes,
    parse,
    print_ast,
    visit,
)

REMOVALS = {
    BreakingChangeType.FIELD_REMOVED,
    BreakingChangeType.ARG_REMOVED,
    BreakingChangeType.VALUE_REMOVED_FROM_ENUM,
}


class Class(StrEnum):
    """What a difference does to documents and compositions that were right before."""

    BREAKING = "BREAKING"  # some are wrong now
    DANGEROUS = "DANGEROUS"  # some may meet what they were not written for
    SAFE = "SAFE"


@dataclass(frozen=True)
class Difference:
    """One difference: `said` is a sentence, `removal` whether a member is gone that could have been deprecated."""

    of: Class
    said: str
    removal: bool = False
    announced: bool = False


# What it means that a directive is gone from a place, and that it has come there.
DIRECTIVES = {
    "key": (Class.BREAKING, Class.SAFE),  # other subgraphs refer by it
    "shareable": (Class.BREAKING, Class.SAFE),  # other subgraphs resolve it too
    "authenticated": (Class.SAFE, Class.DANGEROUS),  # gateways refuse by it
    "requiresScopes": (Class.SAFE, Class.DANGEROUS),
    "policy": (Class.SAFE, Class.DANGEROUS),
    "deprecated": (Class.SAFE, Class.SAFE),
}


def differences(released: str, current: str) -> list[Difference]:
    """Return what differs between two schemas in SDL, worst first; other descriptions are no difference."""
    before, after = parse(released), parse(current)
    new = build_ast_schema(after)
    out_of_the_blue = set(find_breaking_changes(build_ast_schema(without_deprecated(before)), new))
    found = list(_directives(before, after))
    for change in find_schema_changes(build_ast_schema(before), new):
        match change:
            case BreakingChange():
                removal = change.type in REMOVALS
                announced = removal and change not in out_of_the_blue
                found.append(Difference(Class.BREAKING, change.description, removal, announced))
            case DangerousChange():
                found.append(Difference(Class.DANGEROUS, change.description))
            case SafeChange() if change.type is not SafeChangeType.DESCRIPTION_CHANGED:
                found.append(Difference(Class.SAFE, change.description))
    return sorted(found, key=lambda one: (list(Class).index(one.of), one.said))


def faults(found: Collection[Difference], named: str) -> list[str]:
    """Return why a change of the schema is refused; `named` is the text that names what may break.

    What was deprecated may go. Other members may not, whatever the text says; other breaking changes need their
    sentence in it.
    """
    faults = []
    for one in found:
        if one.of is not Class.BREAKING or one.announced:
            continue
        if one.removal:
            faults.append(f"{one.said} It must have been @deprecated in a release first.")
        elif one.said not in named:
            faults.append(f"{one.said} It breaks clients, and the changelog does not say so.")
    return faults


def breaking_section(changelog: str) -> str:
    """Return what stands under `### Breaking` of what is not released yet, in a changelog."""
    unreleased = changelog.partition("\n## Unreleased\n")[2].partition("\n## ")[0]
    return unreleased.partition("### Breaking\n")[2].partition("\n### ")[0].replace("\n  ", " ").replace("`", "")


class _WithoutDeprecated(Visitor):
    def enter(self, node: Node, *_: Any) -> Any:  # noqa: ANN401 - the visitor's signature
        return REMOVE if "deprecated" in _names(node) else None


def without_deprecated(document: DocumentNode) -> DocumentNode:
    """Return a schema document without its deprecated fields, arguments and values."""
    changed: DocumentNode = visit(document, _WithoutDeprecated())
    return changed


def _names(node: Node) -> list[str]:
    return [one.name.value for one in getattr(node, "directives", None) or ()]


def _directives(before: DocumentNode, after: DocumentNode) -> Iterator[Difference]:
    """Yield what differs in the directives of places that both schemas have."""
    old, new = dict(_places(before)), dict(_places(after))
    for place in old.keys() & new.keys():
        for name, text in old[place] - new[place]:
            yield Difference(DIRECTIVES[name][0], f"{place} is no longer {text}.")
        for name, text in new[place] - old[place]:
            yield Difference(DIRECTIVES[name][1], f"{place} is {text} now.")


def _places(document: DocumentNode) -> Iterator[tuple[str, set[tuple[str, str]]]]:
    """Yield the coordinate of each type, field, argument and value, and those of its directives that matter."""
    for definition in document.definitions:
        yield from _below("", definition)


def _below(parent: str, node: Node) -> Iterator[tuple[str, set[tuple[str, str]]]]:
    if not hasattr(node, "name"):
        return  # the schema's own definition
    place = f"{parent}{node.name.value}"
    applied = {(one.name.value, print_ast(one)) for one in getattr(node, "directives", None) or ()}
    yield place, {one for one in applied if one[0] in DIRECTIVES}
    for kind in ("fields", "arguments", "values"):
        for member in getattr(node, kind, None) or ():
            yield from _below(f"{place}.", member)
