"""The `relay` command: its commands, in the order in which `relay --help` lists them."""

import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from relay_cli import catalog, dlq, forge, keys, settings, sites
from relay_cli.command import add_common_options, command
from relay_cli.doctor import doctor
from relay_cli.entities import delete, list_entities, review
from relay_cli.replay import replay, replays
from relay_cli.status import status
from relay_cli.submit import submit

_ENTITIES = "Incidents and reviews"
_SET_UP = "What is linked to what"
_OPERATION = "Operation"

app = typer.Typer(
    name="relay",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    # A traceback with values could show the key.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if not wanted:
        return
    try:
        typer.echo(f"relay {version('relay-operations')}")
    except PackageNotFoundError:
        typer.echo("relay, not installed")
    raise typer.Exit


def relay(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Relay brings incidents and post-incident reviews to the Incidents page of Jira.

    This command does from a terminal what Relay's API does: it submits, says where each entity is
    and why, and keeps workspaces, containers, links and keys.

    Exit codes: 0 done; 1 Relay says no, or not all was done; 2 the command line, the configuration
    or the input is wrong; 3 Relay can't be reached, or can't do it now; 4 the API key is not
    accepted, or not for this.
    """


add_common_options(app, relay)
command(app, "submit", rich_help_panel=_ENTITIES)(submit)
command(app, "status", rich_help_panel=_ENTITIES)(status)
command(app, "list", rich_help_panel=_ENTITIES)(list_entities)
command(app, "delete", rich_help_panel=_ENTITIES)(delete)
command(app, "review", rich_help_panel=_ENTITIES)(review)
app.add_typer(catalog.workspaces_app, name="workspaces", rich_help_panel=_SET_UP)
app.add_typer(catalog.containers_app, name="containers", rich_help_panel=_SET_UP)
app.add_typer(sites.app, name="sites", rich_help_panel=_SET_UP)
command(app, "link", rich_help_panel=_SET_UP)(sites.link)
command(app, "unlink", rich_help_panel=_SET_UP)(sites.unlink)
command(app, "offer", rich_help_panel=_SET_UP)(sites.offer)
command(app, "withdraw", rich_help_panel=_SET_UP)(sites.withdraw)
command(app, "doctor", rich_help_panel=_OPERATION)(doctor)
command(app, "replay", rich_help_panel=_OPERATION)(replay)
command(app, "replays", rich_help_panel=_OPERATION)(replays)
app.add_typer(dlq.app, name="dlq", rich_help_panel=_OPERATION)
app.add_typer(keys.app, name="keys", rich_help_panel=_OPERATION)
app.add_typer(forge.app, name="forge", rich_help_panel=_OPERATION)
app.add_typer(settings.app, name="config", rich_help_panel=_OPERATION)


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        # A terminal of another encoding gets "?" for what it can't show, and no traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    app()
