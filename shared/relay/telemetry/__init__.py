"""Logs and metrics. Neither contains tokens, secrets or personal data."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from relay import initialization
from relay.telemetry.metrics import Metric

Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]

logger = Logger(service="relay", use_rfc3339=True, utc=True)
metrics = Metrics(namespace="Relay", service="relay")


def in_context(handler: Handler) -> Handler:
    """Wraps a function's handler, as the last step of its initialization.

    Every line that the handler logs names the invocation, and its metrics are sent at its end. The
    event is never logged: it contains tokens and the operations tool's data.
    """

    injected = logger.inject_lambda_context(handler, clear_state=True, log_event=False)

    def wrapped(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        try:
            return injected(event, context)
        finally:
            if metrics.provider.metric_set:  # flushing an empty set logs a warning
                metrics.flush_metrics()

    initialization.end()
    return wrapped


def count(metric: Metric, value: int = 1) -> None:
    """Add `value` to a metric of this invocation. Zero is not sent."""
    if value:
        metrics.add_metric(metric.value.name, metric.value.unit, value)


__all__ = ["Metric", "count", "in_context", "logger"]
