"""Reads template.yaml: its tables, queues, routes and functions.

Values that depend on a condition are those of a deployment whose parameters have their defaults.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
_NO_VALUE = {"Ref": "AWS::NoValue"}


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
def document() -> dict[str, Any]:
    """The document as it is written, with each `!If`."""
    text = (ROOT / "template.yaml").read_text("utf-8")
    loaded: dict[str, Any] = yaml.load(text, Loader=_Loader)  # noqa: S506 (a SafeLoader)
    return loaded


@cache
def template() -> dict[str, Any]:
    """The document, with the chosen value of each `!If`."""
    decided: dict[str, Any] = decide(document(), {})
    return decided


def decide(value: Any, parameters: Mapping[str, Any]) -> Any:
    """A value of the document with the chosen value of each `!If`, and without AWS::NoValue.

    `parameters` are those that differ from their defaults.
    """
    if isinstance(value, list):
        decided = [decide(one, parameters) for one in value]
        return [one for one in decided if one != _NO_VALUE]
    if not isinstance(value, dict):
        return value
    if "If" in value:
        condition, if_true, if_false = value["If"]
        return decide(if_true if holds(condition, parameters) else if_false, parameters)
    decided_by_name = {name: decide(one, parameters) for name, one in value.items()}
    return {name: one for name, one in decided_by_name.items() if one != _NO_VALUE}


def holds(condition: str, parameters: Mapping[str, Any]) -> bool:
    """Whether the condition holds with these parameters, and defaults for the others."""
    return _is_true(document()["Conditions"][condition], parameters)


def broken_rules(parameters: Mapping[str, Any]) -> list[str]:
    """What CloudFormation says of each of the template's rules that these parameters break."""
    rules = document()["Rules"].values()
    assertions = [one for rule in rules for one in rule["Assertions"]]
    return [
        one["AssertDescription"] for one in assertions if not _is_true(one["Assert"], parameters)
    ]


def _is_true(value: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    [(function, operands)] = value.items()
    match function:
        case "Condition":
            return holds(operands, parameters)
        case "Not":
            return not _is_true(operands[0], parameters)
        case "Or":
            return any(_is_true(one, parameters) for one in operands)
        case "Equals":
            one, other = (_value_of(operand, parameters) for operand in operands)
            return bool(one == other)
    raise ValueError(f"{function} is not a condition that is known here")


def _value_of(operand: Any, parameters: Mapping[str, Any]) -> Any:
    if not isinstance(operand, dict):
        return operand
    name = operand["Ref"]
    return parameters.get(name, document()["Parameters"][name]["Default"])


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
