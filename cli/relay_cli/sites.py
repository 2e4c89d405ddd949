"""`relay sites`, and the commands that link and offer workspaces to Jira sites."""

from typing import Annotated, Any

import typer

from relay_cli.api import Relay, segment
from relay_cli.arguments import SiteArgument, WorkspaceArgument
from relay_cli.command import Session, command
from relay_cli.failure import Failure, Misuse
from relay_cli.screen import Cell, Screen
from relay_cli.troubles import is_well, site_hint, site_state
from relay_cli.words import counted, moment, moment_and_age

app = typer.Typer(
    help="The Jira sites that have the app: list, show, move, forget.", no_args_is_help=True
)


@command(app, "list")
def list_sites(session: Session) -> None:
    """List the sites and their state. A key for some workspaces sees the sites linked to them."""
    sites = session.relay.every("/v1/sites", "sites")
    if session.screen.json:
        session.screen.document({"sites": sites})
        return
    session.screen.table(
        ("ID", "URL", "STATE", "INSTALLED"),
        (
            (site["id"], site["baseUrl"], site_state(site), moment(site.get("installedAt", "")))
            for site in sites
        ),
    )
    if not all(map(is_well, sites)):
        session.screen.note("`relay sites show SITE` shows what to do about a state.")


@command(app, "show")
def show_site(session: Session, site: SiteArgument) -> None:
    """Show a site and the workspaces that are linked to it, in Relay and in Jira."""
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


@command(app, "move")
def move_site(
    session: Session,
    old: Annotated[
        str, typer.Argument(help="The old installation, preferably by its id.", metavar="OLD")
    ],
    new: Annotated[
        str,
        typer.Argument(
            help="The installation that replaces it, preferably by its id.", metavar="NEW"
        ),
    ],
) -> None:
    """Link the workspaces of a replaced installation to the new one.

    An imported site, or one with the app from another account, is a new installation to Jira, which
    has none of the old data. Everything in the workspaces is replayed to it.
    """
    relay = session.relay
    gone, successor = find_site(relay, old), find_site(relay, new)
    if gone["id"] == successor["id"]:
        raise Misuse(f"Both are the site {gone['id']}. Pass each by its id.")
    path = f"/v1/sites/{segment(gone['id'])}/move"
    document = relay.document("POST", path, document={"to": successor["id"]})
    if session.screen.json:
        session.screen.document(document)
        return
    moved = document["moved"]
    if not moved:
        session.screen.say(f"No workspace was linked to {gone['id']}, so none was moved.")
        return
    number = counted(len(moved), "workspace is", "workspaces are")
    session.screen.say(f"{number} now linked to {successor['baseUrl']}: {', '.join(moved)}")
    session.screen.say(f"Everything in them is replayed there: `relay replays {successor['id']}`")


def link(session: Session, site: SiteArgument, workspace: WorkspaceArgument) -> None:
    """Link a workspace to a site, also in Jira. Its recorded and future entities are delivered."""
    found, document = _change(session, "PUT", site, workspace, "workspaces")
    session.screen.result(document, f"Workspace {workspace} is linked to {found['baseUrl']}")


def unlink(session: Session, site: SiteArgument, workspace: WorkspaceArgument) -> None:
    """Unlink a workspace from a site. Its entities there are deleted in Jira."""
    found, document = _change(session, "DELETE", site, workspace, "workspaces")
    session.screen.result(
        document, f"Workspace {workspace} is no longer linked to {found['baseUrl']}."
    )


def offer(session: Session, site: SiteArgument, workspace: WorkspaceArgument) -> None:
    """Let a site's admin find a workspace in Jira. An offer delivers nothing."""
    found, document = _change(session, "PUT", site, workspace, "offers")
    session.screen.result(document, f"Workspace {workspace} is offered to {found['baseUrl']}")


def withdraw(session: Session, site: SiteArgument, workspace: WorkspaceArgument) -> None:
    """Withdraw an offer. An existing link is not affected."""
    found, document = _change(session, "DELETE", site, workspace, "offers")
    session.screen.result(
        document, f"Workspace {workspace} is no longer offered to {found['baseUrl']}."
    )


def find_site(relay: Relay, wanted: str) -> dict[str, Any]:
    """The site with this id, base URL, or unique part of that. Raises Misuse for none or several.

    Of several installations of a site it is the one that is not superseded.
    """
    sites = relay.every("/v1/sites", "sites")
    exact = wanted.rstrip("/").lower()
    found = (
        [site for site in sites if exact == site["id"].lower()]
        or [site for site in sites if exact == site["baseUrl"].rstrip("/").lower()]
        or [site for site in sites if exact and exact in site["baseUrl"].lower()]
    )
    if len(found) > 1:
        found = [site for site in found if not site.get("supersededBy")] or found
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(f"{site['baseUrl']} ({site['id']})" for site in found)
        raise Misuse(f"{wanted!r} matches several sites: {names}", "ambiguous_site")
    raise Misuse(
        f"Your key sees no site {wanted!r}. `relay sites list` lists the sites.", "unknown_site"
    )


def links_of(relay: Relay, site_id: str) -> dict[str, Any]:
    """The site's linked and offered workspaces. Relay asks Jira, so a failure may be Jira's."""
    return relay.document("GET", f"/v1/sites/{segment(site_id)}/workspaces")


def _change(
    session: Session, method: str, site: str, workspace_id: str, collection: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    relay = session.relay
    found = find_site(relay, site)
    path = f"/v1/sites/{segment(found['id'])}/{collection}/{segment(workspace_id)}"
    document = relay.document(method, path)
    return found, document or {"site": found["id"], "workspaceId": workspace_id}


def _show(screen: Screen, site: dict[str, Any], links: dict[str, Any]) -> None:
    screen.fields(
        [
            ("id", site["id"]),
            ("url", site["baseUrl"]),
            ("state", site_state(site)),
            *_trouble(site.get("trouble", {})),
            ("superseded by", site.get("supersededBy", "")),
            ("to do", site_hint(site)),
            ("installed", moment(site.get("installedAt", ""))),
            ("region", site.get("region", "")),
            ("client key", site.get("clientKey", "")),
            ("cloud id", site.get("cloudId", "")),
            ("installation", site.get("installationId", "")),
            ("called as", _credential(site.get("credential", {}))),
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


def _credential(credential: dict[str, Any]) -> str:
    """The identity that Jira accepts, and why it refused the other, if it did."""
    if not credential:
        return ""
    name = {"connect": "Connect", "forge": "Forge"}[credential["inUse"]]
    if "because" not in credential:
        return name
    return f"{name}; the other was refused at {moment(credential['at'])}: {credential['because']}"


def _trouble(trouble: dict[str, Any]) -> list[tuple[str, Cell]]:
    if not trouble:
        return []
    return [
        ("why", trouble["message"]),
        ("since", moment_and_age(trouble["since"])),
        ("next try", moment(trouble["until"])),
        ("attempts", str(trouble["attempts"])),
    ]


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"
