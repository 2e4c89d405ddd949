"""From the queue of replays: continues a replay or an erasure, checks a sample of what Jira
accepted, or deletes what an unlinked workspace left at a site."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from relay.edge.erasure_wiring import eraser_of
from relay.edge.replay_consumer import ReplayConsumer
from relay.edge.unlink_wiring import unlinker
from relay.edge.wiring import DeliveryParts, time_left
from relay.settings import ReplayerSettings
from relay.telemetry import in_context

settings = ReplayerSettings.from_environment()
parts = DeliveryParts(settings)
cleaner = unlinker(parts, parts.replay_parts, settings.record_table)
eraser = eraser_of(parts, settings, cleaner)
consumer = ReplayConsumer(parts.replayer(settings), parts.confirmation, cleaner, eraser)


@in_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    consumer.consume(event, time_left(context))
    return {}
