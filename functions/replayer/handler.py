"""From the queue of replays: takes a replay a step further, checks a sample, or deletes a workspace
once more from a site that it was unlinked from."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from relay.delivery.replaying import Replaying
from relay.delivery.unlinking import Unlinking
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
    parts.owing,
    parts.dispatch,
    settings.components_module == "on",
)
unlinking = Unlinking(parts.tenants, parts.links, parts.sites, parts.requesting, parts.queue)


@in_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    consume_replays(event, replaying, parts.confirming, unlinking, time_left(context))
    return {}
