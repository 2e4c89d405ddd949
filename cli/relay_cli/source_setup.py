"""`relay sources add`, `set` and `secret`: what connects a tool to a source."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer

from relay_cli.api import Relay, segment, workspace_path
from relay_cli.arguments import SourceArgument, WorkspaceArgument
from relay_cli.command import Session
from relay_cli.failure import Failure, Misuse
from relay_cli.feed import compact
from relay_cli.questions import ask_secret, is_terminal
from relay_cli.screen import Screen
from relay_cli.source_secrets import (
    VARIABLE,
    Secret,
    SecretFileOption,
    given_secret,
    secret_for,
)
from relay_cli.source_settings import (
    ComponentOption,
    ContainersOption,
    IssueKeysOption,
    SettingsOption,
    SeverityOption,
    SignatureHeaderOption,
    TimestampHeaderOption,
    settings_of,
)


def source_path(workspace_id: str, source_id: str, *parts: str) -> str:
    """The path of a source in the API. `parts` are encoded segments."""
    return workspace_path(workspace_id, "sources", segment(source_id), *parts)


def kinds_of(relay: Relay) -> list[dict[str, Any]]:
    """Relay's kinds of sources."""
    kinds: list[dict[str, Any]] = relay.document("GET", "/v1/source-kinds")["kinds"]
    return kinds


def put_source(
    relay: Relay,
    workspace_id: str,
    source_id: str,
    document: Mapping[str, Any],
    secret: Secret | None = None,
) -> dict[str, Any]:
    """Creates or changes a source. Raises as `Relay.document` does."""
    # httpx can't encode an unpaired surrogate. Relay refuses it with an error.
    body = compact({**document, **({"secret": secret.value} if secret else {})})
    headers = {"Content-Type": "application/json"}
    return relay.document("PUT", source_path(workspace_id, source_id), body=body, headers=headers)


def add_source(
    session: Session,
    workspace: WorkspaceArgument,
    source: SourceArgument,
    kind: Annotated[
        str, typer.Option(help="The tool: one of `relay sources kinds`.", show_default=False)
    ],
    settings_file: SettingsOption = None,
    component: ComponentOption = None,
    severity: SeverityOption = None,
    issue_keys: IssueKeysOption = None,
    containers: ContainersOption = None,
    signature_header: SignatureHeaderOption = None,
    timestamp_header: TimestampHeaderOption = None,
    secret_file: SecretFileOption = None,
    sign: Annotated[
        bool, typer.Option("--sign", help="Require signed calls, where signing is optional.")
    ] = False,
) -> None:
    """Create a source. Prints its URL, and the steps to take in the tool.

    The URL is shown only once. If the tool makes the secret with which it signs, the command asks
    for it after the steps; without a terminal, run `relay sources secret` later. If the secret is
    yours to choose, the command generates one and shows it in the steps, unless --secret-file or
    RELAY_SOURCE_SECRET gives one.
    """
    settings = settings_of(
        settings_file,
        component=component,
        severity=severity,
        issue_keys=issue_keys,
        containers=containers,
        signature_header=signature_header,
        timestamp_header=timestamp_header,
    )
    given = given_secret(secret_file)
    relay = session.relay
    tool = kind_named(relay, kind)
    secret = secret_for(tool, given, sign)
    _refuse_existing(relay, workspace, source)
    made = put_source(relay, workspace, source, {"kind": kind, "settings": settings}, secret)
    if "url" not in made:
        raise _exists(workspace, source)
    lacks = bool(secret and secret.origin == "placeholder")
    asks = lacks and is_terminal() and not session.screen.json
    steps = list(_steps(tool, made["url"], secret))
    later = _secret_command(workspace, source)
    if lacks:
        steps.append(_last_step(tool["title"], later, asks))
    _show_made(session.screen, tool, made, secret, steps, later)
    if asks:
        _ask_and_put(session, workspace, made, tool)


def set_source(
    session: Session,
    workspace: WorkspaceArgument,
    source: SourceArgument,
    settings_file: SettingsOption = None,
    component: ComponentOption = None,
    severity: SeverityOption = None,
    issue_keys: IssueKeysOption = None,
    containers: ContainersOption = None,
    signature_header: SignatureHeaderOption = None,
    timestamp_header: TimestampHeaderOption = None,
    reset: Annotated[
        bool, typer.Option("--reset", help="Restore the defaults of all other settings.")
    ] = False,
) -> None:
    """Change a source's settings. Its URL, its secret and its other settings are kept."""
    settings = settings_of(
        settings_file,
        component=component,
        severity=severity,
        issue_keys=issue_keys,
        containers=containers,
        signature_header=signature_header,
        timestamp_header=timestamp_header,
    )
    if not settings and not reset:
        raise Misuse("Pass the settings to change, or --reset.")
    known = session.relay.document("GET", source_path(workspace, source))
    changed = {
        "kind": known["kind"],
        "settings": settings if reset else known["settings"] | settings,
    }
    document = put_source(session.relay, workspace, source, changed)
    session.screen.result(document, f"The settings of source {source} are changed.")


def give_secret(
    session: Session,
    workspace: WorkspaceArgument,
    source: SourceArgument,
    secret_file: SecretFileOption = None,
) -> None:
    """Give Relay the secret with which a source's tool signs. It replaces the old one at once.

    It is read from --secret-file, else from RELAY_SOURCE_SECRET, else asked for on a terminal.
    """
    given = given_secret(secret_file)
    if given is None and not is_terminal():
        raise Misuse(f"Pass the secret by --secret-file or {VARIABLE}, or run this on a terminal.")
    relay = session.relay
    known = relay.document("GET", source_path(workspace, source))
    if given:
        _put_secret(session, workspace, known, given)
    else:
        _ask_and_put(session, workspace, known, kind_named(relay, known["kind"]))


def kind_named(relay: Relay, wanted: str) -> dict[str, Any]:
    """Raises Misuse for an unknown kind."""
    kinds = {one["kind"]: one for one in kinds_of(relay)}
    if wanted not in kinds:
        names = ", ".join(kinds)
        raise Misuse(f"There is no kind {wanted!r}. The kinds are: {names}.", "unknown_kind")
    return kinds[wanted]


def _refuse_existing(relay: Relay, workspace_id: str, source_id: str) -> None:
    try:
        relay.document("GET", source_path(workspace_id, source_id))
    except Failure as failure:
        if failure.code != "unknown_source":
            raise
    else:
        raise _exists(workspace_id, source_id)


def _exists(workspace_id: str, source_id: str) -> Failure:
    which = f"{shlex.quote(workspace_id)} {shlex.quote(source_id)}"
    return Failure(
        f"Source {source_id} exists already. `relay sources set {which}` changes its settings, "
        f"`relay sources renew-url {which}` its URL.",
        "source_exists",
    )


def _steps(tool: Mapping[str, Any], url: str, secret: Secret | None) -> Iterator[str]:
    """The steps for this source; without a secret, those that are only about it are left out."""
    setup = tool["setup"]
    if secret and secret.origin == "made" and not any("{secret}" in step for step in setup):
        # It would be lost.
        setup = [*setup, "Secret: {secret}"]
    for step in setup:
        if secret or "{secret}" not in step or "{url}" in step:
            shown = secret.shown if secret else "<none>"
            yield step.replace("{url}", url).replace("{secret}", shown)


def _last_step(title: str, secret_command: str, asks: bool) -> str:
    """What to do with the secret that the tool shows."""
    if asks:
        return (
            f"Paste the secret below; until then, Relay refuses {title}'s calls. To do so later: "
            f"{secret_command}"
        )
    return f"Give the secret to Relay, which refuses {title}'s calls until then: {secret_command}"


def _show_made(
    screen: Screen,
    tool: Mapping[str, Any],
    made: Mapping[str, Any],
    secret: Secret | None,
    steps: Sequence[str],
    secret_command: str,
) -> None:
    """The new source's URL, the secret if it was made here, and the steps to take."""
    title, origin = tool["title"], secret.origin if secret else None
    if screen.json:
        shown = {"secret": secret.value} if secret and origin == "made" else {}
        screen.document({**made, "steps": steps, **shown})
        return
    screen.verbatim(made["url"], "")
    for number, step in enumerate(steps, 1):
        first, *more = step.split("\n")
        screen.verbatim(f"{number}. {first}", *(f"   {line}" for line in more))
    once = "the URL or the secret" if origin == "made" else "the URL"
    screen.note(f"Relay does not show {once} again.")
    if tool["signing"] == "optional" and not secret:
        screen.note(f"{title} can also sign its calls. To give Relay the secret: {secret_command}")


def _secret_command(workspace_id: str, source_id: str) -> str:
    return shlex.join(["relay", "sources", "secret", workspace_id, source_id])


def _ask_and_put(
    session: Session, workspace_id: str, source: Mapping[str, Any], tool: Mapping[str, Any]
) -> None:
    title = tool["title"]
    which = f"that {title} shows" if tool["signing"] == "tool" else f"with which {title} signs"
    secret = Secret(ask_secret(f"Paste the secret {which}"), "given", "")
    _put_secret(session, workspace_id, source, secret)


def _put_secret(
    session: Session, workspace_id: str, source: Mapping[str, Any], secret: Secret
) -> None:
    known = {"kind": source["kind"], "settings": source["settings"]}
    document = put_source(session.relay, workspace_id, source["id"], known, secret)
    session.screen.result(document, f"Relay has the secret of source {source['id']}.")
