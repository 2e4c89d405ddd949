"""On a schedule: continues what is due, and tries the sites that are in trouble."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from relay.catalog.source_deliveries import SourceDeliveryStore
from relay.edge.erasure_wiring import erasure_schedule
from relay.edge.wiring import DeliveryParts, time_left
from relay.settings import SweeperSettings
from relay.telemetry import Metric, count, in_context

settings = SweeperSettings.from_environment()
parts = DeliveryParts(settings)
sweeper = parts.sweeper
erasures = erasure_schedule(parts, settings)
deliveries = SourceDeliveryStore(parts.dynamodb, settings.catalog_table)


@in_context
def handler(_: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    sweeper.sweep(time_left(context))
    # Last: if the catalog can't be read, the sites are swept all the same.
    erasures.wake()
    count(Metric.SOURCES_REFUSING, deliveries.refusing())
    return {}
