"""What CloudWatch documents of a dashboard's body, of metrics, and of their limits."""

from typing import Any

# "Dashboard Body Structure and Syntax", for the types of widgets that Relay uses.
_METRIC = {
    "type": "array",
    "minItems": 1,
    "items": {
        "anyOf": [
            {"type": "string", "minLength": 1},
            {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "label": {"type": "string"},
                    "color": {"type": "string", "pattern": "^#[0-9a-f]{6}$"},
                    "stat": {"type": "string"},
                    "period": {"type": "integer", "multipleOf": 60},
                    "yAxis": {"enum": ["left", "right"]},
                    "visible": {"type": "boolean"},
                },
            },
        ]
    },
}
_AXIS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "min": {"type": "number"},
        "max": {"type": "number"},
        "label": {"type": "string"},
        "showUnits": {"type": "boolean"},
    },
}
_LINE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["value"],
    "properties": {
        "value": {"type": "number"},
        "label": {"type": "string"},
        "color": {"type": "string"},
        "fill": {"enum": ["none", "above", "below"]},
        "visible": {"type": "boolean"},
        "yAxis": {"enum": ["left", "right"]},
    },
}
_PROPERTIES: dict[str, dict[str, Any]] = {
    "metric": {
        "required": ["metrics", "region", "title", "stat", "period"],
        "properties": {
            "title": {"type": "string"},
            "region": {"type": "string"},
            "stat": {"type": "string", "pattern": r"^(Sum|Maximum|Minimum|Average|p\d{1,2})$"},
            "period": {"type": "integer", "multipleOf": 60},
            "view": {"enum": ["timeSeries", "singleValue", "gauge", "bar", "pie", "table"]},
            "stacked": {"type": "boolean"},
            "metrics": {"type": "array", "minItems": 1, "maxItems": 100, "items": _METRIC},
            "yAxis": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"left": _AXIS, "right": _AXIS},
            },
            "annotations": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"horizontal": {"type": "array", "items": _LINE}},
            },
        },
    },
    "alarm": {
        "required": ["alarms"],
        "properties": {
            "title": {"type": "string"},
            "alarms": {
                "type": "array",
                "minItems": 1,
                "maxItems": 100,
                "items": {"type": "string", "pattern": r"\.Arn$"},
            },
            "sortBy": {"enum": ["default", "stateUpdatedTimestamp", "timestamp"]},
            "states": {"type": "array", "items": {"enum": ["ALARM", "INSUFFICIENT_DATA", "OK"]}},
        },
    },
    "log": {
        "required": ["query", "region"],
        "properties": {
            "title": {"type": "string"},
            "region": {"type": "string"},
            "query": {"type": "string", "maxLength": 10_000},
            "view": {"enum": ["table", "timeSeries", "bar", "pie"]},
            "stacked": {"type": "boolean"},
        },
    },
}


def _widget(kind: str) -> dict[str, Any]:
    properties = {"type": "object", "additionalProperties": False, **_PROPERTIES[kind]}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["type", "x", "y", "width", "height", "properties"],
        "properties": {
            "type": {"const": kind},
            "x": {"type": "integer", "minimum": 0, "maximum": 23},
            "y": {"type": "integer", "minimum": 0},
            "width": {"type": "integer", "minimum": 1, "maximum": 24},
            "height": {"type": "integer", "minimum": 1, "maximum": 1000},
            "properties": properties,
        },
    }


BODY = {
    "type": "object",
    "additionalProperties": False,
    "required": ["widgets"],
    "properties": {
        "start": {"type": "string", "pattern": r"^-P(T\d+[HM]|\d+[DWM])$"},
        "periodOverride": {"enum": ["auto", "inherit"]},
        "widgets": {
            "type": "array",
            "maxItems": 500,
            "items": {"anyOf": [_widget(kind) for kind in _PROPERTIES]},
        },
    },
}

COLUMNS = 24
# CloudWatch has raised its limits to 500 for each widget, and 2,500 for all; these are the older.
METRICS_MAX = 500
# Of Logs Insights.
LOG_GROUPS_MAX = 50

# The dimension by which each namespace of AWS is filtered, and the metrics that it documents.
AWS_METRICS = {
    "AWS/ApiGateway": (
        "ApiId",
        {"4xx", "5xx", "Count", "DataProcessed", "IntegrationLatency", "Latency"},
    ),
    "AWS/DynamoDB": (
        "TableName",
        {"ReadThrottleEvents", "WriteThrottleEvents", "ThrottledRequests"},
    ),
    "AWS/Lambda": (
        "FunctionName",
        {"ConcurrentExecutions", "Duration", "Errors", "Invocations", "Throttles"},
    ),
    "AWS/SQS": (
        "QueueName",
        {"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"},
    ),
}
# Metrics that Lambda also has without a dimension, for all functions of the account and region.
OF_THE_ACCOUNT = {"ConcurrentExecutions", "Throttles"}
