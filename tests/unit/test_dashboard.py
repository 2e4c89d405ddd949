"""The operator's dashboard: CloudWatch accepts it, and nothing of the template is missing on it."""

from itertools import combinations
from typing import Any

import jsonschema
import pytest

from infra.lambdas.dashboard import Line, body, lines, log_groups, widgets
from infra.pictures.dashboard import PATH, render
from relay.telemetry import Metric
from tests.support.dashboard_rules import (
    AWS_METRICS,
    BODY,
    COLUMNS,
    LOG_GROUPS_MAX,
    METRICS_MAX,
    OF_THE_ACCOUNT,
)
from tests.support.template import resources, template

LINES = [line for widget in widgets("metric") for line in lines(widget)]
RESOURCES = template()["Resources"]
FUNCTIONS = resources("AWS::Serverless::Function")
ALARMS = resources("AWS::CloudWatch::Alarm")
TYPES = {
    "AWS/ApiGateway": "AWS::Serverless::HttpApi",
    "AWS/DynamoDB": "AWS::DynamoDB::Table",
    "AWS/Lambda": "AWS::Serverless::Function",
    "AWS/SQS": "AWS::SQS::Queue",
}


def of_function(line: Line) -> str | None:
    return line.dimensions.get("FunctionName")


def test_it_has_the_documented_structure() -> None:
    jsonschema.validate(body(), BODY)


def test_a_property_that_cloudwatch_does_not_document_is_noticed() -> None:
    [first, *rest] = body()["widgets"]
    wrong = {**first, "properties": {**first["properties"], "metricss": []}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**body(), "widgets": [wrong, *rest]}, BODY)


def test_widgets_do_not_overlap() -> None:
    def cells(widget: dict[str, Any]) -> set[tuple[int, int]]:
        columns = range(widget["x"], widget["x"] + widget["width"])
        rows = range(widget["y"], widget["y"] + widget["height"])
        assert columns.stop <= COLUMNS
        return {(column, row) for column in columns for row in rows}

    for one, other in combinations(map(cells, body()["widgets"]), 2):
        assert not one & other


def test_it_is_within_cloudwatchs_limits() -> None:
    assert len(LINES) <= METRICS_MAX
    for widget in widgets("log"):
        assert len(log_groups(widget["properties"]["query"])) <= LOG_GROUPS_MAX


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.name} of {line.label}")
def test_every_metric_exists(line: Line) -> None:
    if line.namespace == "Relay":
        assert line.name in {metric.value.name for metric in Metric}
        assert line.dimensions == {"service": "relay"}
        return
    dimension, names = AWS_METRICS[line.namespace]
    assert line.name in names
    if not line.dimensions:
        assert line.name in OF_THE_ACCOUNT
        return
    [(name, value)] = line.dimensions.items()
    assert name == dimension
    assert RESOURCES[value.removesuffix(".QueueName")]["Type"] == TYPES[line.namespace]


@pytest.mark.parametrize(
    ("metric", "stat"), [("Errors", "Sum"), ("Duration", "p50"), ("Duration", "p99")]
)
def test_every_function_is_on_it_once(metric: str, stat: str) -> None:
    drawn = [of_function(line) for line in LINES if (line.name, line.stat) == (metric, stat)]
    assert sorted(filter(None, drawn)) == sorted(FUNCTIONS)


def test_each_functions_label_is_its_name() -> None:
    for line in LINES:
        if function := of_function(line):
            assert FUNCTIONS[function]["CodeUri"] == f"functions/{line.label}/"


def test_the_cold_starts_of_every_function_are_on_it() -> None:
    [widget] = widgets("log")
    logs = [function["LoggingConfig"]["LogGroup"]["Ref"] for function in FUNCTIONS.values()]
    query = widget["properties"]["query"]
    assert sorted(log_groups(query)) == sorted(logs)
    # Lambda writes the latter for a start from a snapshot.
    assert "@initDuration" in query
    assert "Restore Duration" in query


def test_every_alarms_state_is_on_it() -> None:
    [widget] = widgets("alarm")
    assert sorted(widget["properties"]["alarms"]) == sorted(f"{alarm}.Arn" for alarm in ALARMS)


def dimensions_of(alarm: dict[str, Any]) -> dict[str, str]:
    """By name, with the logical id of what the template refers to."""
    values = {one["Name"]: one["Value"] for one in alarm.get("Dimensions", ())}
    return {
        name: next(iter(value.values())) if isinstance(value, dict) else value
        for name, value in values.items()
    }


@pytest.mark.parametrize("name", ALARMS)
def test_the_metric_of_every_alarm_is_on_it(name: str) -> None:
    alarm = ALARMS[name]
    assert [
        line
        for line in LINES
        if (line.namespace, line.name) == (alarm["Namespace"], alarm["MetricName"])
        and line.dimensions == dimensions_of(alarm)
    ]


def test_the_line_of_an_alarms_threshold_is_the_alarms() -> None:
    drawn = {
        line.name: mark["value"]
        for widget in widgets("metric")
        for mark in widget["properties"].get("annotations", {}).get("horizontal", ())
        for line in lines(widget)
    }
    alarms = [ALARMS["OldestMessageAlarm"], ALARMS["ReplaysOverdueAlarm"]]
    assert drawn == {alarm["MetricName"]: alarm["Threshold"] for alarm in alarms}


def test_its_widgets_show_the_region_of_the_stack() -> None:
    for widget in [*widgets("metric"), *widgets("log")]:
        assert widget["properties"]["region"] == "AWS::Region"


def test_its_url_is_an_output() -> None:
    url = template()["Outputs"]["DashboardUrl"]["Value"]["Sub"]
    assert url.endswith("?region=${AWS::Region}#dashboards/dashboard/${Dashboard}")


def test_its_picture_is_the_templates() -> None:
    assert PATH.read_text("utf-8") == render(), "`make pictures` draws it again."
    assert len(render()) < 150_000
