"""What all commands share: connection options, `--json`, errors, exit codes."""

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
_FILES = "The defaults are .relay/stack.json here or above, and ~/.config/relay/config.toml."

UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url",
        help="Relay's base URL, also as RELAY_URL.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--key",
        help="The API key. Other users of this machine can see it here: prefer RELAY_KEY "
        "or a file.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help=f"A file with both, also as RELAY_CONFIG. {_FILES}",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print JSON.", rich_help_panel=_PANEL),
]

_COMMON = {"url": UrlOption, "key": KeyOption, "config": ConfigOption, "json": JsonOption}


class Session:
    """One run of a command: its configuration, its output, and its client of Relay's API."""

    def __init__(self, flags: Flags, screen: Screen) -> None:
        self._flags = flags
        self.screen = screen
        self.correlation_id = f"cli-{uuid.uuid4()}"

    @cached_property
    def config(self) -> Config:
        """The configuration, read once. Raises Misuse for a wrong value or an unreadable file."""
        return load_config(self._flags, os.environ, Path.cwd(), Path.home())

    @cached_property
    def relay(self) -> Relay:
        """The client of the configured Relay. Raises Misuse without a URL or a key."""
        if self.config.no_key:
            raise Misuse(self.config.no_key, "config")
        if not self.config.key:
            raise Misuse(
                'No API key is configured. Set RELAY_KEY, or write key = "…" into '
                "~/.config/relay/config.toml. `relay config show` shows the configuration.",
                "config",
            )
        return self.relay_for(self.config)

    def relay_for(self, config: Config, **options: Any) -> Relay:
        """A client, with its `options`, for this configuration. Raises Misuse without a URL."""
        if not config.url:
            raise Misuse(
                'No Relay URL is configured. Set RELAY_URL or pass --url, or write url = "…" into '
                "~/.config/relay/config.toml. `relay config show` shows the configuration.",
                "config",
            )
        return Relay(config.url, config.key, self.correlation_id, self.screen.note, **options)

    def close(self) -> None:
        """Closes the client, if one was used."""
        if "relay" in vars(self):
            self.relay.close()


def command(
    app: typer.Typer, name: str, **settings: Any
) -> Callable[[Callable[..., int | None]], Callable[..., int | None]]:
    """Registers a function as a command. Its parameters are a Session and the command's own.

    It returns the exit code, None for 0, and raises Failure to end the command.
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
    """Accepts the common options before the command as well."""

    def run(context: typer.Context, **values: Any) -> None:
        context.obj = {option: values.pop(option) for option in _COMMON}
        function(**values)

    _give_signature(run, function, own_from=0)
    app.callback(help=inspect.getdoc(function))(run)


def _give_signature(
    run: Callable[..., None], function: Callable[..., Any], own_from: int = 1
) -> list[str]:
    """Gives `run` the signature from which Typer reads the options.

    Returns the common options among them. An option that the command defines itself is not: the
    common one can then only precede the command.
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
