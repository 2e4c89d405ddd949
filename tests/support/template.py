"""template.yaml for the tests: tables, queues, routes and environment come from it."""

import re
from collections.abc import Iterator
from typing import Any

from infra.lambdas.template import (
    ROOT,
    broken_rules,
    decide,
    document,
    functions,
    holds,
    resources,
    routes,
    template,
)

__all__ = [
    "ROOT",
    "broken_rules",
    "decide",
    "document",
    "functions",
    "holds",
    "named_in",
    "resources",
    "routes",
    "template",
]


def named_in(value: Any) -> Iterator[str]:
    """The parameters, resources and attributes that a value of the template names."""
    if isinstance(value, list):
        for one in value:
            yield from named_in(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key in ("Ref", "GetAtt"):
                yield one
            elif key == "Sub":
                yield from _named_in_text(one)
            else:
                yield from named_in(one)


def _named_in_text(operand: str | list[Any]) -> Iterator[str]:
    """Those of a `!Sub`, whose own variables are none."""
    text, variables = (operand, {}) if isinstance(operand, str) else operand
    yield from (name for name in re.findall(r"\$\{([^}!]+)\}", text) if name not in variables)
    yield from named_in(variables)
