"""`relay keys`: API keys. It requires a key for all workspaces."""

from typing import Annotated

import typer

from relay_cli.api import segment
from relay_cli.command import Session, command
from relay_cli.failure import Misuse
from relay_cli.key import Key
from relay_cli.words import moment

app = typer.Typer(help="API keys: make, list, revoke.", no_args_is_help=True)


@command(app, "make")
def make_key(
    session: Session,
    name: Annotated[str, typer.Option(help="A name that `relay keys list` shows.")] = "",
    workspace: Annotated[
        list[str] | None,
        typer.Option(help="A workspace that the key has access to; repeatable."),
    ] = None,
    all_workspaces: Annotated[
        bool, typer.Option("--all-workspaces", help="The key has access to all workspaces.")
    ] = False,
) -> None:
    """Make a key and print it. It is shown only once."""
    if bool(workspace) == all_workspaces:
        raise Misuse("Pass either --workspace, once for each, or --all-workspaces.")
    whom = {"allWorkspaces": True} if all_workspaces else {"workspaces": workspace}
    wanted = {"name": name, **whom}
    made = session.relay.document("POST", "/v1/keys", document=wanted)
    if session.screen.json:
        session.screen.document(made)
        return
    # The only line on stdout, for KEY=$(relay keys make --all-workspaces).
    session.screen.say(made["key"])
    session.screen.note("Store it now: it is not shown again.")


@command(app, "list")
def list_keys(session: Session) -> None:
    """List the keys: their ids, names and workspaces, never the keys themselves."""
    keys = sorted(session.relay.every("/v1/keys", "keys"), key=lambda key: key["createdAt"])
    if session.screen.json:
        session.screen.document({"keys": keys})
        return
    session.screen.table(
        ("ID", "NAME", "WORKSPACES", "MADE"),
        (
            (
                key["id"],
                key["name"],
                "all" if key["workspaces"] is None else ", ".join(key["workspaces"]),
                moment(key["createdAt"]),
            )
            for key in keys
        ),
    )


@command(app, "revoke")
def revoke_key(
    session: Session,
    key_id: Annotated[
        str, typer.Argument(help="Its id, from `relay keys list`.", metavar="KEY_ID")
    ],
    yes: Annotated[
        bool, typer.Option("--yes", help="Also revoke the key that this call uses.")
    ] = False,
) -> None:
    """Revoke a key. Relay no longer accepts it."""
    # The key itself is accepted in place of its id.
    key_id = Key(key_id).id or key_id
    relay = session.relay
    if session.config.key and key_id == session.config.key.id and not yes:
        raise Misuse("This call uses the same key. Pass --yes to revoke it.")
    relay.document("DELETE", f"/v1/keys/{segment(key_id)}")
    if session.screen.json:
        session.screen.document({"id": key_id})
    else:
        session.screen.say(f"Key {key_id} is revoked.")
