"""On a schedule: hands on what is due, and tries the sites that are in trouble."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from relay.delivery.sweeping import Sweeping
from relay.edge.delivery_parts import DeliveryParts
from relay.edge.invocation import time_left
from relay.settings import SweeperSettings
from relay.telemetry import in_context

parts = DeliveryParts(SweeperSettings.from_environment())
sweeping = Sweeping(
    parts.tenants,
    parts.links,
    parts.replays,
    parts.troubles,
    parts.bringing,
    parts.dispatch,
    parts.requesting,
)


@in_context
def handler(_: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    sweeping.sweep(time_left(context))
    return {}
