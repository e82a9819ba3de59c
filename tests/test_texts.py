import ast
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import rdv
from rdv import errors
from rdv.schema.texts import Translate, catalogue, language_from

REFUSALS = {name for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, errors.Refusal)}
PLACES = re.compile(r"\{[a-z_]+\}")


def messages() -> Iterator[str]:
    """Every text of a refusal or a translation in the source: the literal that reads as a sentence."""
    for path in Path(rdv.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _name(node.func) in REFUSALS | {"translate", "plural", "taken"}:
                for argument in node.args:
                    if (
                        isinstance(argument, ast.Constant)
                        and isinstance(argument.value, str)
                        and _reads(node, argument)
                    ):
                        yield argument.value


def _reads(call: ast.Call, argument: ast.Constant) -> bool:
    """Tell texts from names of fields, which a refusal is given beside its text."""
    return _name(call.func) in {"translate", "plural"} or " " in str(argument.value)


def _name(function: ast.expr) -> str:
    return getattr(function, "id", getattr(function, "attr", ""))


def test_every_text_for_usagers_is_translated_into_french() -> None:
    french = catalogue("fr")
    assert [text for text in sorted(set(messages())) if text not in french] == []


def test_no_translation_is_left_over() -> None:
    assert sorted(set(catalogue("fr")) - set(messages())) == []


def test_translations_keep_the_places_of_their_texts() -> None:
    assert [m for m, t in catalogue("fr").items() if sorted(PLACES.findall(m)) != sorted(PLACES.findall(t))] == []


def test_a_text_is_filled_in_the_language_asked_for() -> None:
    message = "At most {limit} appointments at a time are possible at this office."
    assert Translate("en")(message, limit=3) == "At most 3 appointments at a time are possible at this office."
    assert Translate("fr")(message, limit=3) == "Au plus 3 rendez-vous à la fois sont possibles dans ce service."


def test_a_day_is_written_as_its_language_does() -> None:
    message = "Days before {day} are settled: agents were told. Say overFrozenDay to change them."
    assert "avant le 1er mars 2027 " in Translate("fr")(message, day=date(2027, 3, 1))
    assert "avant le 21 mars 2027 " in Translate("fr")(message, day=date(2027, 3, 21))
    assert "before March 1, 2027 " in Translate("en")(message, day=date(2027, 3, 1))


def test_a_number_decides_between_singular_and_plural_as_its_language_does() -> None:
    one, many = "{starts} start removed: {cause}", "{starts} starts removed: {cause}"
    french = [Translate("fr").plural(one, many, starts, cause="x") for starts in (0, 1, 2)]
    assert french == ["0 créneau retiré : x", "1 créneau retiré : x", "2 créneaux retirés : x"]
    english = [Translate("en").plural(one, many, starts, cause="x") for starts in (0, 1, 2)]
    assert english == ["0 starts removed: x", "1 start removed: x", "2 starts removed: x"]


def test_the_language_is_the_one_the_browser_prefers_and_french_otherwise() -> None:
    asked = ["", "en-GB,en;q=0.9", "de", "de,en;q=0.3,fr;q=0.8", "fr-CA", "*;q=x", "en;q=0.1,fr;q=0.9"]
    assert [language_from(one) for one in asked] == ["fr", "en", "fr", "fr", "fr", "fr", "fr"]
