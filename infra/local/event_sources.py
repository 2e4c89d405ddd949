"""Event source mappings, whose numbers MiniStack has to be given once more."""

from infra.local.aws import LocalAws


def mend_concurrency(aws: LocalAws) -> None:
    """MiniStack keeps a number that comes from a parameter as text, and then reads no queue."""
    for mapping in aws.functions.list_event_source_mappings()["EventSourceMappings"]:
        limit = mapping.get("ScalingConfig", {}).get("MaximumConcurrency")
        if limit is not None:
            aws.functions.update_event_source_mapping(
                UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": int(limit)}
            )
