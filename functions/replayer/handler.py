"""From the queue of replays: takes a replay a step further, or checks a sample."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from relay.delivery.replaying import Replaying
from relay.edge.delivery_parts import DeliveryParts
from relay.edge.invocation import time_left
from relay.edge.replays import consume_replays
from relay.settings import ReplayerSettings
from relay.telemetry import in_context

settings = ReplayerSettings.from_environment()
parts = DeliveryParts(settings)
replaying = Replaying(
    parts.replays,
    parts.sites,
    parts.links,
    parts.troubles,
    parts.record,
    parts.debts,
    parts.containers,
    parts.bringing,
    parts.dispatch,
    settings.components_module == "on",
)


@in_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    consume_replays(event, replaying, parts.confirming, time_left(context))
    return {}
