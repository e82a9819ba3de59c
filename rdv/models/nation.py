"""What the whole nation shares, kept in memory as long as its version holds: the reason tree and the holidays."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from rdv.models.holidays import Holidays, load_holidays
from rdv.models.reason_tree import ReasonTree, load_tree

VERSION = "select version from national_version"


@dataclass(frozen=True, slots=True)
class Nation:
    """The national situation of one version."""

    version: int
    tree: ReasonTree
    holidays: Holidays


class NationCache:
    """The nation as last read; reads again when the version says so."""

    def __init__(self) -> None:
        self._nation: Nation | None = None

    async def current(self, connection: AsyncConnection) -> Nation:
        """Return the nation as it is now: one small statement while nothing changes."""
        version: int = (await connection.execute(text(VERSION))).scalar_one()
        return await self.at_least(connection, version)

    async def at_least(self, connection: AsyncConnection, version: int) -> Nation:
        """Return the nation of a version that was just read, or a later one; no statement while nothing changes."""
        nation = self._nation
        if nation is None or nation.version < version:
            # The tree with the version first: what changes in between makes the next reader read again.
            tree = await load_tree(connection)
            nation = self._nation = Nation(tree.version, tree, await load_holidays(connection))
        return nation
