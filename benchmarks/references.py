"""What the HTTP benchmark compares with: bare Starlette, and Strawberry as it comes, with the same rows.

`python -m benchmarks.references SOCKET ROWS`: an inherited, bound socket, and a file of the rows as JSON. `/static` sends
bytes that are ready, `/orjson` encodes the rows for each request, `/graphql` is stock Strawberry.
"""

import datetime as dt
import socket
import sys
from pathlib import Path
from typing import Any

import orjson
import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from strawberry.asgi import GraphQL


@strawberry.type
class Slot:
    start: dt.datetime
    end: dt.datetime
    remaining: int


@strawberry.type
class SlotDay:
    date: dt.date
    starts: list[dt.datetime]
    slots: list[Slot]


@strawberry.type
class SlotSearch:
    days: list[SlotDay]


def _days(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows with dates and instants as Python values."""
    read = dt.datetime.fromisoformat
    days: list[dict[str, Any]] = []
    for row in rows:
        day: dict[str, Any] = {"date": dt.date.fromisoformat(row["date"])}
        if "starts" in row:
            day["starts"] = [read(one) for one in row["starts"]]
        if "slots" in row:
            day["slots"] = [one | {"start": read(one["start"]), "end": read(one["end"])} for one in row["slots"]]
        days.append(day)
    return days


def main() -> None:
    days = _days(orjson.loads(Path(sys.argv[2]).read_bytes()))
    search = SlotSearch(
        days=[
            SlotDay(date=day["date"], starts=day.get("starts", []), slots=[Slot(**one) for one in day.get("slots", [])])
            for day in days
        ]
    )
    values = {"data": {"slots": {"days": days}}}
    ready = orjson.dumps(values)

    @strawberry.type
    class Query:
        @strawberry.field
        async def slots(self) -> SlotSearch:
            return search

    async def static(request: Request) -> Response:
        await request.body()
        return Response(ready, media_type="application/json")

    async def encoded(request: Request) -> Response:
        orjson.loads(await request.body())
        return Response(orjson.dumps(values), media_type="application/json")

    routes = [Route("/static", static, methods=["POST"]), Route("/orjson", encoded, methods=["POST"])]
    application = Starlette(routes=[*routes, Route("/graphql", GraphQL(strawberry.Schema(Query)))])
    config = uvicorn.Config(application, log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])


main()
