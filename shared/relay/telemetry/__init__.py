"""Logs and metrics. No token, no secret, no personal data goes into either."""

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
    """Every line that the handler logs names the invocation; what it counted is sent at the end.
    A function's initialization ends with it.

    The event is never logged: it carries tokens and the operations tool's own text.
    """

    injected = logger.inject_lambda_context(handler, clear_state=True, log_event=False)

    def wrapped(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        try:
            return injected(event, context)
        finally:
            if metrics.provider.metric_set:  # to flush none is warned of
                metrics.flush_metrics()

    initialization.end()
    return wrapped


def count(metric: Metric, value: int = 1) -> None:
    """Add to a metric of this invocation; zero is not sent."""
    if value:
        metrics.add_metric(metric.value.name, metric.value.unit, value)


__all__ = ["Metric", "count", "in_context", "logger"]
