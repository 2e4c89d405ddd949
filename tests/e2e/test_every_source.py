"""The webhooks of all kinds of sources, from the tool's signed call to the site."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from infra.local.first_tenant import WORKSPACE, WORKSPACE_ID, set_up
from infra.local.screen import Screen
from infra.local.senders.sender import sender_of
from infra.local.senders.signing import SIGNATURES, new_secret
from infra.local.source_demo import run_source
from infra.local.stack import Stack
from infra.local.story import Story
from relay.sources.payload import BODY_BYTES_MAX
from relay.sources.tool import KINDS, tool_of
from tests.sources.samples import samples

MOST_SAMPLES = max(len(samples(kind)) for kind in KINDS)
QUEUED = [kind for kind in KINDS if sender_of(kind).queued]


@dataclass(frozen=True)
class Sent:
    """A sample that a source's tool has sent: what Relay had shown of it before, and answered."""

    name: str
    story: Story
    preview: dict[str, Any]
    answer: httpx.Response


@dataclass(frozen=True)
class Webhook:
    """The webhook of a new source, as its tool knows it."""

    kind: str
    url: str
    secret: str | None

    def send(self, body: bytes, secret: str | None = None) -> httpx.Response:
        """Signs the body, with the source's own secret if none is given."""
        key = secret or self.secret
        headers = SIGNATURES[self.kind](body, key) if key else {}
        headers["Content-Type"] = "application/json"
        return httpx.post(self.url, content=body, headers=headers, timeout=35, trust_env=False)


def webhook(story: Story, kind: str) -> Webhook:
    secret = new_secret(kind) if tool_of(kind).signing != "none" else None
    document = {"kind": kind, "settings": sender_of(kind).settings}
    wanted = document | ({"secret": secret} if secret else {})
    source = story.relay.put_source(story.tenancy.workspace_id, kind, wanted)
    return Webhook(kind, source["url"], secret)


@pytest.fixture(scope="module")
def stories(stack: Stack) -> Iterator[list[Story]]:
    """Several workspaces of one site, each for one sample of every kind: samples of one incident
    would replace one another."""
    first = set_up(stack, "site-of-sources", "sources-1")
    ids = [f"sources-{number}" for number in range(1, MOST_SAMPLES + 1)]
    opened = [Story(stack, replace(first, workspace_id=id_), Screen()) for id_ in ids]
    for story in opened[1:]:
        story.relay.put_workspace(story.tenancy.workspace_id, WORKSPACE)
        story.relay.link(first.site_id, story.tenancy.workspace_id)
    yield opened
    for story in opened:
        story.__exit__()


@pytest.fixture(scope="module")
def sent(stories: list[Story]) -> dict[str, list[Sent]]:
    """All samples of all kinds, delivered."""
    found = {kind: [*send_samples(kind, stories)] for kind in KINDS}
    assert stories[0].wait_for_delivery(sum(len(all_of_kind) for all_of_kind in found.values()))
    return found


def send_samples(kind: str, stories: list[Story]) -> Iterator[Sent]:
    for story, (name, payload) in zip(stories, samples(kind).items(), strict=False):
        body = json.dumps(payload).encode()
        tool = webhook(story, kind)
        preview = story.relay.preview(story.tenancy.workspace_id, kind, body)
        yield Sent(name, story, preview, tool.send(body))


@pytest.mark.parametrize("kind", KINDS)
def test_each_sample_ends_as_the_entities_of_its_preview(
    kind: str, sent: dict[str, list[Sent]]
) -> None:
    assert any(one.preview["incidents"] for one in sent[kind])
    for one in sent[kind]:
        assert one.answer.status_code == 202, one.name
        answer, preview = one.answer.json(), one.preview
        assert answer["state"] == preview["state"], one.name
        assert answer.get("reason") == preview.get("reason"), one.name
        assert ids_of(answer["entities"]) == ids_in(preview), one.name

        shown = one.story.shown()
        assert of_kind(kind, shown["incident"]) == in_order(preview["incidents"]), one.name
        assert of_kind(kind, shown["review"]) == in_order(preview["reviews"]), one.name
        containers = one.story.relay.containers(one.story.tenancy.workspace_id)
        named = {(known["id"], known["name"]) for known in containers}
        assert {(new["id"], new["name"]) for new in preview["containers"]} <= named, one.name


def ids_of(entities: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return sorted((one["kind"], one["id"]) for one in entities)


def ids_in(preview: dict[str, Any]) -> list[tuple[str, str]]:
    made = [(kind, one["id"]) for kind in ("incident", "review") for one in preview[f"{kind}s"]]
    return sorted(made + ids_of(preview["deleted"]))


def of_kind(kind: str, entities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return in_order([one for one in entities if one["id"].startswith(f"{kind}-")])


def in_order(entities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(entities, key=lambda entity: str(entity["id"]))


@pytest.mark.parametrize("kind", ["pagerduty", *QUEUED])
def test_the_demo_of_a_source_succeeds(kind: str, stack: Stack) -> None:
    """In the workspace whose source takes CloudWatch's alarms from the queue."""
    with Story(stack, set_up(stack, f"demo-of-{kind}", WORKSPACE_ID), Screen()) as story:
        assert run_source(story, kind)


def test_an_unknown_address_is_refused(stack: Stack) -> None:
    url = f"{stack.api}/sources/{'x' * 43}"

    answer = httpx.post(url, json=samples("pagerduty")["triggered"], timeout=35, trust_env=False)

    assert answer.status_code == 401


def test_what_is_not_signed_with_the_secret_is_refused(story: Story) -> None:
    tool = webhook(story, "pagerduty")
    body = json.dumps(samples("pagerduty")["triggered"]).encode()

    assert tool.send(body, new_secret("pagerduty")).status_code == 401
    assert httpx.post(tool.url, content=body, timeout=35, trust_env=False).status_code == 401
    noted = story.relay.deliveries(story.tenancy.workspace_id, "pagerduty")
    assert [(one["state"], one["entities"]) for one in noted] == [("refused", [])] * 2


def test_a_body_of_more_than_256_kib_is_refused(story: Story) -> None:
    tool = webhook(story, "pagerduty")
    body = json.dumps(samples("pagerduty")["triggered"]).encode()

    assert tool.send(body.ljust(BODY_BYTES_MAX)).status_code == 202
    assert tool.send(body.ljust(BODY_BYTES_MAX + 1)).status_code == 413
