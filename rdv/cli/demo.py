"""`rdv demo`: from nothing to a served, filled département, and something to try."""

from __future__ import annotations

import asyncio
import re
import secrets
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from rdv.cli.arguments import moment, share
from rdv.cli.database import database_address
from rdv.cli.serve import Host, Port, bound, real_clock, run, url_of
from rdv.cli.stopping import Stopping
from rdv.errors import BadSetting

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rdv.integrations.identity import DemoIssuer
    from rdv.settings import Settings
    from rdv.usecases.demo import DemoWish, Prepared

TOKEN_LIFE = timedelta(days=7)
STATEMENT_TIMEOUT_MS = 600_000  # loading a country takes longer than a request may


def demo(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    now: Annotated[str | None, typer.Option(help="Freeze the clock at a time like 2027-03-01T08:00:00+01:00.")] = None,
    departement: Annotated[str, typer.Option(help="The département whose offices are filled.")] = "75",
    fill: Annotated[float, typer.Option(help="The share of the open time that is booked already, 0 to 1.")] = 0.6,
    *,
    seed: Annotated[int, typer.Option(help="Another seed makes another demo.")] = 1,
    reset: Annotated[bool, typer.Option("--reset", help="Fill anew; what was booked there is lost.")] = False,
) -> None:
    """Serve a demo with real offices, made on the first start and used again on later ones, until interrupted."""
    from rdv.usecases.demo import DemoWish

    frozen = moment("--now", now) if now is not None else None
    clock = _clock(frozen)
    if not re.fullmatch(r"[0-9]{2,3}|2[ABab]", departement):
        raise BadSetting("--departement: is not a code like 75, 2A or 974")
    wish = DemoWish(departement=departement.upper(), fill=share("--fill", fill), seed=seed, now=clock(), reset=reset)
    settings = _settings()
    with (
        Stopping() as stopping,
        bound(host, port) as listening,
        _card_while_running(settings.data_dir),
        database_address(settings, stopping) as address,
    ):
        prepared = _prepare(address, wish)
        _serve(settings, address, listening, prepared, frozen)


@contextmanager
def _card_while_running(directory: Path) -> Iterator[None]:
    """Keep the last demo's `demo.json` from whoever waits for this one's, and this one's from whoever comes later."""
    card = directory / "demo.json"
    try:
        card.unlink(missing_ok=True)
    except OSError as error:
        raise BadSetting(f"RDV_DATA_DIR: demo.json cannot be replaced there: {error.strerror}") from None
    try:
        yield
    finally:
        card.unlink(missing_ok=True)


def _clock(frozen: datetime | None) -> Callable[[], datetime]:
    if frozen is None:
        return real_clock

    def stopped() -> datetime:
        return frozen

    return stopped


def _settings() -> Settings:
    """Return the settings with a secret of the demo's own, unless one is given."""
    from rdv.integrations.keepsakes import keepsake
    from rdv.settings import read_settings

    settings = read_settings()
    if settings.secret_key.get_secret_value():
        return settings
    secret = keepsake(settings.data_dir / "demo-secret-key", lambda: secrets.token_urlsafe(48).encode())
    return read_settings(secret_key=secret.decode())


def _prepare(address: str, wish: DemoWish) -> Prepared:
    from rdv.models.database import migrate

    migrate(address)
    return asyncio.run(_load_and_fill(address, wish))


async def _load_and_fill(address: str, wish: DemoWish) -> Prepared:
    from rdv.models.database import Database
    from rdv.usecases.demo import is_loaded, prepare
    from rdv.usecases.imports import import_everything

    database = Database(address, statement_timeout_ms=STATEMENT_TIMEOUT_MS)
    try:
        if not await is_loaded(database):
            typer.echo("Loading the country's offices, communes and reasons …", err=True)
            with _progress() as show:
                await import_everything(database, begin=lambda name: show(name, 0, None))
        with _progress() as show:
            return await prepare(database, wish, lambda done, of: show("Filling offices", done, of))
    finally:
        await database.close()


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int | None], None]]:
    """A bar on a terminal, silence elsewhere: it is told what is done, how many, and of how many (None: who knows)."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda what, done, of: progress.update(task, description=what, completed=done, total=of)


def _serve(
    settings: Settings, address: str, listening: socket.socket, prepared: Prepared, frozen: datetime | None
) -> None:
    from rdv.cli.demo_card import write_card
    from rdv.integrations.identity import DemoIssuer, JwksIdentity

    issuer = DemoIssuer(
        settings.data_dir / "demo-issuer.pem", issuer=settings.token_issuer, audience=settings.token_audience
    )
    tokens = _tokens(issuer, prepared)
    served = settings.on(address).model_copy(update={"token_jwks": issuer.jwks()})
    run(
        served,
        listening,
        with_worker=True,
        personas=tokens,
        clock=_clock(frozen),
        identity=JwksIdentity(
            served.token_jwks, issuer=served.token_issuer, audience=served.token_audience, clock=real_clock
        ),
        ready=lambda: write_card(
            settings.data_dir,
            url=url_of(listening),
            database_url=address,
            now=_clock(frozen)(),
            prepared=prepared,
            tokens=tokens,
        ),
    )


def _tokens(issuer: DemoIssuer, prepared: Prepared) -> dict[str, str]:
    from rdv.usecases.demo import personas

    now = real_clock()  # a token lives in real time, whatever the demo's clock says
    return {
        name: issuer.token(viewer, now=now, lifetime=TOKEN_LIFE) for name, viewer in personas(prepared.office).items()
    }
