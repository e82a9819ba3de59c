"""What no latency tells: SQL statements of each operation, and the memory of a worker that has seen every office."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from time import perf_counter
from typing import Any

from benchmarks.load.generator import QUERIES, drive
from benchmarks.load.scenarios import Scenario
from benchmarks.load.servers import Worker
from benchmarks.load.target import Target, ask

REQUESTS = 20
RATE = 10  # so slow that one is over before the next begins
OFFICES = 5
AT_ONCE = 2
NEEDS = {  # what an operation uses up, once a request
    "hold_slot": "search_slots",
    "confirm_appointment": "hold_slot",
    "appointment": "confirm_appointment",
    "cancel_appointment": "confirm_appointment",
}


def statements_by_operation(
    scenario: Scenario, target: Target, workers: Sequence[Worker], now: datetime, *, requests: int = REQUESTS
) -> dict[str, float]:
    """Return the statements of a warm operation on average, with BEGIN and COMMIT of transactions; {} = not told."""
    from benchmarks.load.run import plan  # noqa: PLC0415 - they need each other

    worker = workers[0]
    if worker.metric("rdv_statements_total") is None:
        return {}
    found = {}
    for name in scenario.weights:
        mark = f"{now:%Y%m%d%H%M%S}-{scenario.name}-{len(workers)}-{name}"
        whole = plan(scenario, target, [worker], rate=RATE, seconds=requests / RATE, today=now.date(), run=mark)
        alone = replace(
            whole,
            weights={name: 1},
            offices=whole.offices[:OFFICES],
            prepare={**({NEEDS[name]: requests + 1} if name in NEEDS else {}), name: 1},
            statements=True,
            lead_in=0,
        )
        told = drive(alone)
        if told.statements is not None:  # null where answers fell behind even at this rate
            found[name] = round(told.statements / len(told.done), 2)
    return found


def touch(worker: Worker, target: Target, today: date) -> float:
    """Ask every office for its slots, so that each is compiled once; return the seconds."""
    document = (QUERIES / "search_slots.graphql").read_text(encoding="utf-8")
    dates = {"from": str(today + timedelta(days=1)), "to": str(today + timedelta(days=30))}

    def search(office: dict[str, str]) -> dict[str, Any]:
        return ask(worker.url, document, {"input": {"officeId": office["id"], "reasonId": target.reasons[0], **dates}})

    began = perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        try:
            for found in threads.map(search, target.offices):
                assert found["slots"]["durationMinutes"] > 0
        finally:
            threads.shutdown(wait=False, cancel_futures=True)  # who interrupts does not wait for all of them
    return perf_counter() - began
