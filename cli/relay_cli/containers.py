"""`relay containers`: a workspace's containers."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from relay_cli.api import PAGE_MAX, segment, workspace_path
from relay_cli.arguments import (
    AllOption,
    AvatarOption,
    FileArgument,
    LimitOption,
    PageOption,
    WorkspaceArgument,
)
from relay_cli.command import Session, command
from relay_cli.container_calls import put_all
from relay_cli.documents import collected, show_document
from relay_cli.failure import Misuse
from relay_cli.files import read_text
from relay_cli.words import counted, moment

ContainerArgument = Annotated[str, typer.Argument(help="The container's id.", metavar="CONTAINER")]

app = typer.Typer(
    help="A workspace's containers, such as services: list, search, put, delete.",
    no_args_is_help=True,
)


@command(app, "list")
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


@command(app, "search")
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


@command(app, "show")
def show_container(
    session: Session, workspace: WorkspaceArgument, container: ContainerArgument
) -> None:
    """Show a container."""
    show_document(session, session.relay.document("GET", _container_path(workspace, container)))


@command(app, "put")
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
    show_document(session, session.relay.document("PUT", path, document=document))


@command(app, "put-all")
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


@command(app, "delete")
def delete_container(
    session: Session, workspace: WorkspaceArgument, container: ContainerArgument
) -> None:
    """Delete a container. Incidents that name it do not change."""
    session.relay.document("DELETE", _container_path(workspace, container))
    document = {"workspaceId": workspace, "id": container}
    session.screen.result(document, f"Container {container} is deleted.")


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
