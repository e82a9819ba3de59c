"""References, access codes and hold tokens.

A reference is random. The code and the token that go with it are derived from it with the installation's secret key,
so a repeated request can be answered with the same ones although the database keeps hashes only; whoever reads the
database cannot compute either. All are written in an alphabet that can be read out on the phone: no 0, O, 1 or I.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
REFERENCE_LENGTH = 12  # 60 bits
CODE_LENGTH = 10  # 50 bits
MAX_TYPED = 100  # more than this is neither a reference nor a code


class Secrets:
    """Derives and compares with one installation's key."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def hold_token(self, reference: str) -> str:
        """Return the token of the hold with a reference."""
        return urlsafe_b64encode(self._digest("hold", reference)).decode().rstrip("=")

    def access_code(self, reference: str) -> str:
        """Return the access code of the appointment with a reference."""
        number = int.from_bytes(self._digest("code", reference), "big")
        return grouped("".join(ALPHABET[number >> 5 * at & 31] for at in range(CODE_LENGTH)), 5)

    def sealed(self, secret: str) -> str:
        """Return what the database keeps of a code (normalised) or a token."""
        return self._digest("sealed", secret).hex()

    def opens(self, code: str | None, sealed: str | None) -> bool:
        """Tell whether an access code is the sealed one, in constant time, also when there is nothing to compare."""
        given = self.sealed(normalised(code or ""))
        return hmac.compare_digest(given, sealed or self.sealed("-")) and bool(code) and bool(sealed)

    def _digest(self, purpose: str, text: str) -> bytes:
        return hmac.digest(self._key, f"{purpose}:{text}".encode(), sha256)


def new_reference() -> str:
    """Return a reference nobody can guess."""
    return "".join(secrets.choice(ALPHABET) for _ in range(REFERENCE_LENGTH))


def grouped(text: str, by: int = 4) -> str:
    """Return a reference or code as people read it: K7M2-9XTQ-B4ZD."""
    return "-".join(text[at : at + by] for at in range(0, len(text), by))


def normalised(text: str) -> str:
    """Return a reference or code as it is kept, however it was typed."""
    return "".join(character for character in text[:MAX_TYPED].upper() if character.isalnum())
