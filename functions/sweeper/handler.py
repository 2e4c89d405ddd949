"""On a schedule: continues replays that are due, and tries the sites that are in trouble."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from relay.edge.wiring import DeliveryParts, time_left
from relay.settings import SweeperSettings
from relay.telemetry import in_context

parts = DeliveryParts(SweeperSettings.from_environment())
sweeper = parts.sweeper


@in_context
def handler(_: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    sweeper.sweep(time_left(context))
    return {}
