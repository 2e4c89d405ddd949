"""`relay sites`, and which workspaces each Jira site is linked to."""

from typing import Any

import typer

from relay_cli.api import Relay, segment
from relay_cli.arguments import SiteArgument, WorkspaceArgument
from relay_cli.command import Session, command
from relay_cli.failure import Failure, Misuse
from relay_cli.screen import Screen, styled
from relay_cli.words import moment

app = typer.Typer(help="The Jira sites that have the app: list, show.", no_args_is_help=True)


@command(app, "list")
def list_sites(session: Session) -> None:
    """List the sites, and the state of each."""
    document = session.relay.document("GET", "/v1/sites")
    if session.screen.json:
        session.screen.document(document)
        return
    session.screen.table(
        ("ID", "URL", "STATE", "INSTALLED"),
        (
            (site["id"], site["baseUrl"], site_state(site), moment(site["installedAt"]))
            for site in document["sites"]
        ),
    )


@command(app, "show")
def show_site(session: Session, site: SiteArgument) -> None:
    """Show a site, and the workspaces that are linked to it: by Relay, and by what Jira says."""
    relay = session.relay
    found = find_site(relay, site)
    try:
        links, failure = links_of(relay, found["id"]), None
    except Failure as error:
        links, failure = {}, error
    if session.screen.json:
        session.screen.document(found | links)
    else:
        _show(session.screen, found, links)
    if failure:
        raise failure


def link(session: Session, site: SiteArgument, workspace: WorkspaceArgument) -> None:
    """Link a workspace to a site, in Jira too: what is submitted to it goes there from now on."""
    found, document = _change(session, "PUT", site, workspace, "workspaces")
    _done(session, document, f"Workspace {workspace} is linked to {found['baseUrl']}")


def unlink(session: Session, site: SiteArgument, workspace: WorkspaceArgument) -> None:
    """Unlink a workspace from a site. Jira then deletes there what it has of it."""
    found, document = _change(session, "DELETE", site, workspace, "workspaces")
    _done(session, document, f"Workspace {workspace} is not linked to {found['baseUrl']} any more.")


def offer(session: Session, site: SiteArgument, workspace: WorkspaceArgument) -> None:
    """Let a site's admin find a workspace in Jira. Nothing of it is delivered there by that."""
    found, document = _change(session, "PUT", site, workspace, "offers")
    _done(session, document, f"Workspace {workspace} is offered to {found['baseUrl']}")


def withdraw(session: Session, site: SiteArgument, workspace: WorkspaceArgument) -> None:
    """Offer a workspace to a site no more. A link that there is stays."""
    found, document = _change(session, "DELETE", site, workspace, "offers")
    _done(
        session, document, f"Workspace {workspace} is not offered to {found['baseUrl']} any more."
    )


def find_site(relay: Relay, wanted: str) -> dict[str, Any]:
    """The site of this id, base URL, or unique part of it. Raises Misuse."""
    sites: list[dict[str, Any]] = relay.document("GET", "/v1/sites")["sites"]
    exact = wanted.rstrip("/").lower()
    for site in sites:
        if exact in (site["id"].lower(), site["baseUrl"].rstrip("/").lower()):
            return site
    partly = [site for site in sites if exact and exact in site["baseUrl"].lower()]
    if len(partly) == 1:
        return partly[0]
    if partly:
        names = ", ".join(site["baseUrl"] for site in partly)
        raise Misuse(f"{wanted!r} is a part of several sites: {names}", "ambiguous_site")
    raise Misuse(f"No site is {wanted!r}. `relay sites list` has them.", "unknown_site")


def links_of(relay: Relay, site_id: str) -> dict[str, Any]:
    """Relay asks Jira for this, so it tells whether Jira answers."""
    return relay.document("GET", f"/v1/sites/{segment(site_id)}/workspaces")


def site_state(site: dict[str, Any]) -> Any:
    state = str(site["state"])
    return styled(state, "green" if state == "active" else "red")


def _change(
    session: Session, method: str, site: str, workspace_id: str, collection: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    relay = session.relay
    found = find_site(relay, site)
    path = f"/v1/sites/{segment(found['id'])}/{collection}/{segment(workspace_id)}"
    document = relay.document(method, path)
    return found, document or {"site": found["id"], "workspaceId": workspace_id}


def _done(session: Session, document: dict[str, Any], words: str) -> None:
    if session.screen.json:
        session.screen.document(document)
    else:
        session.screen.say(words)


def _show(screen: Screen, site: dict[str, Any], links: dict[str, Any]) -> None:
    screen.fields(
        [
            ("id", site["id"]),
            ("url", site["baseUrl"]),
            ("state", site_state(site)),
            ("installed", moment(site["installedAt"])),
            ("client key", site.get("clientKey", "")),
        ]
    )
    if not links:
        return
    here, in_jira, offered = (set(links[name]) for name in ("workspaces", "inJira", "offered"))
    screen.say("")
    screen.table(
        ("WORKSPACE", "LINKED HERE", "LINKED IN JIRA", "OFFERED"),
        (
            (
                workspace,
                _yes(workspace in here),
                _yes(workspace in in_jira),
                _yes(workspace in offered),
            )
            for workspace in sorted(here | in_jira | offered)
        ),
    )


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"
