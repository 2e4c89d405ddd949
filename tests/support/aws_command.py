"""The AWS CLI, as far as the documents use it: `python -m tests.support.aws_command SERVICE …`.

botocore's models decide what a command may be, so a mistyped operation or parameter is refused as
by the real one.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import botocore.session
import jmespath
from botocore import xform_name
from botocore.model import OperationModel
from botocore.validate import ParamValidator

_GLOBAL = ("output", "query", "region")
_IS_TRUE = {"true": True, "false": False}


@dataclass(frozen=True)
class AwsCommand:
    """A call of AWS. `parameters` are those of botocore; `options` are the CLI's own."""

    service: str
    operation: str
    parameters: dict[str, Any] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)


def parsed(words: Sequence[str]) -> AwsCommand:
    """The command of these words, without `aws`. Raises ValueError if AWS has no such command."""
    service, operation, *rest = words
    model = botocore.session.get_session().get_service_model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    if operation not in names:
        raise ValueError(f"{service} has no operation {operation}.")
    command = AwsCommand(service, operation)
    _fill(command, model.operation_model(names[operation]), rest)
    return command


def _fill(command: AwsCommand, operation: OperationModel, words: Sequence[str]) -> None:
    shape: Any = operation.input_shape
    members = {xform_name(name, "-"): name for name in shape.members}
    for option, values in _options(words):
        negated = option.removeprefix("no-")
        if option in _GLOBAL:
            [command.options[option]] = values
        elif option in members:
            command.parameters[members[option]] = _value(shape.members[members[option]], values)
        elif negated in members and not values:
            command.parameters[members[negated]] = False
        else:
            raise ValueError(f"{command.operation} has no option --{option}.")
    errors = ParamValidator().validate(command.parameters, shape)
    if errors.has_errors():
        raise ValueError(errors.generate_report())


def _options(words: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Each option without its hyphens, and its values."""
    for number, word in enumerate(words):
        if word.startswith("--"):
            values = takewhile(lambda one: not one.startswith("--"), words[number + 1 :])
            yield word.removeprefix("--"), list(values)


def _value(shape: Any, values: Sequence[str]) -> Any:
    if shape.type_name == "boolean" and not values:
        return True
    if shape.type_name == "list":
        return [_value(shape.member, [value]) for value in values]
    [value] = values
    if value.startswith(("{", "[")):
        return json.loads(value)
    if shape.type_name == "structure":
        pairs = (pair.split("=") for pair in value.split(","))
        return {name: _scalar(_member(shape, name), one) for name, one in pairs}
    return _scalar(shape, value)


def _member(shape: Any, name: str) -> Any:
    if name not in shape.members:
        raise ValueError(f"{shape.name} has no {name}, but {', '.join(shape.members)}.")
    return shape.members[name]


def _scalar(shape: Any, value: str) -> Any:
    if shape.type_name == "boolean":
        return _IS_TRUE[value]
    if shape.type_name in ("integer", "long"):
        return int(value)
    allowed = getattr(shape, "enum", [])
    if allowed and value not in allowed:
        raise ValueError(f"{value} is none of {', '.join(allowed)}.")
    return value


def main(words: Sequence[str]) -> None:
    """Call AWS, and print its answer."""
    command = parsed(words)
    client = botocore.session.get_session().create_client(command.service)
    name = command.operation.replace("-", "_")
    # The CLI reads all pages.
    if client.can_paginate(name):
        answer = client.get_paginator(name).paginate(**command.parameters).build_full_result()
    else:
        answer = getattr(client, name)(**command.parameters)
    if query := command.options.get("query"):
        answer = jmespath.search(query, answer)
    if command.options.get("output") in ("text", "table"):
        rows = [answer] if isinstance(answer, str) else answer
        print("\n".join(row if isinstance(row, str) else "\t".join(row) for row in rows))
    else:
        print(json.dumps(answer, default=str))


if __name__ == "__main__":
    main(sys.argv[1:])
