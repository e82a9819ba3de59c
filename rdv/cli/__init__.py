"""The command line. Commands are light until they run: what is heavy to import is imported inside them.

An `OperatorError`, like a wrong option, ends in one line on standard error and an exit status that is not 0.
"""

from typing import Any

import typer
from typer.core import TyperGroup

from rdv.cli import imports
from rdv.cli.bench import bench
from rdv.cli.database import migrate
from rdv.cli.demo import demo
from rdv.cli.documents import documents
from rdv.cli.export import export_instance, export_schema
from rdv.cli.plan import plan
from rdv.cli.query import query
from rdv.cli.schema_diff import schema_diff
from rdv.cli.serve import serve
from rdv.cli.slots import check, slots
from rdv.cli.worker import worker
from rdv.errors import OperatorError


class OneLineErrors(TyperGroup):
    """Says in one line what is wrong with the installation or the command."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - Typer's own type for it is private
        try:
            return super().invoke(ctx)
        except OperatorError as error:
            typer.echo(f"rdv: {error}", err=True)
            raise typer.Exit(1) from None
        except typer.TyperException as error:
            command = f"rdv {ctx.invoked_subcommand}" if ctx.invoked_subcommand in self.commands else "rdv"
            typer.echo(f"{command}: {' '.join(error.format_message().split())} ({command} --help says more)", err=True)
            raise typer.Exit(error.exit_code) from None


app = typer.Typer(
    cls=OneLineErrors,
    help="Appointments for public administrations.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they would print values, and values may be somebody's
)
app.command()(demo)
app.command()(serve)
app.command()(worker)
app.command()(migrate)
app.command()(query)
app.command("export-instance")(export_instance)
app.command("export-schema")(export_schema)
app.command("schema-diff")(schema_diff)
app.command("slots")(slots)
app.command("check")(check)
app.add_typer(bench, name="bench")
app.add_typer(plan, name="plan")
app.add_typer(documents, name="documents")
imports.register(app)
