"""The submitter's process is killed after Jira has answered, before the message is deleted."""

from infra.local.comparison import differences, newest_states
from infra.local.feed import parse_states
from infra.local.sample import sample_lines
from infra.local.story import Story
from tests.e2e.steering import Steering, wait_until

# Longer than the submitter needs to record these states on a slow machine.
REDELIVERY_SECONDS = 8
STATES = 1200


def test_nothing_is_lost_or_duplicated(story: Story, steering: Steering) -> None:
    # GIVEN a submission being processed
    states = parse_states(sample_lines()[:STATES], "sample")
    expected = newest_states(states)
    restore = steering.redeliver_after(REDELIVERY_SECONDS)
    story.submit(states)

    # WHEN Jira has accepted a batch and the process dies
    wait_until(lambda: _batches(story), "Jira was sent a batch")
    assert steering.kill_workers("SubmitterFunction")
    restore()
    before = len(_batches(story))
    assert story.waiting() == 1, "the message was acknowledged before it was done"

    # THEN the message returns, and every entity is present once in its newest state
    assert story.wait_for_delivery(len(expected))
    assert len(_batches(story)) > before
    assert differences(expected, story.shown()) == []
    assert story.recorded() == story.delivered() == len(expected)
    assert steering.dead_letters() == 0


def _batches(story: Story) -> list[int]:
    """How many entities Jira accepted with each submission so far."""
    return [call["entities"] for call in story.calls() if call["operation"] == "submitEntity"]
