"""`relay export`: writes a workspace as a stream, to import it into another deployment."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from relay_cli.api import PATIENT_ATTEMPTS, Relay, workspace_path
from relay_cli.arguments import WorkspaceArgument
from relay_cli.command import Session
from relay_cli.export_file import ExportWriter
from relay_cli.words import counted

_SOURCE_FIELDS = ("id", "kind", "settings", "hasSecret")
_LISTS = {"incidents": "incident", "reviews": "review"}


def export(session: Session, workspace: WorkspaceArgument) -> None:
    """Write a workspace to standard output, for `relay import` into another deployment.

    The newest state of each incident and review, deletions, containers, sources and the webhook's
    URL, a line of JSON for each; no secrets and no links. The last line counts the others, and the
    import refuses a file without it. The workspace does not change.
    """
    relay = session.relay
    relay.attempts = PATIENT_ATTEMPTS
    found = relay.document("GET", workspace_path(workspace))
    writer = ExportWriter()
    with session.screen.waiting(f"Exporting {workspace} …"):
        writer.start(datetime.now(UTC).isoformat(timespec="seconds"), found)
        _write_containers(relay, workspace, writer)
        _write_record(relay, workspace, writer)
        _write_connections(relay, workspace, writer)
        writer.end()
    session.screen.note(f"Exported workspace {workspace}: {counts_text(writer.written)}.")


def counts_text(counts: Any) -> str:
    """The number of each kind of line, such as `1 container, 3 incidents`."""
    return ", ".join(counted(number, kind) for kind, number in counts.items()) or "nothing"


def _write_containers(relay: Relay, workspace_id: str, writer: ExportWriter) -> None:
    for page in relay.pages(workspace_path(workspace_id, "containers"), "containers"):
        for container in page["containers"]:
            writer.write("container", container)


def _write_record(relay: Relay, workspace_id: str, writer: ExportWriter) -> None:
    for page in _record_pages(relay, workspace_id):
        for name, kind in _LISTS.items():
            for state in page[name]:
                writer.write(kind, state.pop("entity"), **state)
        for deletion in page["deletions"]:
            writer.write("deletion", deletion)
        writer.flush()


def _record_pages(relay: Relay, workspace_id: str) -> Iterator[dict[str, Any]]:
    """Each has as many entities as fit into one answer of Relay."""
    query: dict[str, str] = {}
    while True:
        page = relay.document("GET", workspace_path(workspace_id, "export"), query=query)
        yield page
        if not page.get("next"):
            return
        query["after"] = page["next"]


def _write_connections(relay: Relay, workspace_id: str, writer: ExportWriter) -> None:
    """Last: the import makes the sources once all else is there."""
    webhook = relay.document("GET", workspace_path(workspace_id, "webhook"))
    if webhook["url"]:
        writer.write("webhook", {"url": webhook["url"]})
    for page in relay.pages(workspace_path(workspace_id, "sources"), "sources"):
        for source in page["sources"]:
            writer.write("source", {name: source[name] for name in _SOURCE_FIELDS})
