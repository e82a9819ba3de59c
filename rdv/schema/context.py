"""What a request carries through its resolvers: the services, who asks, in which language, and the loaders."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

from graphql import DocumentNode
from strawberry.dataloader import DataLoader
from strawberry.types import Info as StrawberryInfo

from rdv.integrations.viewer import Viewer
from rdv.models import appointment_reads, drafts
from rdv.models.agents import load_agents
from rdv.models.appointment_reads import AppointmentRecord
from rdv.models.office_reads import CounterRecord, OfficeRecord, load_counters, load_offices, load_overrides
from rdv.models.offices import Agent
from rdv.models.reason_tree import ReasonNode, ReasonTree
from rdv.schema.texts import Translate
from rdv.usecases.services import Services

K = TypeVar("K")
V = TypeVar("V")


class Loader(DataLoader[K, V]):
    """Loads in batches; whoever gives up waiting gives up alone, and when all have, loading ends.

    graphql-core cancels the fields beside one that failed. That reached what a field waited for, and with it every
    other field that waited for the same: the whole operation ended without an answer.
    """

    def __init__(self, load_fn: Callable[[list[K]], Awaitable[Sequence[V | BaseException]]]) -> None:
        super().__init__(load_fn=load_fn)
        self._waiting: Counter[asyncio.Future[V]] = Counter()

    def load(self, key: K) -> Awaitable[V]:
        """Return what is loaded for a key, once for all who ask for it."""
        shared: asyncio.Future[V] = asyncio.ensure_future(super().load(key))  # the future it is
        own = asyncio.shield(shared)
        if own is not shared:  # it is not there yet
            self._waiting[shared] += 1
            own.add_done_callback(lambda _: self._left(shared))
        return own

    def _left(self, shared: asyncio.Future[V]) -> None:
        self._waiting[shared] -= 1
        if self._waiting[shared]:
            return
        del self._waiting[shared]
        if shared.cancel() and self.batch and any(task.future is shared for task in self.batch.tasks):
            self.batch = None  # whose loading may have ended before it began: keys that came to it would wait for ever


class Context:
    """One request's context; each loader reads with a connection of its own, since resolvers run concurrently."""

    def __init__(
        self,
        services: Services,
        who: Callable[[], Viewer],
        translate: Translate,
        document: DocumentNode,
    ) -> None:
        """`who` tells who asks, or raises BadToken: those who follow something are asked again and again."""
        self.services = services
        self.who = who
        self.viewer = who()
        self.translate = translate
        self.document = document
        self._loaders: dict[str, Loader[Any, Any]] = {}

    @property
    def language(self) -> str:
        return self.translate.language

    def forget(self) -> None:
        """Forget what was loaded."""
        self._loaders.clear()
        for name, value in list(vars(self).items()):
            if isinstance(value, Loader):
                delattr(self, name)

    def loader(
        self, name: str, load: Callable[["Context", list[K]], Awaitable[Sequence[V]]]
    ) -> Callable[[K], Awaitable[V]]:
        """Return what loads by a function, in batches; one a name, with which the function always is the same."""
        if name not in self._loaders:
            self._loaders[name] = Loader(load_fn=lambda keys: load(self, keys))
        return self._loaders[name].load

    @cached_property
    def offices(self) -> Loader[int, OfficeRecord | None]:
        return Loader(load_fn=self._load_offices)

    @cached_property
    def appointments(self) -> Loader[int, AppointmentRecord | None]:
        """Appointments by id: whoever loads them has checked that the viewer may see them."""
        return Loader(load_fn=self._load_appointments)

    @cached_property
    def proposals(self) -> Loader[int, AppointmentRecord | None]:
        """The live proposals by the appointment that each is for."""
        return Loader(load_fn=self._load_proposals)

    @cached_property
    def counters(self) -> Loader[int, list[CounterRecord]]:
        return Loader(load_fn=self._load_counters)

    @cached_property
    def agents(self) -> Loader[int, list[Agent]]:
        """Everybody who receives or received at an office, by its id: whoever loads them has checked the viewer."""
        return Loader(load_fn=self._load_agents)

    @cached_property
    def draft_results(self) -> Loader[int, tuple[dict[str, Any], list[dict[str, Any]]]]:
        """What was planned, and what could not be kept, by a draft's id."""
        return Loader(load_fn=self._load_draft_results)

    @cached_property
    def reasons(self) -> Loader[int, Mapping[int, ReasonNode]]:
        """Every reason as an office has it, by the office's id."""
        return Loader(load_fn=self._load_reasons)

    async def tree(self) -> ReasonTree:
        """Return the national tree of reasons, read once a request."""
        return await self._trees.load(0)

    @cached_property
    def _trees(self) -> Loader[int, ReasonTree]:
        return Loader(load_fn=self._load_trees)

    async def _load_trees(self, keys: list[int]) -> list[ReasonTree]:
        async with self.services.database.reading() as connection:
            tree = (await self.services.agendas.nations.current(connection)).tree
        return [tree for _ in keys]

    async def _load_offices(self, ids: list[int]) -> list[OfficeRecord | None]:
        async with self.services.database.reading() as connection:
            found = await load_offices(connection, ids)
        return [found.get(one) for one in ids]

    async def _load_appointments(self, ids: list[int]) -> list[AppointmentRecord | None]:
        async with self.services.database.reading() as connection:
            found = await appointment_reads.by_ids(connection, ids)
        return [found.get(one) for one in ids]

    async def _load_proposals(self, ids: list[int]) -> list[AppointmentRecord | None]:
        async with self.services.database.reading() as connection:
            found = await appointment_reads.proposals(connection, ids, self.services.clock())
        return [found.get(one) for one in ids]

    async def _load_counters(self, offices: list[int]) -> list[list[CounterRecord]]:
        async with self.services.database.reading() as connection:
            rows = await load_counters(connection, offices)
        return [[row for row in rows if row.office_id == office] for office in offices]

    async def _load_agents(self, offices: list[int]) -> list[list[Agent]]:
        async with self.services.database.reading() as connection:
            found = await load_agents(connection, offices)
        return [[one for one in found if one.office_id == office] for office in offices]

    async def _load_draft_results(self, ids: list[int]) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
        async with self.services.database.reading() as connection:
            found = await drafts.results(connection, ids)
        return [found.get(one, ({}, [])) for one in ids]

    async def _load_reasons(self, offices: list[int]) -> list[Mapping[int, ReasonNode]]:
        kinds = {one.id: one.kind for one in await self.offices.load_many(offices) if one is not None}
        tree = await self.tree()
        async with self.services.database.reading() as connection:
            overrides = await load_overrides(connection, offices)
        return [tree.at_office(kinds.get(office, ""), overrides.get(office, {})) for office in offices]


Info: TypeAlias = StrawberryInfo[Context, None]
