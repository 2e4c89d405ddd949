"""Reads template.yaml: its tables, queues, routes and functions."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


class _Loader(yaml.SafeLoader):
    """Loads CloudFormation's short forms: `!Ref X` becomes {"Ref": "X"}."""


def _intrinsic(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {suffix: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {suffix: loader.construct_sequence(node, deep=True)}
    if not isinstance(node, yaml.MappingNode):
        raise TypeError(f"{suffix} is not a string, list or mapping.")
    return {suffix: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _intrinsic)


@cache
def template() -> dict[str, Any]:
    """The whole document."""
    text = (ROOT / "template.yaml").read_text("utf-8")
    loaded: dict[str, Any] = yaml.load(text, Loader=_Loader)  # noqa: S506 (a SafeLoader)
    return loaded


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """The properties of every resource of this type, by logical id."""
    return {
        name: resource["Properties"]
        for name, resource in template()["Resources"].items()
        if resource["Type"] == kind
    }


def functions() -> dict[str, dict[str, Any]]:
    """The properties of every function, by the name of its folder."""
    return {
        properties["CodeUri"].removeprefix("functions/").rstrip("/"): properties
        for properties in resources("AWS::Serverless::Function").values()
    }


def routes(function: str) -> list[tuple[str, str]]:
    """(method, path) of the function's events; the default route is ("ANY", "*")."""
    events = functions()[function].get("Events", {}).values()
    found = [event["Properties"] for event in events if event["Type"] == "HttpApi"]
    return [(event.get("Method", "ANY"), event.get("Path", "*")) for event in found]


def event_source_of(function: str) -> dict[str, Any]:
    """The properties of the event source mapping of a queue's function, with the parameters'
    defaults; other references stay as they are."""
    logical_id = next(
        name
        for name, properties in resources("AWS::Serverless::Function").items()
        if properties is functions()[function]
    )
    found = next(
        properties
        for properties in resources("AWS::Lambda::EventSourceMapping").values()
        if properties["FunctionName"] == {"Ref": logical_id}
    )
    return {name: _with_defaults(value) for name, value in found.items()}


def _with_defaults(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if parameter := template()["Parameters"].get(value.get("Ref", "")):
        return parameter["Default"]
    return {name: _with_defaults(one) for name, one in value.items()}


def memory_of(function: str) -> int:
    """The function's memory in MB."""
    return int(_property_of(function, "MemorySize"))


def timeout_of(function: str) -> float:
    """The function's time limit in seconds."""
    return float(_property_of(function, "Timeout"))


def _property_of(function: str, name: str) -> Any:
    return functions()[function].get(name, template()["Globals"]["Function"][name])
