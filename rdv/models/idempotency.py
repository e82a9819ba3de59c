"""Keys of repeated requests: the first one with a key writes, the next ones find what it wrote."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# Waits for another transaction that uses the same key at this moment; no row = the key was used before.
CLAIM = """
insert into idempotency_key (scope, key, body_digest, created_at) values (:scope, :key, :digest, :now)
on conflict (scope, key) do nothing returning true
"""

FIND = "select body_digest, made_id from idempotency_key where scope = :scope and key = :key"

REMEMBER = "update idempotency_key set made_id = :made where scope = :scope and key = :key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A caller's key for one kind of request; `digest` stands for the request's body."""

    scope: str
    key: str
    digest: str


@dataclass(frozen=True, slots=True)
class Used:
    """What a key was used for before."""

    digest: str
    made_id: int


async def claim(connection: AsyncConnection, key: Key, now: datetime) -> Used | None:
    """Take a key, or return what it was used for; the claim lasts if and only if the transaction commits."""
    bound = {"scope": key.scope, "key": key.key, "digest": key.digest, "now": now}
    if (await connection.execute(text(CLAIM), bound)).scalar():
        return None
    row = (await connection.execute(text(FIND), bound)).one()
    return Used(row.body_digest, row.made_id)


async def remember(connection: AsyncConnection, key: Key, made: int) -> None:
    """Note the id of what the request made."""
    await connection.execute(text(REMEMBER), {"scope": key.scope, "key": key.key, "made": made})
