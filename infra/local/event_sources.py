"""Event source mappings, whose numbers MiniStack must be given again."""

from infra.local.aws import LocalAws


def set_concurrency(aws: LocalAws) -> None:
    """Sets each `MaximumConcurrency` again as a number.

    MiniStack stores a number from a template's parameter as text, and then polls no queue.
    """
    for mapping in aws.functions.list_event_source_mappings()["EventSourceMappings"]:
        limit = mapping.get("ScalingConfig", {}).get("MaximumConcurrency")
        if limit is not None:
            aws.functions.update_event_source_mapping(
                UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": int(limit)}
            )
