"""What a caller selected, so that what nobody asked for is not worked out."""

from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, InlineFragmentNode

from rdv.schema.context import Info


def named(info: Info) -> set[str]:
    """Return the names of all fields selected under the present one.

    Each fragment is walked once, however often it is spread: Strawberry's `selected_fields` walks it again each time,
    which a chain of fragments that spread the next one twice makes exponential.
    """
    fragments = {d.name.value: d for d in info.context.document.definitions if isinstance(d, FragmentDefinitionNode)}
    names: set[str] = set()
    pending = [node.selection_set for node in info._raw_info.field_nodes]  # noqa: SLF001 - see above
    while pending:
        selected = pending.pop()
        for one in selected.selections if selected else ():
            if isinstance(one, FragmentSpreadNode):
                fragment = fragments.pop(one.name.value, None)
                pending.append(fragment.selection_set if fragment else None)
            elif isinstance(one, FieldNode | InlineFragmentNode):
                pending.append(one.selection_set)
                names |= {one.name.value} if isinstance(one, FieldNode) else set()
    return names
