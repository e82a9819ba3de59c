"""Jobs for workers, carried by Procrastinate on the same PostgreSQL.

A job is enqueued by the transaction that needs it, so it exists if and only if that commits; a worker that dies leaves
its jobs to others after its heartbeat has stopped for a while.
"""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext

from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from procrastinate.worker import Worker
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from rdv.errors import DatabaseUnavailable
from rdv.models.database import libpq_url
from rdv.models.faults import is_away

log = logging.getLogger("rdv.jobs")

# What a job is given: ids only, since Procrastinate logs them.
Work = Callable[..., Awaitable[None]]

NIGHTLY = "17 2 * * *"  # UTC: in the early morning of metropolitan France
GRACE_SECONDS = 3.0
LEFT_ALONE = 30.0  # seconds without a heartbeat after which a worker counts as dead
LOST = "RDV_DATABASE_URL: the worker has lost the database: start it again"


AWAY_SECONDS, MOST_ATTEMPTS = 10, 20  # until a job is done again that lost its connection, and how often


class _AnotherWorker(BaseRetryStrategy):
    """Repeats what its worker, or the database, could not end; a job that failed by itself would only fail again."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Say whether to do it again; what is done counts how often (`drafts.begin`, `holiday_changes.begin`)."""
        if isinstance(exception, asyncio.CancelledError | DatabaseUnavailable):
            return RetryDecision()
        if is_away(exception) and job.attempts < MOST_ATTEMPTS:
            return RetryDecision(retry_in={"seconds": AWAY_SECONDS})
        return None


# How long the job that has been waiting longest could have been done by somebody.
OLDEST = """
select coalesce(extract(epoch from now() - min(coalesce(j.scheduled_at, e.at))), 0)::float
from procrastinate_jobs j join procrastinate_events e on e.job_id = j.id and e.type = 'deferred'
where j.status = 'todo' and (j.scheduled_at is null or j.scheduled_at <= now())
"""


async def oldest_seconds(connection: AsyncConnection) -> float:
    """Return for how many seconds a job has been waiting, 0 when none does."""
    return round(float((await connection.execute(text(OLDEST))).scalar_one()), 1)


ALIVE = "select count(*) from procrastinate_workers where last_heartbeat > now() - make_interval(secs => :seconds)"


async def workers_alive(connection: AsyncConnection) -> int:
    """Return how many workers have shown lately that they live."""
    return int((await connection.execute(text(ALIVE), {"seconds": LEFT_ALONE})).scalar_one())


FAILED = "select count(*) from procrastinate_jobs where status = 'failed'"


async def failed(connection: AsyncConnection) -> int:
    """Return how many jobs have failed and will not be done again by themselves."""
    return int((await connection.execute(text(FAILED))).scalar_one())


async def enqueue(connection: AsyncConnection, task: str, **ids: int) -> None:
    """Have a worker do a task once the caller's transaction has committed."""
    raw = await connection.get_raw_connection()
    job = App(connector=PsycopgConnector()).configure_task(task, connection=raw.driver_connection)
    await job.defer_async(**ids)


def jobs_app(url: str, tasks: Mapping[str, Work], *, nightly: Callable[[], Awaitable[object]] | None = None) -> App:
    """Return the application whose workers do the tasks, by name, and one of them what is `nightly`.

    Open it before running one. A task that is cancelled, because its worker stops, is done again by another worker.
    """
    app = App(connector=PsycopgConnector(conninfo=libpq_url(url), min_size=1, max_size=4))
    for name, work in tasks.items():
        app.task(name=name, retry=_AnotherWorker())(work)

    @app.periodic(cron="* * * * *")
    @app.task(name="take_over", queueing_lock="take_over")
    async def take_over(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate gives it
        await take_over_abandoned(app)

    @app.periodic(cron=NIGHTLY)
    @app.task(name="tidy", queueing_lock="tidy")
    async def tidy(timestamp: int) -> None:  # noqa: ARG001 - as above
        if nightly is not None:
            await nightly()

    return app


async def work(app: App, *, once: bool = False, signals: bool = False) -> None:
    """Do jobs, one at a time, until cancelled; `once`: until none waits; `signals`: or until told to stop.

    Whoever is in the middle of a job then gets a moment to end it; after that another worker does it again. Raises
    DatabaseUnavailable when it ends because the database has gone away, be it for a moment.
    """
    try:
        async with app.open_async():
            worker = asyncio.ensure_future(
                app.run_worker_async(
                    wait=not once,
                    install_signal_handlers=False,  # Procrastinate's do not say whether they, or a fault, ended it
                    shutdown_graceful_timeout=GRACE_SECONDS,
                    delete_jobs="successful",
                    stalled_worker_timeout=LEFT_ALONE,
                    worker_middleware=[_told],
                )
            )
            with _stopped_by_signals(worker) if signals else nullcontext():
                await _ended(worker)
            # Procrastinate tells its log what has failed beside the jobs, and then returns as if told to stop.
            if not once and not worker.cancelled():
                raise DatabaseUnavailable(LOST)
    except ConnectorException:
        raise DatabaseUnavailable(LOST) from None


async def _told(do: Callable[[], Awaitable[object]], context: JobContext, _: Worker) -> object:
    """Tell the log when a job begins and how it ends; not what it is given."""
    task = context.job.task_name
    log.info("%s: begun", task)
    try:
        result = await do()
    except BaseException as error:
        log.info("%s: ended by %s", task, type(error).__name__)
        raise
    log.info("%s: done", task)
    return result


@contextmanager
def _stopped_by_signals(worker: asyncio.Task[None]) -> Iterator[None]:
    """Have SIGINT and SIGTERM cancel a worker, once: another signal must not disturb how it ends."""
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        loop.add_signal_handler(number, lambda: worker.cancelling() or worker.cancel())
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


async def _ended(worker: asyncio.Task[None]) -> None:
    """Wait for a worker's end, cancelled or not; raises what it failed with, unless it had been told to stop."""
    try:
        await worker
    except asyncio.CancelledError:
        if (caller := asyncio.current_task()) is not None and caller.cancelling():
            raise
    except ConnectorException:
        if not worker.cancelling():
            raise


async def take_over_abandoned(app: App) -> int:
    """Put the jobs of dead workers back into the queue and return how many there were."""
    abandoned = list(await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=LEFT_ALONE))
    for job in abandoned:
        await app.job_manager.retry_job(job)
    return len(abandoned)
