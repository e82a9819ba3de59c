"""The same changes in a whole set of offices: all of them or none, nobody stranded silently."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rdv.errors import InvalidInput, NotFound, WouldStrand
from rdv.integrations.viewer import Viewer
from rdv.models import planning_reads
from rdv.models.database import Connection
from rdv.models.nation import NationCache
from rdv.usecases.call_backs import AT_ONCE, help_stranded
from rdv.usecases.changing import Change, Changed, ChangeRequest, Ground, judge, keep, prepared, publishing
from rdv.usecases.effects import Effect
from rdv.usecases.offices import id_from
from rdv.usecases.services import Services

MOST_OFFICES = 500
Judged = tuple[Ground, Effect, ChangeRequest]
_DEPARTEMENT = re.compile(r"[0-9][0-9AB][0-9]?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManyRequest:
    """Changes for offices: those named, or those of a département."""

    office_ids: Sequence[str] | None = None
    departement: str | None = None
    changes: Sequence[Change]
    accept_stranded: bool = False
    cause: dict[str, Any] | None = None


async def change_offices(services: Services, viewer: Viewer, request: ManyRequest) -> list[Changed]:
    """Make the same changes in every office of a set, in one transaction; raises a Refusal and changes none."""
    offices = await _offices(services, request)
    async with publishing(services) as connection:
        done = await everywhere(services, connection, viewer, offices, request)
    return await with_proposals(services, done)


async def everywhere(
    services: Services,
    connection: Connection,
    viewer: Viewer,
    offices: Sequence[int],
    request: ManyRequest,
    *,
    first: Callable[[Connection], Awaitable[None]] | None = None,
) -> list[Changed]:
    """Make changes in offices; raises WouldStrand unless that is accepted."""
    judged = await judge_everywhere(services, connection, viewer, offices, request, first=first)
    stranded = stranded_by(judged)
    if stranded and not request.accept_stranded:
        raise WouldStrand("Appointments that would lose their place: {count}.", appointments=stranded)
    return [await keep(*one) for one in judged]


async def judge_everywhere(
    services: Services,
    connection: Connection,
    viewer: Viewer,
    offices: Sequence[int],
    request: ManyRequest,
    *,
    first: Callable[[Connection], Awaitable[None]] | None = None,
) -> list[Judged]:
    """Write changes in offices, locked in their order, and see what follows.

    `first` writes what is not of one office.
    """
    now = services.clock()
    nations = NationCache() if first else None
    if first:
        await first(connection)
    judged: list[Judged] = []
    for office in sorted(offices):
        one = ChangeRequest(office_id=str(office), changes=request.changes, listed=True, cause=request.cause)
        ground = await prepared(services, connection, viewer, one, now, nations=nations)
        judged.append((ground, await judge(services, ground, one), one))
    return judged


def stranded_by(judged: Sequence[Judged]) -> list[int]:
    """Return the appointments that would lose their place."""
    return [appointment for _, effect, _ in judged for appointment in effect.stranded]


async def _offices(services: Services, request: ManyRequest) -> list[int]:
    if (request.office_ids is None) == (request.departement is None):
        raise InvalidInput("officeIds", "Say which offices: officeIds or departement.")
    if request.departement is not None:
        if not _DEPARTEMENT.fullmatch(request.departement):
            raise InvalidInput("departement", "This is not the code of a département.")
        async with services.database.reading() as connection:
            found = await planning_reads.offices_of(connection, request.departement)
    else:
        found = sorted({id_from(one, field="officeIds") for one in request.office_ids or ()})
    if not found:
        raise NotFound("There is no such office.")
    if len(found) > MOST_OFFICES:
        raise InvalidInput("officeIds", "Name at most {most} offices.", most=MOST_OFFICES)
    return found


async def with_proposals(services: Services, done: list[Changed]) -> list[Changed]:
    """Hold other times for the first of those who lost theirs by changes that stand."""
    left = AT_ONCE
    for one in done:
        if one.stranded and left > 0:
            await help_stranded(services, one.office, at_most=left)
            left -= len(one.stranded)
    return done
