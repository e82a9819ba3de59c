"""A field that fails ends nobody else's waiting, whoever waits for the same."""

import asyncio

import pytest
import strawberry

from rdv.schema.context import Loader


async def turns() -> None:
    """Let the others go on as far as they can: nothing here waits for anything outside."""
    for _ in range(50):
        await asyncio.sleep(0)


@strawberry.type
class Thing:
    @strawberry.field
    async def loaded(self, info: strawberry.Info) -> str:
        return await info.context["loader"].load(1)

    @strawberry.field
    async def fails(self, info: strawberry.Info) -> str:
        await info.context["asked"].wait()
        info.context["failed"].set()
        raise ValueError("this field fails")


@strawberry.type
class Query:
    @strawberry.field
    def thing(self) -> Thing | None:
        return Thing()


async def test_other_fields_get_what_a_field_beside_one_that_failed_had_asked_for_too() -> None:
    asked, failed = asyncio.Event(), asyncio.Event()

    async def load(keys: list[int]) -> list[str]:
        asked.set()
        await failed.wait()
        await turns()  # meanwhile what is beside the field that failed is cancelled
        return [f"number {key}" for key in keys]

    result = await strawberry.Schema(Query).execute(
        "{ one: thing { loaded fails } other: thing { loaded } }",
        context_value={"loader": Loader(load), "asked": asked, "failed": failed},
    )
    assert result.data == {"one": None, "other": {"loaded": "number 1"}}
    assert [error.message for error in result.errors or ()] == ["this field fails"]


class Slow:
    """Loads once it may; tells how often it began, and was given up."""

    def __init__(self) -> None:
        self.may, self.begun, self.given_up = asyncio.Event(), 0, 0

    async def load(self, keys: list[int]) -> list[str]:
        self.begun += 1
        try:
            await self.may.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        return [f"number {key}" for key in keys]


async def waiting(loader: Loader[int, str], key: int) -> str:
    return await loader.load(key)


async def test_what_nobody_waits_for_any_longer_is_given_up() -> None:
    slow = Slow()
    loader = Loader(slow.load)
    one, other = (asyncio.create_task(waiting(loader, 1)) for _ in range(2))
    await turns()
    one.cancel()
    await turns()
    assert (slow.begun, slow.given_up) == (1, 0)
    other.cancel()
    await turns()
    assert (slow.begun, slow.given_up) == (1, 1)


@pytest.mark.parametrize("rounds", range(5))
async def test_who_asks_after_others_gave_up_is_answered_at_whatever_moment_they_did(rounds: int) -> None:
    slow = Slow()
    loader = Loader(slow.load)
    slow.may.set()
    first = asyncio.create_task(waiting(loader, 1))
    for _ in range(rounds):
        await asyncio.sleep(0)
    first.cancel()
    async with asyncio.timeout(5):
        assert await asyncio.gather(waiting(loader, 1), waiting(loader, 2)) == ["number 1", "number 2"]
