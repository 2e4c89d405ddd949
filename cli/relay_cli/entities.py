"""`relay list`, `relay find`, `relay delete`, `relay review`: the entities of a workspace."""

from typing import Annotated, Any

import typer

from relay_cli.api import PAGE_MAX, segment, workspace_path
from relay_cli.arguments import (
    AllOption,
    LimitOption,
    ReviewOption,
    WorkspaceArgument,
    YesOption,
)
from relay_cli.command import Session
from relay_cli.documents import collected
from relay_cli.failure import Misuse
from relay_cli.questions import confirm
from relay_cli.screen import Cell, styled
from relay_cli.submit import parse_properties
from relay_cli.words import counted, moment, state_style

_WORKSPACES = "/v1/workspaces"
_COLUMNS = ("KIND", "ID", "SEQUENCE", "SITE", "STATE", "SINCE", "WHY")


def entity_path(workspace_id: str, entity_id: str, is_review: bool) -> str:
    """The path of an incident or a review in the API."""
    collection = "reviews" if is_review else "incidents"
    return workspace_path(workspace_id, collection, segment(entity_id))


def list_entities(
    session: Session,
    workspace: WorkspaceArgument,
    state: Annotated[
        str | None,
        typer.Option(
            help="Only entities in this state at some site: owed, accepted, rejected, "
            "deleted, absent, unaccounted, unknown-project-keys.",
            show_default=False,
        ),
    ] = None,
    limit: LimitOption = PAGE_MAX,
    everything: AllOption = False,
    after: Annotated[
        str | None,
        typer.Option(
            help="Continue after an earlier list, with `next` of its JSON.", show_default=False
        ),
    ] = None,
) -> None:
    """List a workspace's entities and the state of each at every linked site."""
    query = {"after": after} if after else {}
    if state:
        query["state"] = state.replace("-", " ")
    path = workspace_path(workspace, "entities")
    found = collected(session, path, "entities", None if everything else limit, **query)
    if not session.screen.json:
        session.screen.table(_COLUMNS, (row for entity in found for row in _rows(entity)))


def find(
    session: Session,
    text: Annotated[str, typer.Argument(help="A name, or any part of a text.", metavar="TEXT")],
    workspace: Annotated[
        str | None,
        typer.Option(help="Search only this workspace.", metavar="WORKSPACE", show_default=False),
    ] = None,
) -> None:
    """List the entities that hold a text, such as a person's name, anywhere in them.

    Case and accents are ignored. Without a workspace, all that the key is for are searched. It
    reads all of their entities: minutes for a hundred thousand. What is found is shown at once.
    """
    relay = session.relay
    ids = (
        [workspace] if workspace else [one["id"] for one in relay.every(_WORKSPACES, "workspaces")]
    )
    found: list[dict[str, Any]] = []
    for one in ids:
        for page in relay.pages(workspace_path(one, "entities"), "entities", text=text):
            found += [{"workspaceId": one, **entity} for entity in page["entities"]]
            rows = [(one, *row) for entity in page["entities"] for row in _rows(entity)]
            if rows and not session.screen.json:
                session.screen.table(("WORKSPACE", *_COLUMNS), rows)
    if session.screen.json:
        session.screen.document({"entities": found})
    else:
        session.screen.note(f"Found {counted(len(found), 'entity', 'entities')}.")


def delete(
    session: Session,
    workspace: WorkspaceArgument,
    entity_id: Annotated[
        str | None,
        typer.Argument(help="The entity's id.", metavar="[ENTITY_ID]", show_default=False),
    ] = None,
    review: ReviewOption = False,
    properties: Annotated[
        list[str] | None,
        typer.Option(
            "--property",
            metavar="NAME=VALUE",
            help="Instead of an id: all entities with this property; repeated, with all of them.",
        ),
    ] = None,
    yes: YesOption = False,
) -> None:
    """Delete an incident or a review in Relay and at every linked site.

    States submitted before do not restore it; a newer state does.
    """
    if bool(entity_id) == bool(properties):
        raise Misuse("Pass either an entity's id or --property.")
    if entity_id:
        _delete_one(session, workspace, entity_id, review)
    else:
        _delete_by_properties(session, workspace, properties or [], yes)


def review(
    session: Session,
    workspace: WorkspaceArgument,
    incident_id: Annotated[str, typer.Argument(help="The incident's id.", metavar="INCIDENT_ID")],
) -> None:
    """Draft a review from an incident's record and submit it."""
    path = entity_path(workspace, incident_id, is_review=False)
    document = session.relay.document("POST", f"{path}/review")
    if session.screen.json:
        session.screen.document(document)
        return
    made = document["review"]
    session.screen.say(f"Review {made['id']} is drafted and submitted.")
    names = {"summary": "summary", "status": "status", "url": "url"}
    session.screen.fields((shown, str(made.get(name, ""))) for name, shown in names.items())


def _delete_one(session: Session, workspace_id: str, entity_id: str, is_review: bool) -> None:
    path = entity_path(workspace_id, entity_id, is_review)
    document = session.relay.document("DELETE", path)
    if session.screen.json:
        session.screen.document(document)
    else:
        kind = "Review" if is_review else "Incident"
        session.screen.say(
            f"{kind} {entity_id} is deleted in Relay; its deletion in Jira is queued."
        )


def _delete_by_properties(session: Session, workspace_id: str, pairs: list[str], yes: bool) -> None:
    properties = parse_properties(pairs)
    what = " and ".join(f"{name}={value}" for name, value in properties.items())
    if not yes:
        question = f"Delete all entities of workspace {workspace_id} with {what}, also in Jira?"
        confirm(question)
    path = workspace_path(workspace_id, "entities")
    document = session.relay.document("DELETE", path, query=properties)
    if session.screen.json:
        session.screen.document(document)
    else:
        number = counted(document["deleted"], "entity", "entities")
        session.screen.say(
            f"{number} with {what} deleted in Relay; the deletion in Jira is queued."
        )


def _rows(entity: dict[str, Any]) -> list[tuple[Cell, ...]]:
    """One row for each site, or one row if no site is linked."""
    what = (entity["kind"], entity["id"], str(entity.get("updateSequenceNumber", "")))
    if not entity["sites"]:
        state = "deleted" if entity["deleted"] else "recorded"
        return [(*what, "none linked", state, "", "")]
    return [
        (
            *what,
            site["baseUrl"].partition("://")[2],
            styled(site["state"], state_style(site["state"])),
            moment(site.get("owedSince" if site["state"] == "owed" else "at", "")),
            _why(site),
        )
        for site in entity["sites"]
    ]


def _why(site: dict[str, Any]) -> str:
    if site["state"] == "owed":
        # The messages and project keys belong to an older state.
        return str(site.get("reason", ""))
    return "; ".join([*site.get("messages", ()), *site.get("unknownProjectKeys", ())])
