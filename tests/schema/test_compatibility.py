"""Which changes of the schema are safe, dangerous or breaking, and which of them may be made."""

from pathlib import Path

import pytest

from rdv.schema.compatibility import Difference, breaking_section, differences, faults
from tests.cli.running import ran

RELEASED = """
directive @key(fields: String!) repeatable on OBJECT
directive @shareable on OBJECT
directive @authenticated on FIELD_DEFINITION
enum Modality { IN_PERSON FAX @deprecated(reason: "Nobody has one.") }
union Result = Hold
type Hold { token: String! }
type Slot @key(fields: "id") @shareable { id: ID!, start: String!, left: Int @deprecated(reason: "Read `start`.") }
type Query { slots(from: String, most: Int @deprecated(reason: "All come.")): [Slot!]! hold: Result way: Modality }
"""


def after(old: str, new: str) -> list[Difference]:
    """Return the differences that come from a change of the text of the released schema."""
    assert RELEASED.count(old) == 1
    return differences(RELEASED, RELEASED.replace(old, new))


def told(found: list[Difference]) -> list[str]:
    return [f"{one.of} {one.said}" for one in found]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("start: String!", "start: String", "Field Slot.start changed type from String! to String."),
        ("start: String!, ", "", "Field Slot.start was removed."),
        ("from: String,", "from: String!,", "Argument Query.slots(from:) has changed type from String to String!."),
        ("from: String,", "from: String, to: String!,", "A required argument Query.slots(to:) was added."),
        ("from: String,", "", "Argument Query.slots(from:) was removed."),
        ("IN_PERSON ", "", "Enum value Modality.IN_PERSON was removed."),
        ('@key(fields: "id") ', "", 'Slot is no longer @key(fields: "id").'),
        (" @shareable {", " {", "Slot is no longer @shareable."),
    ],
)
def test_what_makes_a_right_document_or_composition_wrong_is_breaking(old: str, new: str, said: str) -> None:
    assert told(after(old, new)) == [f"BREAKING {said}"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("IN_PERSON ", "IN_PERSON PHONE ", "Enum value Modality.PHONE was added."),
        ("Result = Hold", "Result = Hold | Slot", "Slot was added to union type Result."),
        ("from: String,", "from: String, to: String,", "An optional argument Query.slots(to:) was added."),
        ("hold: Result", "hold: Result @authenticated", "Query.hold is @authenticated now."),
    ],
)
def test_what_clients_were_not_written_for_is_dangerous_and_may_come(old: str, new: str, said: str) -> None:
    found = after(old, new)
    assert told(found) == [f"DANGEROUS {said}"]
    assert faults(found, "") == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("start: String!", "start: String! end: String", "Field Slot.end was added."),
        ("hold: Result", "hold: Result!", "Field Query.hold changed type from Result to Result!."),
        ("type Hold", "scalar Day type Hold", "Day was added."),
        (
            "token: String!",
            'token: String! @deprecated(reason: "Old.")',
            'Hold.token is @deprecated(reason: "Old.") now.',
        ),
    ],
)
def test_what_only_adds_or_promises_more_is_safe(old: str, new: str, said: str) -> None:
    found = after(old, new)
    assert told(found) == [f"SAFE {said}"]
    assert faults(found, "") == []


def test_another_description_is_no_difference() -> None:
    assert after("type Hold", '"A slot that is kept." type Hold') == []


@pytest.mark.parametrize(
    ("old", "said"),
    [
        (', left: Int @deprecated(reason: "Read `start`.")', "Field Slot.left was removed."),
        (', most: Int @deprecated(reason: "All come.")', "Argument Query.slots(most:) was removed."),
        (' FAX @deprecated(reason: "Nobody has one.")', "Enum value Modality.FAX was removed."),
    ],
)
def test_what_a_release_has_deprecated_may_go(old: str, said: str) -> None:
    found = after(old, "")
    assert told(found) == [f"BREAKING {said}"]
    assert faults(found, "") == []


def test_what_was_never_deprecated_may_not_go_even_if_the_changelog_says_so() -> None:
    found = after("start: String!, ", "")
    refusal = ["Field Slot.start was removed. It must have been @deprecated in a release first."]
    assert faults(found, "") == refusal
    assert faults(found, "Field Slot.start was removed.") == refusal


def test_deprecating_is_no_licence_to_change_a_type() -> None:
    (fault,) = faults(after("left: Int", "left: String"), "")
    assert fault.startswith("Field Slot.left changed type from Int to String. It breaks clients")


def test_another_breaking_change_needs_its_sentence_in_the_changelog() -> None:
    found = after("start: String!", "start: String")
    assert faults(found, "Something else.") == [
        "Field Slot.start changed type from String! to String. It breaks clients, and the changelog does not say so."
    ]
    assert faults(found, "Field Slot.start changed type from String! to String.") == []


def test_only_what_stands_under_breaking_of_the_unreleased_counts() -> None:
    changelog = """# Changelog

## Unreleased
### Added
* Field A.a was removed.
### Breaking
* `Field B.b` changed
  type from A to B.
### Fixed
* Field C.c was removed.
## 1.0.0
### Breaking
* Field D.d was removed.
"""
    assert breaking_section(changelog) == "* Field B.b changed type from A to B."


def test_the_command_prints_differences_and_fails_for_those_that_are_refused(tmp_path: Path) -> None:
    (tmp_path / "released.graphql").write_text(RELEASED)
    (tmp_path / "next.graphql").write_text(RELEASED.replace("start: String!", "start: String, end: String"))
    (tmp_path / "CHANGELOG.md").write_text(
        "# Changelog\n\n## Unreleased\n### Breaking\n* Field Slot.start changed type from String! to String.\n"
    )
    schemas = [str(tmp_path / "released.graphql"), str(tmp_path / "next.graphql")]
    refused = ran(tmp_path, "schema-diff", *schemas)
    assert refused.stdout == (
        "BREAKING  Field Slot.start changed type from String! to String.\nSAFE      Field Slot.end was added.\n"
    )
    assert refused.stderr.startswith("refused: Field Slot.start changed type")
    assert refused.returncode == 1
    named = ran(tmp_path, "schema-diff", *schemas, "--changelog", str(tmp_path / "CHANGELOG.md"))
    assert (named.returncode, named.stdout, named.stderr) == (0, refused.stdout, "")


def test_a_file_that_is_no_schema_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "released.graphql").write_text("type Query {")
    done = ran(tmp_path, "schema-diff", str(tmp_path / "released.graphql"))
    assert done.returncode == 1
    assert done.stderr == "rdv: not a schema: Syntax Error: Expected Name, found <EOF>.\n"
