"""What a database's errors mean to whoever asked: whether the same may be asked again, later."""

from psycopg import InterfaceError, OperationalError
from psycopg.errors import QueryCanceled
from sqlalchemy.exc import DBAPIError

AWAY = ("08", "57P")  # classes of SQLSTATE: connections that fail, servers that stop or start


def is_too_late(error: BaseException | None) -> bool:
    """Tell whether a statement was given up because it took too long."""
    return isinstance(_cause(error), QueryCanceled)


def is_away(error: BaseException | None) -> bool:
    """Tell whether the database could not be reached, or went away meanwhile."""
    cause = _cause(error)
    if not isinstance(cause, InterfaceError | OperationalError):
        return False
    return cause.sqlstate is None or cause.sqlstate.startswith(AWAY)


def _cause(error: BaseException | None) -> BaseException | None:
    return error.orig if isinstance(error, DBAPIError) else error
