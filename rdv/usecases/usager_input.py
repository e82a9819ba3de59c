"""What a usager writes about themselves, checked by well-kept validators and brought into one form."""

import unicodedata
from dataclasses import dataclass

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from stdnum.exceptions import ValidationError
from stdnum.fr import nif, siren, siret

from rdv.errors import InvalidInput
from rdv.models.usagers import UsagerDetails

MAX_NAME = 100
MAX_COMMENT = 1000
LOCALES = ("fr", "en")
HOME_REGION = "FR"  # how a phone number without a country is read
REORDERING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
FICTIONAL = "+3363998"  # the numbers that are kept free for fiction: demonstrations and trainings use them


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagerRequest:
    """A usager as the caller describes them. Personal data."""

    first_name: str
    last_name: str
    email: str | None = None
    phone: str | None = None
    tax_number: str | None = None
    company_number: str | None = None
    locale: str | None = "fr"


def checked_usager(request: UsagerRequest, *, phone_needed: bool) -> UsagerDetails:
    """Return the details in one form; raises InvalidInput that names the field, never the value."""
    details = UsagerDetails(
        first_name=_name("usager.firstName", request.first_name),
        last_name=_name("usager.lastName", request.last_name),
        email=_email(request.email),
        phone=_phone(request.phone),
        tax_number=_tax_number(request.tax_number),
        company_number=_company_number(request.company_number),
        locale=_locale(request.locale),
    )
    if phone_needed and details.phone is None:
        raise InvalidInput("usager.phone", "A phone number is needed for an appointment by phone.")
    return details


def checked_text(field: str, text: str | None, most: int) -> str | None:
    """Return a free text without blanks around it, None when nothing is left of it."""
    if text is None or not text.strip():
        return None
    text = text.strip()
    if len(text) > most:
        raise InvalidInput(field, "This text is longer than {most} characters.", most=most)
    if any(not _writable(character) for character in text):
        raise InvalidInput(field, "This text contains characters that cannot be written.")
    return text


def _writable(character: str) -> bool:
    """Tell whether a character can be written and leaves its neighbours in their order."""
    if unicodedata.category(character) in ("Cc", "Cs"):
        return character in "\n\r\t"
    return unicodedata.bidirectional(character) not in REORDERING


def _name(field: str, text: str) -> str:
    name = checked_text(field, text, MAX_NAME)
    if name is None:
        raise InvalidInput(field, "A name is needed.")
    if any(c in "\n\r\t" for c in name):
        raise InvalidInput(field, "This text contains characters that cannot be written.")
    return name


def _email(text: str | None) -> str | None:
    if text is None or not text.strip():
        return None
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized
    except EmailNotValidError:
        raise InvalidInput("usager.email", "This is not an e-mail address.") from None


def _phone(text: str | None) -> str | None:
    if text is None or not text.strip():
        return None
    try:
        number = phonenumbers.parse(text, HOME_REGION)
    except phonenumbers.NumberParseException:
        number = None
    if number is not None:
        written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        if phonenumbers.is_valid_number(number) or written.startswith(FICTIONAL):
            return written
    raise InvalidInput("usager.phone", "This is not a phone number.")


def _tax_number(text: str | None) -> str | None:
    if text is None or not text.strip():
        return None
    try:
        return str(nif.validate(text))
    except ValidationError:
        raise InvalidInput("usager.taxNumber", "This is not a tax number.") from None


def _company_number(text: str | None) -> str | None:
    """A SIREN (9 digits) or a SIRET (14)."""
    if text is None or not text.strip():
        return None
    for kind in (siren, siret):
        try:
            return str(kind.validate(text))
        except ValidationError:
            continue
    raise InvalidInput("usager.companyNumber", "This is not a company number (SIREN or SIRET).")


def _locale(text: str | None) -> str:
    locale = (text or LOCALES[0]).lower().replace("_", "-").partition("-")[0]
    if locale not in LOCALES:
        raise InvalidInput("usager.locale", "This language is not known: fr or en.")
    return locale
