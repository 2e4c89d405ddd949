"""The dependencies of functions that erase workspaces and sites."""

from typing import TYPE_CHECKING

from relay.catalog.erasures import ErasureStore
from relay.edge.wiring import DeliveryParts
from relay.provider.erasing import Eraser, ErasureSchedule
from relay.settings import DeliverySettings, ReplayerSettings

if TYPE_CHECKING:
    from relay.provider.unlinking import WorkspaceUnlinker


def erasure_schedule(parts: DeliveryParts, settings: DeliverySettings) -> ErasureSchedule:
    """The ErasureSchedule of a function in the background."""
    erasures = ErasureStore(parts.dynamodb, settings.catalog_table)
    return ErasureSchedule(erasures, parts.replay_parts.queue)


def eraser_of(
    parts: DeliveryParts, settings: ReplayerSettings, unlinker: "WorkspaceUnlinker"
) -> Eraser:
    """The Eraser of the replayer."""
    from relay.identity.api_keys import ApiKeys
    from relay.provider.erased_data import ErasedData
    from relay.provider.erasure_stages import ErasureStages

    schedule = erasure_schedule(parts, settings)
    data = ErasedData(
        parts.dynamodb,
        (settings.tenants_table, settings.catalog_table, settings.record_table),
        parts.links,
        ApiKeys(parts.dynamodb, settings.api_keys_table),
    )
    stages = ErasureStages(parts.tenants, parts.links, parts.starter, unlinker, data, schedule.now)
    erasures = ErasureStore(parts.dynamodb, settings.catalog_table)
    return Eraser(erasures, stages, schedule)
