"""`relay workspaces erase` and `relay sites forget`, and the progress of both."""

from typing import Annotated, Any

import typer

from relay_cli.api import segment, workspace_path
from relay_cli.arguments import SiteArgument, WorkspaceArgument, YesOption
from relay_cli.command import Session
from relay_cli.failure import Failure
from relay_cli.questions import confirm
from relay_cli.sites import find_site
from relay_cli.words import counted, moment

_DONE = "done"
_NOT_FOUND = 404


def erase_workspace(session: Session, workspace: WorkspaceArgument, yes: YesOption = False) -> None:
    """Erase a workspace: everything of it, at every linked site and in Relay.

    It cannot be undone or stopped. It runs in the background: minutes, or an hour for a million
    entities; `relay workspaces erasure` shows its progress. Queued submissions are dropped. API
    keys for this workspace alone are revoked. A workspace that was deleted before can be erased,
    too.
    """
    if not yes:
        confirm(f"Erase everything of workspace {workspace}, also in Jira? It can't be undone.")
    path = workspace_path(workspace)
    _show(session, session.relay.document("DELETE", path, query={"erase": "true"}))


def show_erasure(session: Session, workspace: WorkspaceArgument) -> None:
    """Show the progress of a workspace's erasure, or when it was erased."""
    _show(session, session.relay.document("GET", workspace_path(workspace, "erasure")))


def forget_site(
    session: Session,
    site: SiteArgument,
    gone: Annotated[
        bool,
        typer.Option(
            "--gone", help="The site no longer exists, or lost the app without telling Relay."
        ),
    ] = False,
    yes: YesOption = False,
) -> None:
    """Forget a site that has uninstalled the app: Relay deletes everything that it holds of it.

    It cannot be undone or stopped. It runs in the background; `relay sites erasure` shows its
    progress. The record of the site's workspaces stays. A site that installs the app again is a new
    one.
    """
    erasure = _erasure_of(session, site)
    if erasure is None:
        found = find_site(session.relay, site)
        if not yes:
            confirm(f"Delete everything of {found['baseUrl']} ({found['id']})? It can't be undone.")
        query = {"gone": "true"} if gone else {}
        path = f"/v1/sites/{segment(found['id'])}"
        erasure = session.relay.document("DELETE", path, query=query)
    _show(session, erasure)


def _erasure_of(session: Session, site: str) -> dict[str, Any] | None:
    """The erasure of a site that no longer exists, if this is its id."""
    try:
        return session.relay.document("GET", f"/v1/sites/{segment(site)}/erasure")
    except Failure as error:
        if error.status != _NOT_FOUND:
            raise
        return None


def show_site_erasure(
    session: Session, site: Annotated[str, typer.Argument(help="The site's id.", metavar="SITE_ID")]
) -> None:
    """Show the progress of a site's erasure, or when it was erased."""
    _show(session, session.relay.document("GET", f"/v1/sites/{segment(site)}/erasure"))


def _show(session: Session, erasure: dict[str, Any]) -> None:
    if session.screen.json:
        session.screen.document(erasure)
        return
    is_done = erasure["stage"] == _DONE
    what = "is erased" if is_done else "is being erased"
    who = f"Site {erasure['site']}" if "site" in erasure else f"Workspace {erasure['workspaceId']}"
    session.screen.say(f"{who} {what}.")
    session.screen.fields(
        (
            ("stage", "" if is_done else erasure["stage"]),
            ("deleted", counted(erasure["deleted"], "item", "items")),
            ("started", moment(erasure["startedAt"])),
            ("done" if is_done else "updated", moment(erasure["updatedAt"])),
        )
    )
    unreached = erasure.get("unreached", ())
    for one in unreached:
        session.screen.say(f"Not reached: site {one['site']}. {one['reason']}")
    if unreached and is_done:
        session.screen.note("What these sites have of the workspace was not deleted there.")
