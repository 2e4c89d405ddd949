"""The `relay` command: its subcommands, in the order of `relay --help`."""

import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from relay_cli import (
    containers,
    dlq,
    erasing,
    forge,
    keys,
    settings,
    sites,
    sources,
    submissions,
    workspaces,
)
from relay_cli.command import add_common_options, command
from relay_cli.doctor import doctor
from relay_cli.entities import delete, find, list_entities, review
from relay_cli.export import export
from relay_cli.importing import import_workspace
from relay_cli.replay import replay, replays
from relay_cli.status import status
from relay_cli.submit import submit

_ENTITIES = "Incidents and reviews"
_SET_UP = "Workspaces, sites and links"
_OPERATION = "Operation"

app = typer.Typer(
    name="relay",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    # A traceback with local variables could show the key.
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
    """Relay delivers incidents and post-incident reviews to the Incidents page of Jira.

    This command calls Relay's API from a terminal: it submits entities, shows their state at every
    site, and manages workspaces, containers, links and API keys.

    Exit codes: 0 success; 1 Relay refused the call, or it succeeded only in part; 2 the command
    line, the configuration or the input is wrong; 3 Relay is unreachable or unavailable; 4 the API
    key is not accepted, or has no access.
    """


add_common_options(app, relay)
command(app, "submit", rich_help_panel=_ENTITIES)(submit)
command(app, "status", rich_help_panel=_ENTITIES)(status)
command(app, "list", rich_help_panel=_ENTITIES)(list_entities)
command(app, "find", rich_help_panel=_ENTITIES)(find)
command(app, "delete", rich_help_panel=_ENTITIES)(delete)
command(app, "review", rich_help_panel=_ENTITIES)(review)
app.add_typer(submissions.app, name="submissions", rich_help_panel=_ENTITIES)
app.add_typer(workspaces.app, name="workspaces", rich_help_panel=_SET_UP)
command(workspaces.app, "erase")(erasing.erase_workspace)
command(workspaces.app, "erasure")(erasing.show_erasure)
app.add_typer(containers.app, name="containers", rich_help_panel=_SET_UP)
app.add_typer(sources.app, name="sources", rich_help_panel=_SET_UP)
app.add_typer(sites.app, name="sites", rich_help_panel=_SET_UP)
command(sites.app, "forget")(erasing.forget_site)
command(sites.app, "erasure")(erasing.show_site_erasure)
command(app, "link", rich_help_panel=_SET_UP)(sites.link)
command(app, "unlink", rich_help_panel=_SET_UP)(sites.unlink)
command(app, "offer", rich_help_panel=_SET_UP)(sites.offer)
command(app, "withdraw", rich_help_panel=_SET_UP)(sites.withdraw)
command(app, "doctor", rich_help_panel=_OPERATION)(doctor)
command(app, "export", rich_help_panel=_OPERATION)(export)
command(app, "import", rich_help_panel=_OPERATION)(import_workspace)
command(app, "replay", rich_help_panel=_OPERATION)(replay)
command(app, "replays", rich_help_panel=_OPERATION)(replays)
app.add_typer(dlq.app, name="dlq", rich_help_panel=_OPERATION)
app.add_typer(keys.app, name="keys", rich_help_panel=_OPERATION)
app.add_typer(forge.app, name="forge", rich_help_panel=_OPERATION)
app.add_typer(settings.app, name="config", rich_help_panel=_OPERATION)


def main() -> None:
    """Runs the command with the arguments of the process, and exits with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal with another encoding shows "?" for a character that it lacks, not a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    app()
