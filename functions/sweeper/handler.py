"""On a schedule: continues what is due, tries the sites that are in trouble, and removes what is
older than the retention."""

from contextlib import ExitStack
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from relay.catalog.source_deliveries import SourceDeliveryStore
from relay.catalog.workspaces import WorkspaceStore
from relay.edge.erasure_wiring import erasure_schedule
from relay.edge.wiring import DeliveryParts, time_left
from relay.record.retention import RetentionStore
from relay.replays.retention import Retention
from relay.settings import SweeperSettings
from relay.telemetry import Metric, count, in_context

settings = SweeperSettings.from_environment()
parts = DeliveryParts(settings)
sweeper = parts.sweeper
erasures = erasure_schedule(parts, settings)
deliveries = SourceDeliveryStore(parts.dynamodb, settings.catalog_table)
retention = Retention(
    RetentionStore(parts.dynamodb, settings.record_table),
    parts.record,
    parts.debts,
    parts.sites,
    WorkspaceStore(parts.dynamodb, settings.catalog_table),
    settings.retention_days,
)


@in_context
def handler(_: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    left = time_left(context)
    with ExitStack() as afterwards:
        # These run in reverse order, each even if an earlier one has failed.
        afterwards.callback(retention.apply, left)
        afterwards.callback(lambda: count(Metric.SOURCES_REFUSING, deliveries.refusing()))
        afterwards.callback(erasures.send_due)
        sweeper.sweep(left)
    return {}
