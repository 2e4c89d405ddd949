"""Arguments and options that several commands share."""

from typing import Annotated

import typer

WorkspaceArgument = Annotated[str, typer.Argument(help="The workspace's id.", metavar="WORKSPACE")]
SiteArgument = Annotated[
    str,
    typer.Argument(help="The site's id, its base URL, or a unique part of that.", metavar="SITE"),
]
SourceArgument = Annotated[str, typer.Argument(help="The source's id.", metavar="SOURCE")]
EntityArgument = Annotated[str, typer.Argument(help="The entity's id.", metavar="ENTITY_ID")]
ReviewOption = Annotated[
    bool, typer.Option("--review", help="The id is a review's, not an incident's.")
]
FileArgument = Annotated[
    str,
    typer.Argument(help="A file of JSON or JSONL, or - for standard input.", metavar="FILE|-"),
]
LimitOption = Annotated[int, typer.Option(min=1, help="The maximum number of rows.")]
AllOption = Annotated[bool, typer.Option("--all", help="All, without a limit.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
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
