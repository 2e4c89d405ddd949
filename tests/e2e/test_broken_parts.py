"""A table, the key or a queue is unavailable: a 5xx, nothing half done, and recovery afterwards."""

import httpx
import pytest

from infra.local.comparison import differences, newest_states
from infra.local.failure import StackFailure
from infra.local.feed import split
from infra.local.first_tenant import set_up
from infra.local.stack import Stack
from infra.local.story import Story
from tests.e2e.states import arrives, incidents
from tests.e2e.steering import Steering, wait_until
from tests.support.entities import incident

NOT_THERE = {
    "SECRETS_KEY": "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000",
    "SUBMISSIONS_QUEUE": "http://127.0.0.1:9/123456789012/not-there",
}


@pytest.mark.parametrize("variable", ["TENANTS_TABLE", "SECRETS_KEY"])
def test_an_install_that_cannot_be_stored_is_refused_and_can_be_repeated(
    stack: Stack, story: Story, steering: Steering, variable: str
) -> None:
    # GIVEN a table or a key that is unavailable
    steering.set_variable("LifecycleFunction", variable, NOT_THERE.get(variable, "not-there"))
    name = f"broken-{variable.lower().replace('_', '-')}"
    site = story.jira.create_site(name)

    # WHEN a site installs the app
    with pytest.raises(StackFailure, match="503"):
        story.jira.install(name, f"{stack.api}/atlassian-connect.json")

    # THEN the site is unknown, and can install after recovery
    assert site["clientKey"] not in {known["clientKey"] for known in story.relay.sites()}
    steering.undo()
    story.jira.install(name, f"{stack.api}/atlassian-connect.json")
    assert site["clientKey"] in {known["clientKey"] for known in story.relay.sites()}


def test_a_submission_that_cannot_be_queued_names_its_entities(
    story: Story, steering: Steering
) -> None:
    # GIVEN a queue that is unavailable
    steering.set_variable(
        "SubmissionsFunction", "SUBMISSIONS_QUEUE", NOT_THERE["SUBMISSIONS_QUEUE"]
    )
    [submission] = split(incidents(incident("inc-1"), incident("inc-2")))

    # WHEN entities are submitted
    answer = story.relay.post_submission(story.tenancy.workspace_id, submission.body())

    # THEN each is named as not accepted, and can be submitted again
    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, answer.text
    details = answer.json()["error"]["details"]
    assert [detail["path"] for detail in details] == ["incidents[0]", "incidents[1]"]
    assert story.recorded() == 0
    steering.undo()
    arrives(story, submission.states)


def test_an_entity_that_cannot_be_recorded_is_not_delivered_and_is_retried(
    story: Story, steering: Steering
) -> None:
    # GIVEN a record that cannot be written
    steering.redeliver_after(2)
    restore = steering.set_variable("SubmitterFunction", "RECORD_TABLE", "not-there")
    states = incidents(incident("inc-1"))

    # WHEN a submission was accepted and the submitter has tried
    assert not story.submit(states).rejected
    wait_until(lambda: "Message will be retried" in steering.log_of("Submitter"), "it was tried")

    # THEN Jira has received nothing, and receives it as soon as the record can be written
    assert story.shown() == {"incident": [], "review": []}
    restore()
    assert story.wait_for_delivery(1)
    assert differences(newest_states(states), story.shown()) == []


def test_without_the_key_table_every_caller_is_refused(stack: Stack, steering: Steering) -> None:
    steering.set_variable("WorkspacesFunction", "API_KEYS_TABLE", "not-there")

    with pytest.raises(StackFailure, match="503"):
        set_up(stack, "no-keys", "no-keys")
