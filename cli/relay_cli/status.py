"""`relay status`: the state of an entity at every site, and the reasons."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from relay_cli.api import Relay, segment
from relay_cli.arguments import EntityArgument, ReviewOption, WorkspaceArgument
from relay_cli.command import Session
from relay_cli.entities import entity_path
from relay_cli.failure import Failure
from relay_cli.screen import Cell, Screen, styled
from relay_cli.troubles import site_hint
from relay_cli.words import STATES, moment, moment_and_age, parsed_moment, state_style

_AT_FAULT = (
    "The site accepts other entities but fails for this one. Relay retries it alone, less and less "
    "often; a newer state, or `relay replay`, delivers it at once."
)


def status(
    session: Session,
    workspace: WorkspaceArgument,
    entity_id: EntityArgument,
    review: ReviewOption = False,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Also ask Jira for its current state.")
    ] = False,
) -> None:
    """Show an incident's or a review's record, and its state at every site with the reason."""
    path = entity_path(workspace, entity_id, review)
    document, failure = _asked(session.relay, path, confirm)
    if session.screen.json:
        session.screen.document(document)
    else:
        _show(session, workspace, document)
    if failure:
        raise failure


def _asked(relay: Relay, path: str, confirm: bool) -> tuple[Mapping[str, Any], Failure | None]:
    """The answer, and if Jira can't be asked, Relay's own with the failure."""
    if not confirm:
        return relay.document("GET", path), None
    try:
        return relay.document("GET", path, query={"confirm": "true"}), None
    except Failure as failure:
        if not failure.code.startswith("jira_"):
            raise
        return relay.document("GET", path), failure


def _show(session: Session, workspace: str, document: Mapping[str, Any]) -> None:
    screen = session.screen
    _show_recorded(screen, workspace, document)
    _show_timeline(screen, document)
    if not document["sites"]:
        screen.say("", "The workspace is linked to no site, so the entity is not delivered.")
        screen.say(f"`relay link SITE {workspace}` links one.")
    for site in document["sites"]:
        _show_site(session, document, site)


def _show_recorded(screen: Screen, workspace_id: str, document: Mapping[str, Any]) -> None:
    entity = document.get("entity") or {}
    severity = (entity.get("severity") or {}).get("level", "")
    properties = document.get("properties", {})
    screen.say(
        styled(f"{document['kind'].capitalize()} {document['id']}", "bold"),
    )
    screen.fields(
        [
            ("workspace", workspace_id),
            ("summary", entity.get("summary", "")),
            ("status", ", ".join(filter(None, (entity.get("status"), severity)))),
            ("url", entity.get("url", "")),
            ("sequence", str(document.get("updateSequenceNumber", "not submitted"))),
            (
                "deleted",
                "yes, until a newer state is submitted" if document["deleted"] else "",
            ),
            ("recorded", moment_and_age(document["recordedAt"])),
            ("submission", document.get("correlationId", "")),
            ("properties", ", ".join(f"{name}={value}" for name, value in properties.items())),
        ]
    )


def _show_timeline(screen: Screen, document: Mapping[str, Any]) -> None:
    if not document.get("timeline"):
        return
    screen.say("")
    screen.table(
        ("FIRST SEEN", "STATUS", "SEVERITY"),
        (
            (moment(seen["at"]), seen["status"], seen["severity"] or "")
            for seen in document["timeline"]
        ),
    )


def _show_site(session: Session, document: Mapping[str, Any], site: Mapping[str, Any]) -> None:
    state = site["state"]
    screen = session.screen
    screen.say("")
    screen.say(styled(f"Site {site['baseUrl']}", "bold"))
    words = STATES.get(state, ("", ""))[1]
    if document["deleted"] and state == "owed":
        words = "It is deleted in Relay, but not at the site yet."
    rows: list[tuple[str, Cell]] = [
        ("state", styled(state, state_style(state))),
        ("", words),
        ("", _behind(document, site)),
    ]
    if state == "owed":
        rows.append(("why", _why_owed(session.relay, site)))
        rows.append(("owed since", moment_and_age(site.get("owedSince") or "")))
        rows.append(("next attempt", moment(site.get("until") or "")))
    if site.get("at"):
        rows.append(("answered" if state == "owed" else "since", moment_and_age(site["at"])))
    rows += [("Jira says", message) for message in site.get("messages", ())]
    keys = site.get("unknownProjectKeys")
    if keys:
        rows.append(("projects", ", ".join(keys)))
    rows += [("associated", _target(target)) for target in site.get("associations", ())]
    if "jira" in site:
        rows.append(("in Jira now", _in_jira(document, site["jira"])))
    screen.fields(rows)


def _behind(document: Mapping[str, Any], site: Mapping[str, Any]) -> str:
    """A sentence if the site has answered for an older state than the recorded one."""
    recorded, answered = document.get("updateSequenceNumber"), site.get("updateSequenceNumber")
    if recorded is None or answered is None or answered >= recorded:
        return ""
    return f"Sequence {recorded} is recorded; the site has answered for {answered}."


def _why_owed(relay: Relay, site: Mapping[str, Any]) -> str:
    try:
        known = relay.document("GET", f"/v1/sites/{segment(site['site'])}")
    except Failure:
        # The site's own state is only an addition.
        known = {"state": "active"}
    reason = site.get("reason") or ""
    if known["state"] == "uninstalled":
        return "The site is uninstalled. It is delivered once the site has the app again."
    if known["state"] == "active" and site.get("until"):
        return f"{reason.rstrip('.')}. {_AT_FAULT}" if reason else _AT_FAULT
    if known["state"] == "active":
        return reason or "Relay keeps retrying. `relay doctor` checks whether Jira answers."
    state = f"The site is {known['state']}."
    return f"{reason or state} {site_hint(known)}"


def _target(target: Mapping[str, Any]) -> str:
    """The kind and id of an association's target, or its ARI if it has no id."""
    kind = target.get("ati", "").rpartition(":")[2]
    return " ".join(filter(None, (kind, target.get("id") or target.get("ari", ""))))


def _in_jira(document: Mapping[str, Any], entity: Mapping[str, Any] | None) -> Cell:
    if entity is None:
        return "nothing" if document["deleted"] else styled("nothing, or not yet", "yellow")
    text = f"sequence {entity.get('updateSequenceNumber')}, {entity.get('status', '')}"
    if document["deleted"] or not _is_same(document, entity):
        return styled(f"{text}: not the recorded state, or not yet", "yellow")
    if entity["updateSequenceNumber"] > document["updateSequenceNumber"]:
        text += f": the recorded state, raised from {document['updateSequenceNumber']}"
    return styled(text, "green")


def _is_same(document: Mapping[str, Any], entity: Mapping[str, Any]) -> bool:
    """Whether Jira has the recorded state. Its sequence is higher if the site started over."""
    recorded = document["entity"]
    newest = parsed_moment(recorded["lastUpdated"])
    return (
        entity.get("updateSequenceNumber", 0) >= document["updateSequenceNumber"]
        and parsed_moment(entity.get("lastUpdated", "")) == newest
        and all(entity.get(name) == recorded[name] for name in ("status", "summary"))
    )
