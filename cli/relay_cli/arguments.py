"""Arguments and options that several commands have."""

from typing import Annotated

import typer

WorkspaceArgument = Annotated[str, typer.Argument(help="The workspace's id.", metavar="WORKSPACE")]
SiteArgument = Annotated[
    str,
    typer.Argument(
        help="The site's id, its base URL, or a part of it that no other has.", metavar="SITE"
    ),
]
EntityArgument = Annotated[str, typer.Argument(help="The entity's id.", metavar="ENTITY_ID")]
ReviewOption = Annotated[
    bool, typer.Option("--review", help="It is the id of a review, and not of an incident.")
]
FileArgument = Annotated[
    str,
    typer.Argument(help="A file of JSON or JSONL, or - for what is piped in.", metavar="FILE|-"),
]
LimitOption = Annotated[int, typer.Option(min=1, help="At most this many.")]
AllOption = Annotated[bool, typer.Option("--all", help="All of them, however many.")]
