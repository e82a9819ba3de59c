"""`rdv serve`, and what it shares with the demo: a bound socket, a served application, a clock."""

from __future__ import annotations

import asyncio
import errno
import gc
import socket
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rdv.cli.database import database_address
from rdv.cli.stopping import Stopping
from rdv.errors import AddressInUse, BadSetting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rdv.integrations.identity import Identity
    from rdv.settings import Settings

Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65_535, help="The port to listen on; 0 picks a free one.")]

STARTUP_FAILED = 3
# Looking for garbage among all that is kept takes a tenth of a second, in which nobody is answered: seldom, then.
GARBAGE_THRESHOLDS = (5_000, 10, 500)
SWITCH_SECONDS = 0.0001  # the event loop waits so long for a thread of the engine, at each of its turns
# Longer than proxies keep idle connections (nginx: 60): if we closed one first, a request might be on its way there.
KEEP_ALIVE_SECONDS = 75
GRACE_SECONDS = 10  # for requests in progress when the server is told to stop


def serve(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve the GraphQL API on a migrated database, until interrupted."""
    from rdv.settings import read_settings

    settings = read_settings()
    if not settings.secret_key.get_secret_value():
        raise BadSetting("RDV_SECRET_KEY: is missing; it needs at least 32 characters")
    identity = configured_identity(settings)
    with Stopping() as stopping, bound(host, port) as listening, database_address(settings, stopping) as address:
        settings = settings.on(address)
        asyncio.run(check(settings))
        run(settings, listening, clock=real_clock, identity=identity, ready=lambda: typer.echo(url_of(listening)))


def real_clock() -> datetime:
    """Read the clock; nothing but the composition root does."""
    return datetime.now(UTC)  # noqa: TID251 - the command line reads the clock


def configured_identity(settings: Settings) -> Identity:
    """Return what verifies tokens: the configured issuer's keys, or nobody signs in."""
    from rdv.integrations.identity import JwksIdentity, NoIdentity

    if not settings.token_jwks:
        return NoIdentity()
    return JwksIdentity(
        settings.token_jwks, issuer=settings.token_issuer, audience=settings.token_audience, clock=real_clock
    )


async def check(settings: Settings) -> None:
    """Refuse a database that cannot be served: raises an OperatorError that says why."""
    from rdv.models.database import Database

    database = Database(str(settings.database_url), direct_url=settings.direct_database_url, pool_size=1)
    try:
        await database.check()
    finally:
        await database.close()


def bound(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address, before anything slow; raises AddressInUse or BadSetting."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError):
        raise BadSetting(f"--host: {host!r} is not an address of this machine") from None
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen()  # with reuse, only listening shows that another program does
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise AddressInUse(f"--port: another program listens on {host} port {port}") from None
        raise BadSetting(f"--host, --port: cannot listen on {host} port {port}: {error.strerror}") from None
    return listening


def url_of(listening: socket.socket) -> str:
    """Return the address of the API for a browser on this machine."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read, not bound
    return f"http://[{host}]:{port}/graphql" if ":" in host else f"http://{host}:{port}/graphql"


def run(
    settings: Settings,
    listening: socket.socket,
    *,
    clock: Callable[[], datetime],
    identity: Identity,
    ready: Callable[[], Any],
    with_worker: bool = False,
    personas: Mapping[str, str] | None = None,
) -> None:
    """Serve until interrupted; `ready` is called once requests are answered. For the rest see `create_app`."""
    import uvicorn

    from rdv.app import create_app
    from rdv.cli.logs import logging_config, warn_of_unknown_settings
    from rdv.web.protocol import BoundedProtocol

    sys.setswitchinterval(SWITCH_SECONDS)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            # What is there now stays: looking through it again for garbage took a sixth of each request.
            gc.collect()
            gc.freeze()
            gc.set_threshold(*GARBAGE_THRESHOLDS)
            ready()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            await app.state.notices.close()  # streams end, which would be waited for otherwise
            await super().shutdown(sockets)

    app = create_app(settings, clock=clock, identity=identity, with_worker=with_worker, personas=personas)
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        log_config=logging_config(settings.log_format, settings.log_level),
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        lifespan="on",
        ws="websockets-sansio",
        ws_max_size=settings.max_body_bytes,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    warn_of_unknown_settings()
    server = Server(config)
    server.run(sockets=[listening])
    if not server.started:
        raise typer.Exit(STARTUP_FAILED)
