"""What a site holds and is owed, and how far its replays are, as the tests look at it."""

from typing import Any

from relay.record.debts import DebtStore
from tests.integration.relay_stage import JiraSite, Relay
from tests.integration.replays_stage import taken
from tests.support.lambdas import Context, sqs_event

SUBMIT = ["submitEntity"]
DOWN = {"kind": "error", "status": 503, "operations": SUBMIT}


def put_link(relay: Relay, site: JiraSite, workspace: str = "payments") -> None:
    answer = relay.provider("PUT", f"/v1/sites/{site.id}/workspaces/{workspace}")
    assert answer.status == 200, answer.body


def unlink(relay: Relay, site: JiraSite, workspace: str = "payments") -> None:
    answer = relay.provider("DELETE", f"/v1/sites/{site.id}/workspaces/{workspace}")
    assert answer.status == 204, answer.body


def ask(relay: Relay, site: JiraSite, **body: Any) -> list[dict[str, Any]]:
    """Asks for a replay; returns the documents of what was begun."""
    answer = relay.provider("POST", f"/v1/sites/{site.id}/replay", body)
    assert answer.status == 202, answer.body
    return list(answer.json()["replays"])


def progress(relay: Relay, site: JiraSite, workspace: str = "payments") -> dict[str, Any]:
    answer = relay.provider("GET", f"/v1/sites/{site.id}/replay")
    assert answer.status == 200, answer.body
    [document] = [one for one in answer.json()["replays"] if one["workspaceId"] == workspace]
    return dict(document)


def sent(site: JiraSite, status: int = 202) -> list[tuple[int, int]]:
    """Per submission with this answer, how many incidents and how many reviews."""
    return [
        (call["incidents"], call["reviews"])
        for call in site.simulator.calls(site.name)
        if call["path"].endswith("/operations/1.0/bulk") and call["status"] == status
    ]


def sequences(site: JiraSite) -> dict[str, int]:
    """What the site holds, of both kinds."""
    held = site.held("incident") | site.held("review")
    return {entity_id: entity["updateSequenceNumber"] for entity_id, entity in held.items()}


def summaries(site: JiraSite) -> dict[str, str]:
    held = site.held("incident") | site.held("review")
    return {entity_id: entity["summary"] for entity_id, entity in held.items()}


def forget_calls(site: JiraSite) -> None:
    site.simulator.control("DELETE", "/calls").raise_for_status()


def lose(site: JiraSite, keep_sequences: bool = True) -> None:
    """The site loses all that it was sent, links included, and tells nobody."""
    body = {"keepSequences": keep_sequences}
    site.simulator.control("POST", f"/sites/{site.name}/forget", body).raise_for_status()
    forget_calls(site)


def states(relay: Relay, workspace: str = "payments") -> dict[str, str]:
    """Where each entity is, at the only site."""
    answer = relay.provider("GET", f"/v1/workspaces/{workspace}/entities?limit=100")
    assert answer.status == 200, answer.body
    return {one["id"]: one["sites"][0]["state"] for one in answer.json()["entities"]}


def debts(relay: Relay, site: JiraSite, workspace: str = "payments") -> int:
    store = DebtStore(relay.aws.dynamodb, relay.aws.environment["RECORD_TABLE"])
    return store.count(workspace, site.id)


def step(relay: Relay, context: Context | None = None) -> int:
    """Lets the replayer take what is in its queue now, and not what it hands on; how many."""
    messages = taken(relay.aws, relay.aws.environment["REPLAYS_QUEUE"])
    for message in messages:
        handler = relay.gateway.functions["replayer"].handler
        handler(sqs_event(message["Body"]), context or Context())
    return len(messages)


def go_on(relay: Relay) -> None:
    """Time passes, and the schedule does what it does."""
    relay.let_time_pass()
    relay.sweep()
