"""Texts for people in their language: gettext catalogues, French and English, chosen per request.

English texts are the msgids, so English needs no catalogue. Catalogues are read from the `.po` files as they are: they
are small, and nothing has to be compiled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files

from babel import Locale, negotiate_locale
from babel.dates import format_date
from babel.messages.pofile import read_po

LANGUAGES = ("fr", "en")


@dataclass(frozen=True, slots=True)
class Translate:
    """Translates into one language."""

    language: str

    def __call__(self, message: str, **values: object) -> str:
        """Return the message in the language, its places filled, days as they are written in it."""
        text = message if self.language == "en" else catalogue(self.language).get(message, message)
        return text.format(**{name: self._shown(value) for name, value in values.items()})

    def _shown(self, value: object) -> object:
        if type(value) is not date:
            return value
        text = format_date(value, "long", locale=self.language)
        return text.replace("1 ", "1er ", 1) if self.language == "fr" and value.day == 1 else text

    def plural(self, one: str, many: str, starts: int, **values: object) -> str:
        """Return one of two messages by the language's rule for a number of starts, its places filled."""
        singular = Locale(self.language).plural_form(starts) == "one"
        return self(one if singular else many, starts=starts, **values)


@cache
def catalogue(language: str) -> dict[str, str]:
    """Return a language's texts by msgid, a plural's by its own; what is not translated is left out."""
    with files("rdv").joinpath("locale", language, "LC_MESSAGES", "rdv.po").open("rb") as file:
        messages = [(_forms(m.id), _forms(m.string)) for m in read_po(file, locale=language)]
    return {given: text for ids, texts in messages for given, text in zip(ids, texts, strict=True) if given and text}


def _forms(text: str | Sequence[str] | None) -> Sequence[str]:
    return [text] if isinstance(text, str) else text or []


def language_from(accept_language: str) -> str:
    """Return the language that a browser's header prefers; French when it says nothing we speak."""
    return _language_from(accept_language[:200])


@lru_cache(maxsize=500)
def _language_from(accept_language: str) -> str:
    wanted = []
    for part in accept_language.split(","):
        name, _, quality = part.partition(";q=")
        try:
            wanted.append((-float(quality or 1), name.strip()))
        except ValueError:
            continue
    ranked = [name.replace("-", "_") for _, name in sorted(wanted, key=lambda pair: pair[0]) if name]
    found = negotiate_locale([*ranked, *(name.partition("_")[0] for name in ranked)], LANGUAGES)
    return found or LANGUAGES[0]
