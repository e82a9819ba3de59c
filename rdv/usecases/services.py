"""What every use case needs, opened once by the composition root."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from rdv.models.database import Database
from rdv.models.notices import Notices
from rdv.usecases.agendas import Agendas
from rdv.usecases.secrets import Secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The database and its notices, the agendas kept in memory, the clock, and what seals codes and tokens."""

    database: Database
    notices: Notices
    agendas: Agendas
    clock: Callable[[], datetime]
    secrets: Secrets

    async def close(self) -> None:
        """End what is under way in the background, then close the database it is done on."""
        try:
            await self.notices.close()
        finally:
            try:
                await self.agendas.versions.close()
            finally:
                await self.database.close()
