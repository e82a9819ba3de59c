"""One spelling for what people write in many ways."""

import re
import unicodedata

_SAINT = re.compile(r"\b(saint(e?)|st(e?))\b")
_NOT_WORD = re.compile(r"[^a-z0-9]+")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss"})


def folded(text: str) -> str:
    """Return the text in lower case, without accents, punctuation as one blank, `st` and `ste` written out.

    >>> folded("L'Haÿ-les-Roses"), folded("ST ÉTIENNE"), folded("Sainte-Œuvre")
    ('l hay les roses', 'saint etienne', 'sainte oeuvre')
    """
    decomposed = unicodedata.normalize("NFKD", text.lower().translate(_LIGATURES))
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    words = _NOT_WORD.sub(" ", bare).strip()
    return _SAINT.sub(lambda found: "sainte" if found.group(2) or found.group(3) else "saint", words)
