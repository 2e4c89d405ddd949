"""Every metric that Relay emits: its name in CloudWatch, its unit, and what it counts."""

from dataclasses import dataclass
from enum import Enum

from aws_lambda_powertools.metrics import MetricUnit


@dataclass(frozen=True, slots=True)
class _Definition:
    name: str
    unit: MetricUnit
    counts: str


class Metric(Enum):
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
    DELIVERED = _Definition(
        "EntitiesDelivered", MetricUnit.Count, "entities that a site took, or deleted"
    )
    REJECTED = _Definition("EntitiesRejected", MetricUnit.Count, "entities that a site refused")
    OWED = _Definition("EntitiesOwed", MetricUnit.Count, "entities that a site could not take now")
    PUT_OFF = _Definition(
        "PutOff", MetricUnit.Count, "times that a site that takes others did not take one"
    )
    JIRA_CALLS = _Definition("JiraCalls", MetricUnit.Count, "calls to Jira that bring something")
    SITE_TROUBLES = _Definition(
        "SiteTroubles", MetricUnit.Count, "times that a site could not take a call"
    )
    SITES_RECOVERED = _Definition(
        "SitesRecovered", MetricUnit.Count, "sites that answer again after trouble"
    )
    SITES_SLOWED = _Definition("SitesSlowed", MetricUnit.Count, "sites that are slowed")
    SITES_NEEDING_ATTENTION = _Definition(
        "SitesNeedingAttention", MetricUnit.Count, "sites that need attention"
    )
    REPLAYS_WAITING = _Definition("ReplaysWaiting", MetricUnit.Count, "replays that are not done")
    ABSENT = _Definition(
        "EntitiesAbsent", MetricUnit.Count, "entities accepted by a site that shows nothing of them"
    )
    POISON_MESSAGES = _Definition("PoisonMessages", MetricUnit.Count, "messages that can't be read")
    NOTICES_SENT = _Definition("NoticesSent", MetricUnit.Count, "notices that a webhook took")
    COMPONENTS_REFUSED = _Definition(
        "ComponentsRefused", MetricUnit.Count, "components that a site refused"
    )
