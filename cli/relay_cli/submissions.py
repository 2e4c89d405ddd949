"""`relay submissions`: the effect of what was submitted in the last two weeks."""

from typing import Annotated, Any

import typer

from relay_cli.api import PAGE_MAX, segment, workspace_path
from relay_cli.arguments import AllOption, LimitOption, WorkspaceArgument
from relay_cli.command import Session, command
from relay_cli.documents import collected
from relay_cli.screen import Cell, styled
from relay_cli.words import moment

app = typer.Typer(
    help="Receipts: how many submitted entities were recorded, were repeats, or were too old.",
    no_args_is_help=True,
)
# The counts of a receipt, and the style of those that are not zero.
_COUNTS = {"recorded": "", "same": "", "superseded": "", "outdated": "yellow", "conflicting": "red"}
_LISTS = {"outdatedEntities": "outdated", "conflictingEntities": "conflicting"}


@command(app, "list")
def list_submissions(
    session: Session,
    workspace: WorkspaceArgument,
    limit: LimitOption = PAGE_MAX,
    everything: AllOption = False,
) -> None:
    """List a workspace's submissions of the last two weeks, newest first, and their effect."""
    path = workspace_path(workspace, "submissions")
    found = collected(session, path, "submissions", None if everything else limit)
    if not session.screen.json:
        session.screen.table(
            ("ACCEPTED", "ID", "ENTITIES", *(name.upper() for name in _COUNTS)),
            (
                (
                    moment(one["acceptedAt"]),
                    one["submissionId"],
                    f"{one['entities']:,}",
                    *(_count(one, name) for name in _COUNTS),
                )
                for one in found
            ),
        )


@command(app, "show")
def show_submission(
    session: Session,
    workspace: WorkspaceArgument,
    submission: Annotated[
        str, typer.Argument(help="The submission's id.", metavar="SUBMISSION_ID")
    ],
) -> None:
    """Show the effect of a submission, and the entities with outdated or conflicting states.

    An outdated state is older than the recorded one. A conflicting state has the
    updateSequenceNumber of the recorded one, but other content: the update is lost.
    """
    path = workspace_path(workspace, "submissions", segment(submission))
    receipt = session.relay.document("GET", path)
    if session.screen.json:
        session.screen.document(receipt)
        return
    session.screen.fields(
        [
            ("id", receipt["submissionId"]),
            ("accepted", moment(receipt["acceptedAt"])),
            ("processed", moment(receipt["processedAt"])),
            ("entities", f"{receipt['entities']:,}"),
            *((name, _count(receipt, name)) for name in _COUNTS),
        ]
    )
    for name, effect in _LISTS.items():
        for entity in receipt.get(name, ()):
            session.screen.say(f"{effect}: {entity['kind']} {entity['id']}")


def _count(receipt: dict[str, Any], name: str) -> Cell:
    number = receipt[name]
    return styled(f"{number:,}", _COUNTS[name]) if number else "0"
