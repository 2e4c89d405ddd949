"""`relay sources`: the webhooks of operations tools that a workspace takes incidents from."""

from typing import Annotated, Any

import typer

from relay_cli.api import PAGE_MAX, workspace_path
from relay_cli.arguments import (
    AllOption,
    LimitOption,
    SourceArgument,
    WorkspaceArgument,
    YesOption,
)
from relay_cli.command import Session, command
from relay_cli.documents import collected
from relay_cli.failure import NOT_ALL
from relay_cli.files import read_bytes
from relay_cli.questions import confirm
from relay_cli.screen import Screen, styled
from relay_cli.source_settings import settings_rows
from relay_cli.source_setup import add_source, give_secret, kinds_of, set_source, source_path
from relay_cli.words import moment, moment_and_age

app = typer.Typer(
    help="Sources: operations tools whose webhooks become incidents, without code.",
    no_args_is_help=True,
)
_SIGNING = {
    "tool": "made by the tool, with its webhook",
    "user": "chosen by you, or generated",
    "optional": "with --sign: chosen by you, or generated",
    "none": "none: the tool does not sign",
}
_STYLES = {"taken": "green", "refused": "red"}
_ENTITY_FIELDS = {
    "summary": "summary",
    "status": "status",
    "severity": "severity",
    "affectedComponents": "components",
    "reviews": "incidents",
    "description": "description",
    "url": "url",
    "associations": "associations",
    "createdDate": "created",
    "lastUpdated": "updated",
    "updateSequenceNumber": "sequence",
}

command(app, "add")(add_source)
command(app, "set")(set_source)
command(app, "secret")(give_secret)


@command(app, "kinds")
def list_kinds(session: Session) -> None:
    """List the tools that can be sources, and who makes the secret with which each signs."""
    kinds = kinds_of(session.relay)
    if session.screen.json:
        session.screen.document({"kinds": kinds})
        return
    session.screen.table(
        ("KIND", "TOOL", "SECRET"),
        (
            (one["kind"], one["title"], _SIGNING.get(one["signing"], one["signing"]))
            for one in kinds
        ),
    )


@command(app, "list")
def list_sources(
    session: Session,
    workspace: WorkspaceArgument,
    limit: LimitOption = PAGE_MAX,
    everything: AllOption = False,
) -> None:
    """List a workspace's sources, with the number of their deliveries."""
    path = workspace_path(workspace, "sources")
    found = collected(session, path, "sources", None if everything else limit)
    if not session.screen.json:
        session.screen.table(
            ("ID", "KIND", "TAKEN", "IGNORED", "REFUSED", "LAST DELIVERY"),
            ((one["id"], one["kind"], *_counts(one), _last(one)) for one in found),
        )


@command(app, "show")
def show_source(session: Session, workspace: WorkspaceArgument, source: SourceArgument) -> None:
    """Show a source: its settings and the number of its deliveries. Its secret is never shown."""
    found = session.relay.document("GET", source_path(workspace, source))
    if session.screen.json:
        session.screen.document(found)
        return
    taken, ignored, refused = _counts(found)
    session.screen.fields(
        [
            ("id", found["id"]),
            ("kind", found["kind"]),
            *settings_rows(found["settings"]),
            ("secret", "stored" if found["hasSecret"] else "none"),
            ("created", moment(found["createdAt"])),
            ("taken", taken),
            ("ignored", ignored),
            ("refused", refused),
            ("last delivery", _last(found)),
        ]
    )


@command(app, "remove")
def remove_source(
    session: Session, workspace: WorkspaceArgument, source: SourceArgument, yes: YesOption = False
) -> None:
    """Remove a source. Its URL is refused from then on; its incidents stay."""
    path = source_path(workspace, source)
    found = session.relay.document("GET", path)
    if not yes:
        confirm(f"Remove source {source}, of the kind {found['kind']}? Its URL can't be restored.")
    session.relay.document("DELETE", path)
    document = {"workspaceId": workspace, "id": source}
    session.screen.result(document, f"Source {source} is removed.")


@command(app, "renew-url")
def renew_url(session: Session, workspace: WorkspaceArgument, source: SourceArgument) -> None:
    """Give a source a new URL and print it. The old one is refused at once."""
    document = session.relay.document("POST", source_path(workspace, source, "url"))
    if session.screen.json:
        session.screen.document(document)
        return
    session.screen.verbatim(document["url"])
    session.screen.note("Enter it in the tool now: Relay does not show it again.")


@command(app, "deliveries")
def list_deliveries(
    session: Session,
    workspace: WorkspaceArgument,
    source: SourceArgument,
    state: Annotated[
        str | None,
        typer.Option(
            help="Only deliveries in this state: taken, ignored, refused.", show_default=False
        ),
    ] = None,
    limit: LimitOption = PAGE_MAX,
    everything: AllOption = False,
) -> None:
    """List what became of the calls of a source's tool in the last 14 days, newest first.

    The id of a delivery that was taken is also the id of its submission: `relay submissions show`
    has its receipt.
    """
    path = source_path(workspace, source, "deliveries")
    query = {"state": state} if state else {}
    found = collected(session, path, "deliveries", None if everything else limit, **query)
    if not session.screen.json:
        session.screen.table(
            ("AT", "ID", "EVENT", "STATE", "ENTITIES", "WHY"),
            (
                (
                    moment(one["at"]),
                    one["id"],
                    one["event"],
                    styled(one["state"], _STYLES.get(one["state"], "")),
                    ", ".join(map(_entity, one["entities"])),
                    one.get("reason", ""),
                )
                for one in found
            ),
        )


@command(app, "try")
def try_source(
    session: Session,
    workspace: WorkspaceArgument,
    source: SourceArgument,
    file: Annotated[
        str,
        typer.Argument(
            help="A payload of the tool's webhook, or - for standard input.", metavar="FILE|-"
        ),
    ],
) -> int:
    """Show what Jira would get of a payload. Nothing is recorded, and no signature is needed.

    Exit code: 1 if the payload, or a part of it, does not have the tool's shape.
    """
    document = session.relay.document(
        "POST",
        source_path(workspace, source, "preview"),
        body=read_bytes(file),
        headers={"Content-Type": "application/json"},
        repeatable=True,
    )
    if session.screen.json:
        session.screen.document(document)
    else:
        _show_preview(session.screen, document)
    return NOT_ALL if document.get("details") else 0


def _show_preview(screen: Screen, preview: dict[str, Any]) -> None:
    reason = preview.get("reason", "")
    screen.fields([("event", preview["event"]), ("state", preview["state"]), ("why", reason)])
    for kind, collection in (("Incident", "incidents"), ("Review", "reviews")):
        for entity in preview[collection]:
            screen.say("", f"{kind} {entity['id']}")
            values = {shown: _words(entity.get(name)) for name, shown in _ENTITY_FIELDS.items()}
            screen.fields(values.items(), indent=2)
    for entity in preview["deleted"]:
        screen.say("", f"Deleted: {_entity(entity)}")
    if preview["containers"]:
        screen.say("")
        screen.table(
            ("CONTAINER", "NAME", "URL"),
            ((one["id"], one["name"], one["url"]) for one in preview["containers"]),
        )
    if preview.get("details"):
        screen.note("These parts do not have the tool's shape:")
        screen.details(preview["details"])


def _counts(source: dict[str, Any]) -> tuple[str, str, str]:
    counts = source["deliveries"]
    return f"{counts['taken']:,}", f"{counts['ignored']:,}", f"{counts['refused']:,}"


def _last(source: dict[str, Any]) -> str:
    last = source.get("lastDelivery")
    return f"{last['state']}, {moment_and_age(last['at'])}" if last else "none yet"


def _entity(entity: dict[str, Any]) -> str:
    return f"{entity['kind']} {entity['id']}"


def _words(value: Any) -> str:
    """A field of an entity: members of a list after commas, values of an object after spaces."""
    if isinstance(value, dict):
        return " ".join(map(_words, value.values()))
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    return "" if value is None else str(value)
