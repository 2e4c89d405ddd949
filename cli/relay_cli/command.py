"""What every command has in common: options for the connection, `--json`, errors, exit codes."""

import inspect
import os
import uuid
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import typer

from relay_cli.api import Relay
from relay_cli.config import Config, Flags, load_config
from relay_cli.failure import Failure, Misuse
from relay_cli.screen import Screen

_PANEL = "Connection and output"
_FILES = "Else from .relay/stack.json here or above, or ~/.config/relay/config.toml."

UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url",
        help="Relay's base URL. Or set RELAY_URL.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--key",
        help="The API key. Others on this machine can see it here: better set RELAY_KEY, "
        "or write it into a file.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help=f"A file with both. Or set RELAY_CONFIG. {_FILES}",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print JSON, for programs.", rich_help_panel=_PANEL),
]

_COMMON = {"url": UrlOption, "key": KeyOption, "config": ConfigOption, "json": JsonOption}


class Session:
    """One run of a command."""

    def __init__(self, flags: Flags, screen: Screen) -> None:
        self._flags = flags
        self.screen = screen
        self.correlation_id = f"cli-{uuid.uuid4()}"

    @cached_property
    def config(self) -> Config:
        return load_config(self._flags, os.environ, Path.cwd(), Path.home())

    @cached_property
    def relay(self) -> Relay:
        """Raises Misuse where it is not known which Relay, or with which key."""
        if self.config.no_key:
            raise Misuse(self.config.no_key, "config")
        if not self.config.key:
            raise Misuse(
                'No API key is given. Set RELAY_KEY, or write key = "…" into '
                "~/.config/relay/config.toml. `relay config show` says what is set.",
                "config",
            )
        return self.relay_for(self.config)

    def relay_for(self, config: Config, **options: Any) -> Relay:
        if not config.url:
            raise Misuse(
                'It is not said where Relay is. Set RELAY_URL, or write url = "…" into '
                "~/.config/relay/config.toml. `relay config show` says what is set.",
                "config",
            )
        return Relay(config.url, config.key, self.correlation_id, self.screen.note, **options)

    def close(self) -> None:
        if "relay" in vars(self):
            self.relay.close()


def command(
    app: typer.Typer, name: str, **settings: Any
) -> Callable[[Callable[..., int | None]], Callable[..., int | None]]:
    """Make a command of a function that takes a Session, and then the command's own parameters.

    What the function returns is the exit code, None being 0. It raises Failure where it can't go
    on.
    """

    def register(function: Callable[..., int | None]) -> Callable[..., int | None]:
        def run(context: typer.Context, **values: Any) -> None:
            given = {option: values.pop(option) for option in common}
            before = context.obj or {}
            chosen = {option: given.get(option) or before.get(option) for option in _COMMON}
            as_json = bool(chosen.pop("json"))
            session = Session(Flags(**chosen), Screen(as_json))
            try:
                code = function(session, **values) or 0
            except Failure as failure:
                session.screen.failure(failure)
                code = failure.exit_code
            finally:
                session.close()
            raise typer.Exit(code)

        common = _give_signature(run, function)
        app.command(name, help=inspect.getdoc(function), **settings)(run)
        return function

    return register


def add_common_options(app: typer.Typer, function: Callable[..., None]) -> None:
    """Let the options for every command stand before it, too."""

    def run(context: typer.Context, **values: Any) -> None:
        context.obj = {option: values.pop(option) for option in _COMMON}
        function(**values)

    _give_signature(run, function, own_from=0)
    app.callback(help=inspect.getdoc(function))(run)


def _give_signature(
    run: Callable[..., None], function: Callable[..., Any], own_from: int = 1
) -> list[str]:
    """Typer reads the options of a command from its function's signature.

    Returns the common options that it has; one that the command has for itself is not among them,
    and then only stands before the command.
    """
    own = list(inspect.signature(function).parameters.values())[own_from:]
    names = {parameter.name for parameter in own}
    context = inspect.Parameter(
        "context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
    )
    common = [
        inspect.Parameter(
            option,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=False if option == "json" else None,
            annotation=annotation,
        )
        for option, annotation in _COMMON.items()
        if option not in names
    ]
    required = [one for one in own if one.default is inspect.Parameter.empty]
    optional = [one for one in own if one.default is not inspect.Parameter.empty]
    parameters = [context, *required, *optional, *common]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return [parameter.name for parameter in common]
