"""A site moves from Connect to Forge during operation: it stays the same site and loses nothing."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from infra.local.comparison import Difference, Key, differences, newest_states
from infra.local.deploy import FORGE_APP_ID
from infra.local.feed import KINDS, State, parse_states
from infra.local.sample import sample_lines
from infra.local.story import Story
from tests.e2e.steering import Steering, wait_until

ASSOCIATED = "10001"
DOWN = {"kind": "error", "status": 503, "operations": ["submitEntity"]}


@pytest.fixture
def portions() -> Iterator[list[State]]:
    """The sample in seven parts, each with newer states of earlier entities."""
    states = parse_states(sample_lines(), "sample")[:1400]
    return iter([states[start::7] for start in range(7)])


def test_a_site_moves_from_connect_to_forge(
    story: Story, steering: Steering, portions: Iterator[list[State]]
) -> None:
    submitted: list[State] = []

    def submit() -> None:
        portion = next(portions)
        assert not story.submit(portion).rejected
        submitted.extend(portion)

    # GIVEN a site under Connect, with entities and an association
    submit()
    assert story.wait_for_delivery(len(newest_states(submitted)))
    before = site_of(story)
    associate(story, submitted[0].id)
    assert associations(story, submitted[0].id) == [ASSOCIATED]

    # AND a replay of all that its Jira has kept from finishing
    story.jira.fail(story.tenancy.site_name, DOWN)
    replay = story.relay.http.post(f"/v1/sites/{before['id']}/replay", json={"what": "all"})
    assert replay.status_code == 202
    submit()
    wait_until(lambda: "503" in replay_of(story).get("reason", ""), "the replay waits for Jira")

    # WHEN it moves to Connect on Forge during submissions
    let_go = steering.hold_queue()
    submit()
    story.jira.install_by_forge(
        story.tenancy.site_name,
        FORGE_APP_ID,
        story.stack.api,
        connect=True,
        installedLifecycle=False,
    )
    assert replay_of(story)["state"] != "done"
    story.jira.fail(story.tenancy.site_name)
    let_go()
    submit()
    settle(story)

    # THEN it is the same site with one more installation, called as before
    both = site_of(story)
    installation_id = story.jira.site(story.tenancy.site_name)["forge"]["installationId"]
    assert (both["id"], both["clientKey"]) == (before["id"], before["clientKey"])
    assert both["installationId"] == installation_id
    assert both["credential"] == {"inUse": "connect"}

    # WHEN it leaves Connect behind during submissions
    let_go = steering.hold_queue()
    submit()
    story.jira.upgrade_by_forge(story.tenancy.site_name, connect=False)
    story.jira.forget_calls()
    let_go()
    submit()
    settle(story)
    associate_by_forge(story, submitted[1].id)

    # THEN Forge's token is used in the same call and from then on
    alone = site_of(story)
    assert (alone["id"], alone["state"]) == (before["id"], "active")
    assert alone["credential"]["inUse"] == "forge"
    assert alone["credential"]["because"].startswith("Jira answered 401")
    submit()
    settle(story)
    assert story.calls()[-1]["credential"] == "forge"

    # AND links, associations and every entity's newest state are present
    links = story.relay.http.get(f"/v1/sites/{before['id']}/workspaces").json()
    assert links["workspaces"] == links["inJira"] == [story.tenancy.workspace_id]
    for entity_id in (submitted[0].id, submitted[1].id):
        assert associations(story, entity_id) == [ASSOCIATED]
    expected = newest_states(submitted)
    assert but_for_the_replay(expected, story) == []
    assert story.recorded() == story.delivered() == len(expected)
    assert dead_letters(story) == 0


def site_of(story: Story) -> dict[str, Any]:
    """The site in the list of all sites; it is the only one of this Jira."""
    facts = story.jira.site(story.tenancy.site_name)
    [site] = [
        site
        for site in story.relay.sites()
        if site.get("clientKey") == facts["clientKey"] or site.get("cloudId") == facts["cloudId"]
    ]
    return site


def replay_of(story: Story) -> dict[str, Any]:
    answer = story.relay.http.get(f"/v1/sites/{story.tenancy.site_id}/replay")
    [replay] = answer.raise_for_status().json()["replays"]
    return dict(replay)


def settle(story: Story) -> None:
    """Wait until the queue is empty and nothing is owed."""
    wait_until(lambda: not story.waiting(), "the queue is empty")
    wait_until(lambda: replay_of(story)["state"] == "done", "the replay is done")
    wait_until(lambda: story.delivered() == story.recorded(), "all is delivered")
    wait_until(lambda: not pending(story), "Jira shows all that it took")


def pending(story: Story) -> int:
    site = story.jira.site(story.tenancy.site_name)
    return sum(site[f"{kind}s"]["pending"] for kind in KINDS)


def association(story: Story, entity_id: str) -> dict[str, Any]:
    issue = {"ati": "ati:cloud:jira:issue", "ari": f"ari:cloud:jira:acme:issue/{ASSOCIATED}"}
    return {
        "entity": {"id": story.ids().at_site(entity_id)},
        "associatedWith": issue | {"cloudId": "acme", "id": ASSOCIATED},
    }


def associate(story: Story, entity_id: str) -> None:
    site, body = story.tenancy.site_name, association(story, entity_id)
    assert story.jira.call_action(site, "onEntityAssociated", body) == 204


def associate_by_forge(story: Story, entity_id: str) -> None:
    """The same action with a Forge invocation token."""
    asked = {"path": "/entities/associated", "method": "PUT", "body": association(story, entity_id)}
    path = f"/sites/{story.tenancy.site_name}/forge/call"
    answer = story.jira.http.post(path, json=asked).raise_for_status()
    assert answer.json()["status"] == 204


def associations(story: Story, entity_id: str) -> list[str]:
    url = f"/v1/workspaces/{story.tenancy.workspace_id}/incidents/{entity_id}"
    document = story.relay.http.get(url).raise_for_status().json()
    [site] = document["sites"]
    return [target["id"] for target in site.get("associations", [])]


def but_for_the_replay(expected: Mapping[Key, State], story: Story) -> list[Difference]:
    """The differences, with the sequences as they were before the replay of all raised them."""
    sequence = "updateSequenceNumber"
    shown = {
        kind: [entity | {sequence: entity[sequence] - 1} for entity in entities]
        for kind, entities in story.shown().items()
    }
    return differences(expected, shown)


def dead_letters(story: Story) -> int:
    outputs = story.stack.deployment.outputs
    urls = (outputs["SubmissionsDeadLetters"], outputs["ReplaysDeadLetters"])
    return sum(
        int(
            story.stack.aws.sqs.get_queue_attributes(
                QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
            )["Attributes"]["ApproximateNumberOfMessages"]
        )
        for url in urls
    )
