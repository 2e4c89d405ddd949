"""What a site has and is owed, and the progress of its replays."""

from collections.abc import Callable
from typing import Any

from relay.record.debts import DebtStore
from tests.integration.relay_stage import JiraSite, Relay
from tests.integration.replays_stage import received
from tests.support.aws_calls import AwsCalls
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
    """Request a replay; return the documents of the started ones."""
    answer = relay.provider("POST", f"/v1/sites/{site.id}/replay", body)
    assert answer.status == 202, answer.body
    return list(answer.json()["replays"])


def progress(relay: Relay, site: JiraSite, workspace: str = "payments") -> dict[str, Any]:
    answer = relay.provider("GET", f"/v1/sites/{site.id}/replay")
    assert answer.status == 200, answer.body
    [document] = [one for one in answer.json()["replays"] if one["workspaceId"] == workspace]
    return dict(document)


def sent(site: JiraSite, status: int = 202) -> list[tuple[int, int]]:
    """The numbers of incidents and reviews of each submission with this status."""
    return [
        (call["incidents"], call["reviews"])
        for call in site.simulator.calls(site.name)
        if call["path"].endswith("/operations/1.0/bulk") and call["status"] == status
    ]


def sequences(site: JiraSite) -> dict[str, int]:
    """The sequences at the site, of both kinds."""
    held = site.held("incident") | site.held("review")
    return {entity_id: entity["updateSequenceNumber"] for entity_id, entity in held.items()}


def summaries(site: JiraSite) -> dict[str, str]:
    held = site.held("incident") | site.held("review")
    return {entity_id: entity["summary"] for entity_id, entity in held.items()}


def forget_calls(site: JiraSite) -> None:
    site.simulator.control("DELETE", "/calls").raise_for_status()


def lose(site: JiraSite, keep_sequences: bool = True) -> None:
    """Make the site lose everything it was sent, links included, without notice."""
    body = {"keepSequences": keep_sequences}
    site.simulator.control("POST", f"/sites/{site.name}/forget", body).raise_for_status()
    forget_calls(site)


def states(relay: Relay, workspace: str = "payments") -> dict[str, str]:
    """The state of each entity at the only site."""
    answer = relay.provider("GET", f"/v1/workspaces/{workspace}/entities?limit=100")
    assert answer.status == 200, answer.body
    return {one["id"]: one["sites"][0]["state"] for one in answer.json()["entities"]}


def debts(relay: Relay, site: JiraSite, workspace: str = "payments") -> int:
    store = DebtStore(relay.aws.dynamodb, relay.aws.environment["RECORD_TABLE"])
    return store.count(workspace, site.id)


def step(relay: Relay, context: Context | None = None) -> int:
    """Let the replayer handle the messages now in its queue, but not those it adds; return their
    number.
    """
    messages = received(relay.aws, relay.aws.environment["REPLAYS_QUEUE"])
    for message in messages:
        handler = relay.gateway.functions["replayer"].handler
        handler(sqs_event(message["Body"]), context or Context())
    return len(messages)


def resume(relay: Relay) -> None:
    """Let time pass, and run the schedule."""
    relay.let_time_pass()
    relay.sweep()


def before_call(calls: AwsCalls, at: int, do: Callable[[], object]) -> None:
    """Run something before the call to AWS with this number."""
    position = len(calls.names) + at + 1

    def happen(_: str) -> None:
        if calls.number == position:
            calls.no_more_trouble()
            do()

    calls.before = happen
