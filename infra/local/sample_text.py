"""The texts of the sample's incidents: services, failures and remedies."""

from dataclasses import dataclass

SERVICES = (
    "checkout-api",
    "payments-gateway",
    "search-index",
    "session-store",
    "notification-sender",
    "image-resizer",
    "order-history",
    "pricing-engine",
    "inventory-sync",
    "login-service",
    "invoice-renderer",
    "event-stream",
    "mobile-backend",
    "partner-webhooks",
    "data-warehouse",
    "edge-cache",
)

REGIONS = ("eu-west", "eu-central", "us-east", "us-west", "ap-south")


@dataclass(frozen=True)
class Story:
    """A kind of failure of a service, from the first alert to the remedy."""

    summary: str
    impact: str
    alert: str
    finding: str
    remedy: str
    follow_up: str


STORIES = (
    Story(
        "{service} answers slowly in {region}",
        "Calls to `{service}` took {number} times as long as usual; few failed.",
        "p99 latency above 4 s for five minutes.",
        "A query without an index scans the whole table since the last release.",
        "Rolled back the release; latency is back to normal.",
        "Let the build fail on a query plan that scans a large table.",
    ),
    Story(
        "{service} returns errors in {region}",
        "About {number} % of the calls to `{service}` were answered with 503.",
        "Error rate above 2 % in three checks in a row.",
        "Half of the instances fail their health check: the disk is full of old logs.",
        "Removed old logs and replaced the instances one after another.",
        "Alert at 80 % of the disk, and keep logs for three days only.",
    ),
    Story(
        "Queue behind {service} is growing",
        "What was sent to `{service}` arrived up to {number} minutes late; nothing was lost.",
        "Oldest message is older than ten minutes.",
        "One malformed message is retried without end and holds up the others.",
        "Moved the message aside and doubled the consumers until the queue was empty.",
        "Give up on a message after five attempts.",
    ),
    Story(
        "Certificate of {service} has expired",
        "Clients in {region} could not connect to `{service}` for {number} minutes.",
        "TLS handshakes fail in the outside check.",
        "The renewal job has been failing since its credentials were rotated.",
        "Renewed by hand and deployed the new certificate.",
        "Alert three weeks before any certificate ends.",
    ),
    Story(
        "{service} lost its database connection in {region}",
        "Writes to `{service}` failed for {number} minutes; reads came from the replica.",
        "No successful write for two minutes.",
        "The primary was moved to another zone, and clients kept the old address.",
        "Restarted the clients so that they look the address up again.",
        "Shorten how long clients keep an address to 30 seconds.",
    ),
    Story(
        "{service} is out of memory after deploy",
        "Every instance of `{service}` restarted about {number} times; sessions were cut off.",
        "Restart count above five in ten minutes.",
        "The new cache has no upper bound.",
        "Turned the cache off by its feature flag.",
        "Bound the cache, and put a memory test before each release.",
    ),
    Story(
        "Rate limit of a supplier reached by {service}",
        "`{service}` dropped {number} % of its lookups in {region} and showed older data.",
        "Supplier answers 429 to most calls.",
        "A new batch job shares the key of the live traffic.",
        "Paused the job; the limit has recovered.",
        "Give the job a key and a limit of its own.",
    ),
    Story(
        "Wrong configuration rolled out to {service}",
        "`{service}` in {region} used the settings of the test stage for {number} minutes.",
        "Order count drops to a third of the usual.",
        "The stage's name was taken from the wrong variable.",
        "Rolled out the former configuration.",
        "Refuse a configuration whose stage differs from the cluster's.",
    ),
)

REVIEW_SUMMARY = "Review: {summary}"
REVIEW_TEXT = """**What happened**

{impact}

**Why**

{finding}

**What went well**

- The alert came before the first ticket.
- The way back was known and took one command.

**Actions**

- [{done}] {follow_up}
- [{done}] Write the way out into the runbook of `{service}`.
"""
