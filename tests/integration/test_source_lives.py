"""The newest states stay, in whatever order deliveries come and wherever one is cut off."""

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.local.senders.deliveries import Shown, last_states
from infra.local.senders.events import incidents
from infra.local.senders.sender import sender_of
from infra.local.senders.signing import SIGNATURES, new_secret
from relay.sources.tool import KINDS, tool_of
from tests.integration.relay_stage import JiraSite, Relay
from tests.sources.samples import samples
from tests.support.aws_calls import AwsCalls, client_error
from tests.support.lambdas import Answer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Tool:
    """The tool of a new source in a workspace."""

    def __init__(self, relay: Relay, kind: str, workspace: str = "payments") -> None:
        self.relay, self.kind = relay, kind
        self.secret = new_secret(kind) if tool_of(kind).signing != "none" else None
        document: dict[str, Any] = {"kind": kind, "settings": sender_of(kind).settings}
        document |= {"secret": self.secret} if self.secret else {}
        answer = relay.provider("PUT", f"/v1/workspaces/{workspace}/sources/one", document)
        assert answer.status == 200, answer.body
        self.address = answer.json()["url"].removeprefix(relay.gateway.url)

    def send(self, payload: Any) -> Answer:
        body = json.dumps(payload).encode()
        headers = SIGNATURES[self.kind](body, self.secret) if self.secret else {}
        return self.relay.call("POST", self.address, body, headers)


def lives(kind: str) -> tuple[list[Any], dict[str, Shown]]:
    """The payloads of a few incidents' lives, and what Jira must show in the end."""
    sender = sender_of(kind)
    each = incidents(NOW, sender.escalates)
    return [sender.payload(one) for one in chain(*each)], last_states(kind, sender, each)


def check(held: dict[str, Any], expected: dict[str, Shown]) -> None:
    assert held.keys() == expected.keys()
    for id_, entity in held.items():
        shown = expected[id_]
        assert (entity["status"], entity["summary"]) == (shown.status, shown.summary)
        assert entity["affectedComponents"] == [shown.component]


def order_of(payloads: Sequence[Any], numbers: Sequence[int]) -> list[Any]:
    """These first, some of them twice, then all the others."""
    others = [one for one in range(len(payloads)) if one not in numbers]
    return [payloads[number] for number in (*numbers, *others)]


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lives_in_any_order_with_repeats_end_in_the_newest_state(
    relay: Relay, kind: str, data: st.DataObject
) -> None:
    workspace = uuid4().hex
    relay.put_workspace(workspace)
    tool = Tool(relay, kind, workspace)
    payloads, expected = lives(kind)
    numbers = data.draw(st.lists(st.integers(0, len(payloads) - 1), max_size=12))

    for payload in order_of(payloads, numbers):
        assert tool.send(payload).status == 202
        if data.draw(st.booleans()):
            relay.run_queue()
    relay.run_queue()

    path = f"/v1/workspaces/{workspace}/incidents"
    held = {id_: relay.provider("GET", f"{path}/{id_}").json()["entity"] for id_ in expected}
    check(held, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_jira_ends_in_the_newest_state(relay: Relay, site: JiraSite, kind: str) -> None:
    tool = Tool(relay, kind)
    payloads, expected = lives(kind)
    mixed = payloads * 2
    random.Random(kind).shuffle(mixed)  # noqa: S311

    for payload in mixed:
        assert tool.send(payload).status == 202
        relay.run_queue()

    check(site.held("incident"), expected)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("pagerduty", ["triggered"]),
        ("statuspage", ["postmortem"]),
        ("rootly", ["created", "review_published"]),
        ("rootly", ["created", "deleted"]),
        ("cloudwatch", ["alarm", "ok"]),
    ],
)
def test_a_delivery_that_is_cut_off_anywhere_is_whole_once_repeated(
    relay: Relay, calls: AwsCalls, kind: str, names: Sequence[str]
) -> None:
    """Every call of the door and of the submitter fails once, in another workspace each time."""
    payloads = [samples(kind)[name] for name in names]
    wanted = outcome(relay, kind, payloads, calls, at=10_000)
    assert wanted["containers"] != "[]"
    assert wanted["entities"]

    at = 0
    while not (found := outcome(relay, kind, payloads, calls, at))["untouched"]:
        assert found == {**wanted, "untouched": False}, at
        at += 1

    assert at > 5 * len(names)


def outcome(
    relay: Relay, kind: str, payloads: Sequence[Any], calls: AwsCalls, at: int
) -> dict[str, Any]:
    """What a workspace holds after the payloads, of which each is sent until it is accepted. The
    call to AWS with the number `at` fails; `untouched` is whether there was none."""
    workspace = uuid4().hex
    relay.put_workspace(workspace)
    tool = Tool(relay, kind, workspace)
    made = 0

    def fail_there(operation: str) -> None:
        nonlocal made
        # The test itself moves messages from the door to the submitter.
        if operation not in ("ReceiveMessage", "DeleteMessage"):
            made += 1
            if made == at + 1:
                raise client_error("InternalServerError")

    calls.before = fail_there
    for payload in payloads:
        answers = [tool.send(payload).status for _ in range(2)]
        assert set(answers) <= {202, 503}
        assert 202 in answers
        returned = relay.run_queue()
        assert relay.run_again(returned) == []
    untouched = made <= at
    calls.no_more_trouble()
    relay.let_delays_pass()
    relay.run_queue()
    path = f"/v1/workspaces/{workspace}"
    entities = relay.provider("GET", f"{path}/entities").json()["entities"]
    containers = relay.provider("GET", f"{path}/containers").json()["containers"]
    return {
        "entities": {one["id"]: without_times(one) for one in entities},
        "containers": json.dumps(containers).replace(workspace, "workspace"),
        "untouched": untouched,
    }


def without_times(entity: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entity.items() if not name.endswith("At")}
