"""A source's settings: as options of `relay sources add` and `set`, and as words."""

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from relay_cli.failure import Misuse
from relay_cli.feed import as_text, parse_json
from relay_cli.files import read_text

ComponentOption = Annotated[
    str | None,
    typer.Option(
        help="The container that is affected if the tool names no service.", show_default=False
    ),
]
SeverityOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=LEVEL",
        help="Jira's level, such as P2, for one of the tool's severities; repeatable.",
    ),
]
IssueKeysOption = Annotated[
    str | None,
    typer.Option(
        metavar="on|off|PROJECT,…",
        help="Associate the Jira issues that the tool's texts name: all, none, or those of these "
        "projects.",
        show_default=False,
    ),
]
ContainersOption = Annotated[
    str | None,
    typer.Option(
        metavar="on|off",
        help="Create a container for each service that the tool names.",
        show_default=False,
    ),
]
SettingsOption = Annotated[
    str | None,
    typer.Option(
        "--settings",
        metavar="FILE|-",
        help="A file with settings as a JSON object, such as the mapping of a custom source. The "
        "other options override it.",
        show_default=False,
    ),
]
SignatureHeaderOption = Annotated[
    str | None,
    typer.Option(metavar="HEADER", help="The signature's header.", show_default=False),
]
TimestampHeaderOption = Annotated[
    str | None,
    typer.Option(metavar="HEADER", help="The header of the signature's time.", show_default=False),
]

_SWITCH = {"on": True, "off": False}


def settings_of(file: str | None, **options: Any) -> dict[str, Any]:
    """The settings that are given, in the API's shape; options come before the file.

    Raises Misuse for an invalid value.
    """
    given = {name: value for name, value in options.items() if value not in (None, [])}
    settings = {} if file is None else _in_file(file)
    return settings | {
        _SETTINGS[name][0]: _SETTINGS[name][1](value) for name, value in given.items()
    }


def settings_rows(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each setting's name and value, as the options spell them."""
    names = {name: option.replace("_", " ") for option, (name, _) in _SETTINGS.items()}
    # An expression of a mapping may contain commas, so each has its own row.
    mapping = [(f"mapping.{name}", one) for name, one in settings.get("mapping", {}).items()]
    rest = ((name, value) for name, value in settings.items() if name != "mapping")
    return [*((names.get(name, name), _words(value)) for name, value in rest), *mapping]


def _severities(pairs: list[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        # A level has no "=", a name may.
        name, _, level = pair.rpartition("=")
        if not name or not level:
            raise Misuse(f"--severity {pair}: expected NAME=LEVEL.")
        found[name] = level
    return found


def _issue_keys(text: str) -> bool | list[str]:
    projects = [part.strip() for part in text.split(",")]
    if not all(projects):
        raise Misuse(f"--issue-keys {text}: expected on, off, or projects such as PAY,OPS.")
    return _SWITCH.get(text, projects)


def _containers(text: str) -> bool:
    if text not in _SWITCH:
        raise Misuse(f"--containers {text}: expected on or off.")
    return _SWITCH[text]


def _in_file(file: str) -> dict[str, Any]:
    settings = parse_json(read_text(file), file)
    # 1e999 is read as infinity.
    as_text(settings, file)
    if not isinstance(settings, dict):
        raise Misuse(f"{file}: the settings must be a JSON object.")
    return settings


_SETTINGS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "component": ("component", str),
    "severity": ("severities", _severities),
    "issue_keys": ("issueKeys", _issue_keys),
    "containers": ("makeContainers", _containers),
    "signature_header": ("signatureHeader", str),
    "timestamp_header": ("timestampHeader", str),
}


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, dict) and all(isinstance(one, str) for one in value.values()):
        return ", ".join(f"{name}={one}" for name, one in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
