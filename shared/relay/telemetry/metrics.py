"""The metrics that Relay emits to CloudWatch."""

from dataclasses import dataclass
from enum import Enum

from aws_lambda_powertools.metrics import MetricUnit


@dataclass(frozen=True, slots=True)
class _Definition:
    name: str
    unit: MetricUnit
    counts: str


class Metric(Enum):
    """Each value holds the metric's name in CloudWatch, its unit, and what it counts."""

    INSTALLED = _Definition("Installed", MetricUnit.Count, "accepted `installed` calls")
    UNINSTALLED = _Definition("Uninstalled", MetricUnit.Count, "accepted `uninstalled` calls")
    REFUSED_CALLS = _Definition("RefusedCalls", MetricUnit.Count, "calls answered 401 or 403")
    SUBMITTED = _Definition("EntitiesSubmitted", MetricUnit.Count, "entities accepted and queued")
    INVALID = _Definition("EntitiesInvalid", MetricUnit.Count, "entities rejected at submission")
    QUEUE_MESSAGES = _Definition("QueueMessages", MetricUnit.Count, "messages sent to the queue")
    RECORDED = _Definition("EntitiesRecorded", MetricUnit.Count, "entity states newly recorded")
    OUTDATED = _Definition(
        "EntitiesOutdated", MetricUnit.Count, "states older than the recorded one"
    )
    CONFLICTING = _Definition(
        "EntitiesConflicting",
        MetricUnit.Count,
        "states with the sequence of the recorded one, but other content",
    )
    REMOVED = _Definition(
        "EntitiesRemoved", MetricUnit.Count, "closed entities that the retention removed"
    )
    ERASED = _Definition(
        "EntitiesErased",
        MetricUnit.Count,
        "entities dropped as their workspace was erased while they were queued",
    )
    DELIVERED = _Definition(
        "EntitiesDelivered", MetricUnit.Count, "entities that a site accepted or deleted"
    )
    REJECTED = _Definition("EntitiesRejected", MetricUnit.Count, "entities that a site rejected")
    OWED = _Definition("EntitiesOwed", MetricUnit.Count, "entities recorded as owed to a site")
    POSTPONED = _Definition(
        "PutOff", MetricUnit.Count, "postponements of an entity or a DevOps component"
    )
    JIRA_CALLS = _Definition(
        "JiraCalls", MetricUnit.Count, "calls to Jira that deliver entities or check deliveries"
    )
    SITE_TROUBLES = _Definition(
        "SiteTroubles", MetricUnit.Count, "failed calls that started or prolonged a site's trouble"
    )
    SITES_RECOVERED = _Definition(
        "SitesRecovered", MetricUnit.Count, "sites that answer again after trouble"
    )
    SITES_SLOWED = _Definition(
        "SitesSlowed", MetricUnit.Count, "sites in the state 'slowed', at each sweep"
    )
    SITES_NEEDING_ATTENTION = _Definition(
        "SitesNeedingAttention", MetricUnit.Count, "sites that need attention, at each sweep"
    )
    REPLAYS_WAITING = _Definition(
        "ReplaysWaiting", MetricUnit.Count, "replays that are not done, at each sweep"
    )
    REPLAYS_OVERDUE = _Definition(
        "ReplaysOverdue",
        MetricUnit.Seconds,
        "seconds that a site's replay has been due without a worker, at each sweep",
    )
    ABSENT = _Definition(
        "EntitiesAbsent", MetricUnit.Count, "entities that a site accepted but does not show"
    )
    POISON_MESSAGES = _Definition(
        "PoisonMessages",
        MetricUnit.Count,
        "messages that can't be read, make the code fail, or kill the function",
    )
    NOTICES_SENT = _Definition("NoticesSent", MetricUnit.Count, "notices that a webhook accepted")
    SOURCE_CALLS_TAKEN = _Definition(
        "SourceCallsTaken", MetricUnit.Count, "calls of sources' webhooks that were queued"
    )
    SOURCE_CALLS_IGNORED = _Definition(
        "SourceCallsIgnored", MetricUnit.Count, "calls of sources' webhooks with nothing for Jira"
    )
    SOURCE_CALLS_REFUSED = _Definition(
        "SourceCallsRefused", MetricUnit.Count, "calls of sources' webhooks that were refused"
    )
    SOURCES_REFUSING = _Definition(
        "SourcesRefusing",
        MetricUnit.Count,
        "sources that have refused every call for an hour, at each sweep",
    )
    ERASURES_OVERDUE = _Definition(
        "ErasuresOverdue", MetricUnit.Count, "erasures not done after a day, at each sweep"
    )
    COMPONENTS_REFUSED = _Definition(
        "ComponentsRefused", MetricUnit.Count, "DevOps components that a site refused"
    )
