"""What the functions share that unlink workspaces, or clean up after it."""

from relay.edge.wiring import ReplayParts, SiteParts
from relay.provider.unlinking import WorkspaceUnlinker
from relay.record.retention import RetentionStore


def unlinker(parts: SiteParts, replays: ReplayParts, record_table: str) -> WorkspaceUnlinker:
    """The WorkspaceUnlinker of a function with these parts."""
    retention = RetentionStore(parts.dynamodb, record_table)
    return WorkspaceUnlinker(
        parts.tenants, parts.links, parts.sites, replays.starter, replays.queue, retention
    )
