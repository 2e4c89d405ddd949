"""`relay workspaces`: workspaces and their webhooks."""

import base64
import os
import secrets
from typing import Annotated, Any

import typer
from rich.text import Text
from typer.core import TyperGroup

from relay_cli.api import PAGE_MAX, workspace_path
from relay_cli.arguments import (
    AllOption,
    AvatarOption,
    LimitOption,
    PageOption,
    WorkspaceArgument,
)
from relay_cli.command import Session, command
from relay_cli.documents import collected, show_document
from relay_cli.failure import NOT_ALL
from relay_cli.screen import Cell, styled
from relay_cli.troubles import site_state
from relay_cli.words import moment

WEBHOOK_SECRET = "RELAY_WEBHOOK_SECRET"  # noqa: S105 (a variable's name)


class _WebhookGroup(TyperGroup):
    """Makes `webhook WORKSPACE` short for `webhook show WORKSPACE`, or with `--test` for `webhook
    test WORKSPACE`. A workspace with a command's name needs the long form."""

    # Typer's Context and Command types are private.
    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] in self.commands:
            return super().resolve_command(ctx, args)
        name = "test" if _TEST in args else "show"
        return name, self.commands[name], [one for one in args if one != _TEST]


_TEST = "--test"
app = typer.Typer(
    help="Workspaces: list, show, put, delete, sites, webhook, erase.", no_args_is_help=True
)
webhook_app = typer.Typer(
    cls=_WebhookGroup,
    help="A workspace's webhook, for notices of what users associate in Jira. `webhook "
    "WORKSPACE` is short for `webhook show WORKSPACE`, and `webhook WORKSPACE --test` for "
    "`webhook test WORKSPACE`.",
    no_args_is_help=True,
)
app.add_typer(webhook_app, name="webhook")


@command(app, "list")
def list_workspaces(
    session: Session,
    limit: LimitOption = PAGE_MAX,
    everything: AllOption = False,
) -> None:
    """List the workspaces that the API key has access to."""
    found = collected(session, "/v1/workspaces", "workspaces", None if everything else limit)
    if not session.screen.json:
        rows = ((one["id"], one["name"], one["url"]) for one in found)
        session.screen.table(("ID", "NAME", "URL"), rows)


@command(app, "show")
def show_workspace(session: Session, workspace: WorkspaceArgument) -> None:
    """Show a workspace."""
    show_document(session, session.relay.document("GET", workspace_path(workspace)))


@command(app, "put")
def put_workspace(
    session: Session,
    workspace: WorkspaceArgument,
    name: Annotated[str, typer.Option(help="The name that Jira shows.")],
    url: PageOption,
    avatar: AvatarOption = None,
) -> None:
    """Create or update a workspace."""
    document = {"name": name, "url": url} | ({"avatarUrl": avatar} if avatar else {})
    show_document(
        session, session.relay.document("PUT", workspace_path(workspace), document=document)
    )


@command(app, "delete")
def delete_workspace(session: Session, workspace: WorkspaceArgument) -> None:
    """Delete a workspace. It accepts no more submissions.

    Submitted entities stay recorded, and stay in Jira. `relay unlink` removes them from Jira.
    """
    session.relay.document("DELETE", workspace_path(workspace))
    session.screen.result({"id": workspace}, f"Workspace {workspace} is deleted.")


@command(app, "sites")
def list_sites_of_workspace(session: Session, workspace: WorkspaceArgument) -> None:
    """List the sites that a workspace is linked to, with their state and what they are owed."""
    sites = session.relay.every(workspace_path(workspace, "sites"), "sites")
    if session.screen.json:
        session.screen.document({"sites": sites})
        return
    session.screen.table(
        ("ID", "URL", "STATE", "OWED", "REPLAY"),
        (
            (
                site["id"],
                site["baseUrl"],
                site_state(site),
                f"{site['owed']:,}",
                _replay(site.get("replay", {})),
            )
            for site in sites
        ),
    )


@command(webhook_app, "show")
def show_webhook(session: Session, workspace: WorkspaceArgument) -> None:
    """Show the webhook's URL and its last calls. The secret is never shown."""
    screen = session.screen
    document = session.relay.document("GET", workspace_path(workspace, "webhook"))
    if screen.json:
        screen.document(document)
        return
    screen.say(document["url"] or f"Workspace {workspace} has no webhook.")
    if document["attempts"]:
        screen.say("")
        screen.table(("AT", "EVENT", "OUTCOME", "MS"), map(_attempt_row, document["attempts"]))
    elif document["url"]:
        screen.note(
            "It has not been called yet. "
            f"`relay workspaces webhook {workspace} {_TEST}` sends a test."
        )


@command(webhook_app, "test")
def test_webhook(session: Session, workspace: WorkspaceArgument) -> int:
    """Send a test notice to the webhook and show the outcome. Exit code: 1 if it failed.

    The test is signed like every notice; its type is webhook.test.
    """
    screen = session.screen
    with screen.waiting("Calling the webhook …"):
        path = workspace_path(workspace, "webhook", "test")
        attempt = session.relay.document("POST", path)
    if screen.json:
        screen.document(attempt)
    else:
        outcome = _outcome(attempt)
        screen.say(Text.assemble(outcome, f" In {attempt['milliseconds']} ms."))
        screen.note(f"The test's webhook-id is {attempt['id']}")
    return 0 if attempt["delivered"] else NOT_ALL


@command(webhook_app, "put")
def put_webhook(
    session: Session,
    workspace: WorkspaceArgument,
    target: Annotated[
        str,
        typer.Argument(
            help="An https URL; a local stack also accepts http://127.0.0.1.",
            metavar="URL",
        ),
    ],
) -> None:
    """Set the URL that receives a notice when a user associates an entity in Jira.

    Notices are signed as Standard Webhooks specifies. The secret is read from the
    environment variable RELAY_WEBHOOK_SECRET; without it, one is generated and printed once.
    """
    given = os.environ.get(WEBHOOK_SECRET)
    secret = given or "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    document = session.relay.document(
        "PUT", workspace_path(workspace, "webhook"), document={"url": target, "secret": secret}
    )
    if session.screen.json:
        session.screen.document(document if given else document | {"secret": secret})
        return
    if not given:
        session.screen.say(secret)
        session.screen.note("Store this secret now: it is not shown again.")
    session.screen.note(f"Workspace {workspace} sends its notices to {document['url']}")


@command(webhook_app, "delete")
def delete_webhook(session: Session, workspace: WorkspaceArgument) -> None:
    """Delete the webhook. No more notices are sent."""
    session.relay.document("DELETE", workspace_path(workspace, "webhook"))
    session.screen.result(
        {"workspaceId": workspace}, f"Workspace {workspace} no longer has a webhook."
    )


def _replay(replay: dict[str, Any]) -> str:
    """The state of the workspace's last replay at a site, and the entities left."""
    under_way = replay.get("state") != "done" and "remaining" in replay
    left = f", {replay['remaining']:,} left" if under_way else ""
    return f"{replay.get('state', '')}{left}"


def _attempt_row(attempt: dict[str, Any]) -> tuple[Cell, ...]:
    at, milliseconds = moment(attempt["at"]), str(attempt["milliseconds"])
    return at, attempt["event"], _outcome(attempt), milliseconds


def _outcome(attempt: dict[str, Any]) -> Text:
    if attempt["delivered"]:
        return styled(f"Delivered: the webhook answered {attempt['status']}.", "green")
    return styled(attempt["reason"], "red")
