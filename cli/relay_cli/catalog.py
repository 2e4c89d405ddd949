"""`relay workspaces` and `relay containers`: the operations tool's catalog in Relay."""

import base64
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.text import Text
from typer.core import TyperGroup

from relay_cli.api import PAGE_MAX, segment, workspace_path
from relay_cli.arguments import AllOption, FileArgument, LimitOption, WorkspaceArgument
from relay_cli.command import Session, command
from relay_cli.container_calls import put_all
from relay_cli.failure import NOT_ALL, Misuse
from relay_cli.files import read_text
from relay_cli.screen import Cell, styled
from relay_cli.troubles import site_state
from relay_cli.words import counted, moment

WEBHOOK_SECRET = "RELAY_WEBHOOK_SECRET"  # noqa: S105 (a variable's name)

ContainerArgument = Annotated[str, typer.Argument(help="The container's id.", metavar="CONTAINER")]
AvatarOption = Annotated[
    str | None, typer.Option(help="The URL of a picture that Jira shows.", show_default=False)
]
# The API calls it `url`, so Relay's own `--url` can only precede these commands.
PageOption = Annotated[
    str,
    typer.Option(
        "--url",
        metavar="URL",
        help="Its page in the operations tool. Relay's own --url goes before the command.",
    ),
]


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
workspaces_app = typer.Typer(
    help="Workspaces: list, show, put, delete, sites, webhook, erase.", no_args_is_help=True
)
webhook_app = typer.Typer(
    cls=_WebhookGroup,
    help="A workspace's webhook, for notices of what users associate in Jira. `webhook "
    "WORKSPACE` is short for `webhook show WORKSPACE`, and `webhook WORKSPACE --test` for "
    "`webhook test WORKSPACE`.",
    no_args_is_help=True,
)
containers_app = typer.Typer(
    help="A workspace's containers, such as services: list, search, put, delete.",
    no_args_is_help=True,
)
workspaces_app.add_typer(webhook_app, name="webhook")


@command(workspaces_app, "list")
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


@command(workspaces_app, "show")
def show_workspace(session: Session, workspace: WorkspaceArgument) -> None:
    """Show a workspace."""
    _show(session, session.relay.document("GET", workspace_path(workspace)))


@command(workspaces_app, "put")
def put_workspace(
    session: Session,
    workspace: WorkspaceArgument,
    name: Annotated[str, typer.Option(help="The name that Jira shows.")],
    url: PageOption,
    avatar: AvatarOption = None,
) -> None:
    """Create or update a workspace."""
    document = {"name": name, "url": url} | ({"avatarUrl": avatar} if avatar else {})
    _show(session, session.relay.document("PUT", workspace_path(workspace), document=document))


@command(workspaces_app, "delete")
def delete_workspace(session: Session, workspace: WorkspaceArgument) -> None:
    """Delete a workspace. It accepts no more submissions.

    Submitted entities stay recorded, and stay in Jira. `relay unlink` removes them from Jira.
    """
    session.relay.document("DELETE", workspace_path(workspace))
    session.screen.result({"id": workspace}, f"Workspace {workspace} is deleted.")


@command(workspaces_app, "sites")
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


@command(containers_app, "list")
def list_containers(
    session: Session,
    workspace: WorkspaceArgument,
    limit: LimitOption = PAGE_MAX,
    everything: AllOption = False,
) -> None:
    """List a workspace's containers in the order of their ids."""
    path = workspace_path(workspace, "containers")
    found = collected(session, path, "containers", None if everything else limit)
    if not session.screen.json:
        _show_containers(session, found)


@command(containers_app, "search")
def search_containers(
    session: Session,
    workspace: WorkspaceArgument,
    query: Annotated[
        str,
        typer.Argument(help="Any part of a name; case and accents are ignored.", metavar="QUERY"),
    ],
) -> None:
    """Find containers by name, as Jira's users do. The best matches come first."""
    if not query.strip():
        raise Misuse("QUERY must not be empty.")
    path = workspace_path(workspace, "containers")
    document = session.relay.document("GET", path, query={"query": query})
    if session.screen.json:
        session.screen.document(document)
    else:
        _show_containers(session, document["containers"])


@command(containers_app, "show")
def show_container(
    session: Session, workspace: WorkspaceArgument, container: ContainerArgument
) -> None:
    """Show a container."""
    _show(session, session.relay.document("GET", _container_path(workspace, container)))


@command(containers_app, "put")
def put_container(
    session: Session,
    workspace: WorkspaceArgument,
    container: ContainerArgument,
    name: Annotated[str, typer.Option(help="The name that Jira shows and searches.")],
    url: PageOption,
    avatar: AvatarOption = None,
    updated: Annotated[
        str | None,
        typer.Option(
            help="When it last changed, such as 2026-01-31T09:30:00Z. The default is now."
        ),
    ] = None,
) -> None:
    """Create or update a container."""
    document = {"name": name, "url": url, "lastUpdatedDate": updated or _now()}
    document |= {"avatarUrl": avatar} if avatar else {}
    path = _container_path(workspace, container)
    _show(session, session.relay.document("PUT", path, document=document))


@command(containers_app, "put-all")
def put_containers(
    session: Session,
    workspace: WorkspaceArgument,
    file: FileArgument,
) -> None:
    """Create or update any number of containers from a file.

    The file holds {"containers": […]}, a list, or one container per line: {"id", "name", "url",
    "lastUpdatedDate", "avatarUrl"?}.
    """
    containers = _read_containers(file)
    put = put_all(session.relay, workspace, containers)
    session.screen.result({"put": put}, f"{counted(put, 'container')} put.")


@command(containers_app, "delete")
def delete_container(
    session: Session, workspace: WorkspaceArgument, container: ContainerArgument
) -> None:
    """Delete a container. Incidents that name it do not change."""
    session.relay.document("DELETE", _container_path(workspace, container))
    document = {"workspaceId": workspace, "id": container}
    session.screen.result(document, f"Container {container} is deleted.")


def collected(
    session: Session, path: str, name: str, limit: int | None, **query: str
) -> list[dict[str, Any]]:
    """The items of all pages up to the limit. With --json it prints them, and the next cursor."""
    found: list[dict[str, Any]] = []
    after = None
    for page in session.relay.pages(path, name, limit, **query):
        found += page[name]
        after = page.get("next")
    if session.screen.json:
        session.screen.document({name: found} | ({"next": after} if after else {}))
    elif after:
        session.screen.note(f"There may be more than these {len(found)}. Use --limit or --all.")
    return found


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


def _show(session: Session, document: dict[str, Any]) -> None:
    if session.screen.json:
        session.screen.document(document)
        return
    names = {"id": "id", "name": "name", "url": "url", "avatarUrl": "avatar"}
    rows = [(shown, document.get(name) or "") for name, shown in names.items()]
    session.screen.fields([*rows, ("updated", moment(document.get("lastUpdatedDate") or ""))])


def _show_containers(session: Session, containers: Sequence[dict[str, Any]]) -> None:
    session.screen.table(
        ("ID", "NAME", "UPDATED", "URL"),
        (
            (one["id"], one["name"], moment(one["lastUpdatedDate"]), one["url"])
            for one in containers
        ),
    )


def _container_path(workspace_id: str, container_id: str) -> str:
    # An id may contain slashes, which stay slashes in the path.
    parts = [segment(part) for part in container_id.split("/")]
    return workspace_path(workspace_id, "containers", *parts)


def _read_containers(file: str) -> list[Any]:
    text = read_text(file)
    try:
        document = json.loads(text)
    except ValueError:
        document = [_container_line(file, number, line) for number, line in _lines(text)]
    if isinstance(document, dict):
        # A file with one line is one document.
        document = document.get("containers", [document])
    if not isinstance(document, list) or not document:
        raise Misuse(f'{file}: expected {{"containers": […]}}, or one container per line.')
    return document


def _container_line(file: str, number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise Misuse(f"{file}, line {number}: not JSON: {error}") from None


def _lines(text: str) -> Iterator[tuple[int, str]]:
    return ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
