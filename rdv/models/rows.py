"""Writing single rows of the tables that people administer; everything hot has a statement of its own."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel


async def add(connection: AsyncConnection, row: SQLModel) -> int:
    """Write a row and return its id (0 for a table without one)."""
    table = _table(type(row))
    given = {name: value for name, value in row.model_dump().items() if name != "id"}
    made = await connection.execute(insert(table).values(given))
    key = made.inserted_primary_key
    return int(key[-1]) if key is not None and "id" in table.c else 0


async def add_all(connection: AsyncConnection, rows: Sequence[SQLModel]) -> None:
    """Write rows of one table."""
    if rows:
        given = [{name: value for name, value in row.model_dump().items() if name != "id"} for row in rows]
        await connection.execute(insert(_table(type(rows[0]))), given)


async def change(connection: AsyncConnection, model: type[SQLModel], key: dict[str, Any], **values: object) -> bool:
    """Set columns of the rows with a key; False when there is none."""
    table = _table(model)
    where = [table.c[name] == value for name, value in key.items()]
    return bool((await connection.execute(update(table).where(*where).values(values))).rowcount)


async def remove(connection: AsyncConnection, model: type[SQLModel], **key: object) -> bool:
    """Delete the rows with a key; False when there is none."""
    table = _table(model)
    where = [table.c[name] == value for name, value in key.items()]
    return bool((await connection.execute(delete(table).where(*where))).rowcount)


async def values(
    connection: AsyncConnection, model: type[SQLModel], *also: ColumnElement[bool], **key: object
) -> list[dict[str, Any]]:
    """Return the rows with a key of which more holds, in the order in which they were made where they have an id."""
    table = _table(model)
    where = [*(table.c[name] == value for name, value in key.items()), *also]
    ordered = select(table).where(*where).order_by(*([table.c.id] if "id" in table.c else []))
    return [dict(row) for row in (await connection.execute(ordered)).mappings()]


def _table(model: type[SQLModel]) -> Table:
    table: Table = model.__table__  # type: ignore[attr-defined]  # SQLModel adds it to tables
    return table
