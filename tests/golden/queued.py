"""What the story leaves in the queues: a message of every kind (see `tests.golden.messages`)."""

import json
from typing import Any
from unittest.mock import patch

from tests.integration.relay_stage import Relay
from tests.integration.test_poison import GIVEN_UP_AFTER, break_entry, mend_entry
from tests.sources.samples import samples
from tests.support.entities import incident, review
from tests.support.lambdas import Context, sqs_event

PAYMENTS = "/v1/workspaces/payments"
# The operations tool's ids of what is not delivered yet, and of what is in a dead letter.
QUEUED = {"inc-queued", "rev-queued", "inc-imported-later", "inc-part-1", "inc-part-2"}
DEAD = "inc-dead"


def must(answer: Any) -> Any:
    assert answer.status < 300, answer.body
    return json.loads(answer.body or "null")


def call_source(relay: Relay, path: str, payload: Any) -> None:
    answer = relay.call("POST", path, payload, {"content-type": "application/json"})
    assert answer.status == 202, answer.body


def leave_messages(relay: Relay, sources: dict[str, str]) -> None:
    """States, deletions, containers and services that are not processed yet."""
    _leave_dead_letter(relay)
    relay.queue(
        "payments",
        properties={"team": "red"},
        providerMetadata={"product": "Operations"},
        incidents=[incident("inc-queued")],
        reviews=[review("rev-queued")],
    )
    times = {"incidents": ["2026-01-31T09:45:00.123Z"]}
    relay.queue("payments", acceptedAt=times, incidents=[incident("inc-imported-later")])
    _leave_parts(relay)
    must(relay.provider("DELETE", f"{PAYMENTS}/reviews/rev-1"))
    container = {
        "name": "Ledger",
        "url": "https://ops.example.com/services/ledger",
        "lastUpdatedDate": "2026-01-31T08:00:00Z",
    }
    must(relay.provider("PUT", f"{PAYMENTS}/containers/ledger", container))
    payload = json.dumps(samples("alertmanager")["firing"]).replace("checkout-api", "queued-api")
    call_source(relay, sources["alertmanager"], json.loads(payload))


def _leave_parts(relay: Relay) -> None:
    """A submission in two messages, as if it were of several megabytes."""
    parts = [incident("inc-part-1"), incident("inc-part-2")]
    limit = len(json.dumps(parts[0])) + 100
    with patch("relay.queues.submissions.CONTENT_BYTES_MAX", limit):
        relay.queue("payments", incidents=parts)


def _leave_dead_letter(relay: Relay) -> None:
    """A submission on which the code has failed for the last time."""
    relay.queue("payments", incidents=[incident(DEAD)])
    event = sqs_event(*relay.waiting())
    [record] = event["Records"]
    record["attributes"]["ApproximateReceiveCount"] = str(GIVEN_UP_AFTER)
    break_entry(relay, DEAD)
    relay.gateway.functions["submitter"].handler(event, Context())
    mend_entry(relay, DEAD)
