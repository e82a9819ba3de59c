"""What can go wrong, as a tree.

The product's expected failures; each but Busy becomes the GraphQL type of the same name. A failure carries data,
never a person's: its message may end up in a log.

    RdvError
    ├── Refusal             a use case says no; the caller can act on it; nothing was changed
    │   ├── InvalidInput            one field's value is not acceptable
    │   ├── NotAllowed              the viewer may not do this
    │   ├── NotFound                there is no such thing (or the viewer may not know of it)
    │   ├── SlotTaken               the start is not free, or no longer; carries alternatives
    │   ├── HoldExpired             the hold is unknown or over
    │   ├── TooManyAppointments     the usager already has as many as the office allows
    │   ├── TooLate                 the deadline for changes has passed
    │   ├── VersionConflict         the office is not any more what the caller has seen
    │   ├── WouldStrand             the change would leave appointments without a place; carries them
    │   ├── IdempotencyConflict     the key was used before, with another body
    │   └── Busy                    others are at the same rows, or there are too many: the same again later may succeed
    ├── BadToken            the caller's token proves nothing: an HTTP 401 before any GraphQL
    └── OperatorError       the installation is not right; one line for whoever runs it
        ├── BadSetting
        ├── DatabaseUnavailable
        ├── MigrationMissing
        ├── AddressInUse
        └── BadFile                 a file to be imported cannot be read at all
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar


class RdvError(Exception):
    """Everything rdv raises on purpose."""


class Refusal(RdvError):
    """A use case says no, and nothing was changed.

    `message` is English and a gettext msgid with `{named}` places; `values` fills them after translation.
    """

    code: ClassVar[str]

    def __init__(self, message: str, **values: object) -> None:
        self.message = message
        self.values = values
        super().__init__(message.format(**values))


class InvalidInput(Refusal):
    """One field's value is not acceptable."""

    code = "INVALID_INPUT"

    def __init__(self, field: str, message: str, **values: object) -> None:
        super().__init__(message, **values)
        self.field = field


class NotAllowed(Refusal):
    """The viewer may not do this."""

    code = "NOT_ALLOWED"


class NotFound(Refusal):
    """There is no such thing, or the viewer may not know of it."""

    code = "NOT_FOUND"


class SlotTaken(Refusal):
    """The start is not free, or no longer; `alternatives` are free ones near it."""

    code = "SLOT_TAKEN"

    def __init__(self, message: str, *, alternatives: Sequence[Any] = (), **values: object) -> None:
        super().__init__(message, **values)
        self.alternatives = tuple(alternatives)


class HoldExpired(Refusal):
    """The hold is unknown or over."""

    code = "HOLD_EXPIRED"


class TooManyAppointments(Refusal):
    """The usager already has as many live appointments as the office allows."""

    code = "TOO_MANY_APPOINTMENTS"

    def __init__(self, message: str, *, limit: int, **values: object) -> None:
        super().__init__(message, limit=limit, **values)
        self.limit = limit


class TooLate(Refusal):
    """The deadline for changing the appointment has passed."""

    code = "TOO_LATE"

    def __init__(self, message: str, *, deadline: datetime) -> None:
        super().__init__(message)
        self.deadline = deadline


class IdempotencyConflict(Refusal):
    """The idempotency key was used before, with another body."""

    code = "IDEMPOTENCY_CONFLICT"


class VersionConflict(Refusal):
    """The office is not any more what the caller has seen; `version` is the present one."""

    code = "VERSION_CONFLICT"

    def __init__(self, message: str, *, version: str) -> None:
        super().__init__(message)
        self.version = version


class WouldStrand(Refusal):
    """The change would leave appointments without a place; `appointments` are their ids, in order of time."""

    code = "WOULD_STRAND"

    def __init__(self, message: str, *, appointments: Sequence[int], **values: object) -> None:
        super().__init__(message, count=len(appointments), **values)
        self.appointments = tuple(appointments)


class Busy(Refusal):
    """Others are at the same rows, or there are too many: the same request may succeed later.

    Any operation may meet it, so it is a GraphQL error with its code, and no member of the mutations' unions.
    """

    code = "BUSY"


class BadToken(RdvError):
    """The caller's token proves nothing; the message never says which check failed."""

    def __init__(self) -> None:
        super().__init__("The token is not valid.")


class OperatorError(RdvError):
    """The installation is not right: one clear line, never a secret value, exit status 1."""


class BadSetting(OperatorError):
    """A setting is missing or not acceptable; the line names it."""


class DatabaseUnavailable(OperatorError):
    """The database cannot be reached; the line names the setting, never its value."""


class MigrationMissing(OperatorError):
    """The database's schema is not the one this version needs."""


class AddressInUse(OperatorError):
    """Another program listens on the wanted address."""


class BadFile(OperatorError):
    """A file to be imported cannot be read at all."""
