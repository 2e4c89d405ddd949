"""`relay forge`: the manifest that registers a deployed Relay with Atlassian's Forge."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from relay_cli.command import Session, command
from relay_cli.descriptor import problems
from relay_cli.doctor import DESCRIPTOR
from relay_cli.failure import Failure, Misuse
from relay_cli.forge_page import FOLDER, has_page, page_files, write_files
from relay_cli.manifest import REGIONS, Deployment, manifest_of

_APP_ID = re.compile(
    r"ari:cloud:ecosystem::app/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII
)
_NO_APP = "00000000-0000-0000-0000-000000000000"

app = typer.Typer(help="Relay as a Forge app: its manifest.", no_args_is_help=True)


@command(app, "manifest")
def make_manifest(
    session: Session,
    app_id: Annotated[
        str,
        typer.Option(
            # No example: rich would show the word between its colons as an emoji.
            help="The app's id, as `forge register` prints it.",
            metavar="ARI",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(help="The file to write, such as manifest.yml.", show_default=False),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(
            help="The URL at which Atlassian reaches Relay. The default is the descriptor's own.",
            show_default=False,
        ),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            help="The URL of a region's own Relay, such as EU=https://relay-eu.example.com; "
            "repeatable. All other regions use the base URL.",
            metavar="REGION=URL",
        ),
    ] = None,
    guide_url: Annotated[
        str | None,
        typer.Option(
            help="A page that explains the move to Forge to admins. The default is the "
            "descriptor's documentation.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write the Forge manifest of a deployed Relay, from the descriptor that it serves.

    It has the descriptor's key, modules and scopes. With --output, the page's files are written
    beside it. Write both again after each update of Relay.
    """
    _check_app_id(app_id)
    regions = _regions(region or ())
    guide_url = guide_url and _https(guide_url, "--guide-url")
    descriptor = _descriptor(session)
    base_url = _base_url(session, base_url, descriptor)
    made = manifest_of(descriptor, Deployment(app_id, base_url, regions, guide_url))
    session.screen.note(*made.left_out)
    if output:
        text = as_yaml(made.document, session.config.url or "")
        pages = _page_files(session) if has_page(descriptor) else {}
        _write(output, {**pages, output.name: text})
        _say_written(session, output, bool(pages))
    elif session.screen.json:
        session.screen.document(made.document)
    else:
        typer.echo(as_yaml(made.document, session.config.url or ""), nl=False)


def as_yaml(document: Mapping[str, Any], url: str) -> str:
    """The manifest as YAML, in its own order, after a comment with the descriptor's URL."""
    # Imported here, because no other command needs it.
    import yaml

    head = f"# Made by `relay forge manifest` of {url}{DESCRIPTOR}\n"
    return head + yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True, width=100)


def _check_app_id(app_id: str) -> None:
    if not _APP_ID.fullmatch(app_id) or app_id.endswith(_NO_APP):
        raise Misuse(
            f"{app_id!r} is not the id of a Forge app. `forge register` makes and prints one: "
            "ari:cloud:ecosystem::app/ and a UUID."
        )


def _regions(given: Sequence[str]) -> dict[str, str]:
    regions: dict[str, str] = {}
    for text in given:
        name, _, url = text.partition("=")
        if name not in REGIONS:
            raise Misuse(f"--region {text}: the regions are {', '.join(REGIONS)}.")
        if name in regions:
            raise Misuse(f"--region {name} is given twice.")
        regions[name] = _base(url, f"--region {name}")
    return regions


def _descriptor(session: Session) -> dict[str, Any]:
    # The descriptor is public, so the key is not sent.
    with session.relay_for(replace(session.config, key=None)) as relay:
        descriptor = relay.document("GET", DESCRIPTOR)
        # Relay may be reached by a URL other than its base URL, such as API Gateway's.
        found = list(problems(descriptor, str(descriptor.get("baseUrl") or relay.url)))
    if found:
        raise Failure(
            f"The descriptor of {relay.url} is not complete: {'; '.join(map(str, found))}. "
            "Deploy again.",
            "bad_descriptor",
        )
    return descriptor


def _base_url(session: Session, given: str | None, descriptor: Mapping[str, Any]) -> str:
    own = str(descriptor["baseUrl"])
    if given is None:
        return _base(own, "the descriptor's baseUrl")
    url = _base(given, "--base-url")
    if url != own:
        session.screen.note(
            f"This Relay uses {own} as its base URL. Deploy it with the parameter "
            f"BaseUrl={url}, or it refuses the installs that Jira signs."
        )
    return url


def _base(text: str, source: str) -> str:
    """The URL without a trailing slash, because paths are appended to it."""
    url = _https(text, source).rstrip("/")
    parts = urlsplit(url)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise Misuse(f"The URL from {source} must have neither user name nor query.")
    return url


def _https(text: str, source: str) -> str:
    """Raises Misuse unless the URL is https: Forge calls and shows no other."""
    url = text.strip()
    try:
        parts = urlsplit(url)
        valid = parts.scheme == "https" and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise Misuse(f"{source} is {url!r}, not a URL such as https://relay.example.com")
    return url


def _page_files(session: Session) -> dict[str, str]:
    with session.relay_for(replace(session.config, key=None)) as relay:
        return page_files(relay)


def _write(output: Path, files: Mapping[str, str]) -> None:
    try:
        write_files(output.parent, files.items())
    except OSError as error:
        path = error.filename or output
        raise Misuse(f"{path} can't be written: {error.strerror}.") from None


def _say_written(session: Session, output: Path, has_pages: bool) -> None:
    folder = output.parent / FOLDER
    if session.screen.json:
        pages = {"page": str(folder)} if has_pages else {}
        session.screen.document({"output": str(output), **pages})
        return
    session.screen.say(f"{output} is written.")
    if has_pages:
        session.screen.say(
            f"The page inside Jira is in {folder}. Build it there before `forge deploy`: "
            "npm install && npm run build"
        )
