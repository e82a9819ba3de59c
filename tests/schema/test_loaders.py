"""A field that fails ends nobody else's waiting, whoever waits for the same."""

import asyncio

import strawberry

from rdv.schema.context import Loader


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
        await asyncio.sleep(0.01)  # meanwhile what is beside the field that failed is cancelled
        return [f"number {key}" for key in keys]

    result = await strawberry.Schema(Query).execute(
        "{ one: thing { loaded fails } other: thing { loaded } }",
        context_value={"loader": Loader(load), "asked": asked, "failed": failed},
    )
    assert result.data == {"one": None, "other": {"loaded": "number 1"}}
    assert [error.message for error in result.errors or ()] == ["this field fails"]
