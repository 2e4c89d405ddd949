"""Reads the dashboard of template.yaml: its widgets, and the metrics that they draw."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from infra.lambdas.template import resources


@dataclass(frozen=True, slots=True)
class Line:
    """One metric of a widget, with the widget's statistic unless it has its own.

    Dimensions are values by name; a value of the template is a logical id, or `Queue.QueueName`.
    """

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    stat: str
    label: str
    color: str | None


@cache
def body() -> dict[str, Any]:
    """The dashboard's body, with the names that `${…}` contains where CloudFormation puts values.

    Raises ValueError if it is not JSON after the substitution.
    """
    text, variables = resources("AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Sub"]
    values = {name: one.get("Ref") or _join(one) for name, one in variables.items()}
    filled = re.sub(r"\$\{([^}]+)\}", lambda found: values.get(found[1], found[1]), text)
    loaded: dict[str, Any] = json.loads(filled)
    return loaded


def widgets(kind: str) -> list[dict[str, Any]]:
    """The widgets of this type, in the template's order."""
    return [widget for widget in body()["widgets"] if widget["type"] == kind]


def lines(widget: Mapping[str, Any]) -> list[Line]:
    """The metrics of a metric widget, with "." and "..." written out as CloudWatch reads them."""
    properties = widget["properties"]
    found = []
    above: list[str] = []
    for metric in properties["metrics"]:
        options = metric[-1] if isinstance(metric[-1], dict) else {}
        above = _written_out([part for part in metric if isinstance(part, str)], above)
        namespace, name, *rest = above
        dimensions = dict(zip(rest[::2], rest[1::2], strict=True))
        stat = options.get("stat", properties["stat"])
        label = options.get("label", name)
        found.append(Line(namespace, name, dimensions, stat, label, options.get("color")))
    return found


def log_groups(query: str) -> list[str]:
    """The log groups that a log widget's query reads."""
    return re.findall(r"SOURCE '([^']+)'", query)


def _written_out(parts: list[str], above: list[str]) -> list[str]:
    if parts[0] == "...":
        given = parts[1:]
        return above[: len(above) - len(given)] + given
    return [above[at] if part == "." else part for at, part in enumerate(parts)]


def _join(value: Mapping[str, Any]) -> str:
    separator, items = value["Join"]
    return str(separator).join(item["Ref"] for item in items)
