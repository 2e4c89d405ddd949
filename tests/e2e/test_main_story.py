"""The main job: submitted entities arrive once, in their newest state, in few calls."""

import random

import pytest

from infra.local.comparison import differences, newest_states
from infra.local.demo import run_story
from infra.local.feed import State, parse_states
from infra.local.sample import INCIDENTS, REVIEWS, sample_lines
from infra.local.story import Story
from tests.e2e.states import arrives, incidents
from tests.e2e.steering import Steering
from tests.support.entities import incident

CALL_OF_SUBMISSION = "submitEntity"


@pytest.fixture(scope="module")
def sample() -> list[State]:
    return parse_states(sample_lines(), "sample")


def test_the_sample_of_the_demo_arrives(story: Story, sample: list[State]) -> None:
    assert len(newest_states(sample)) == INCIDENTS + REVIEWS

    assert run_story(story, sample)


def test_waiting_entities_cost_one_call_per_thousand_of_a_kind(
    story: Story, steering: Steering, sample: list[State]
) -> None:
    # GIVEN the sample in five submissions, all in the queue
    let_go = steering.hold_queue()
    fifth = len(sample) // 5 + 1
    for start in range(0, len(sample), fifth):
        assert not story.submit(sample[start : start + fifth]).rejected

    # WHEN a submitter receives them together
    let_go()
    assert story.wait_for_delivery(INCIDENTS + REVIEWS)

    # THEN 2,500 incidents and 40 reviews cost three calls and one
    calls = [call for call in story.calls() if call["operation"] == CALL_OF_SUBMISSION]
    counts = sorted((call["incidents"], call["reviews"]) for call in calls)
    assert counts == [(0, 40), (500, 0), (1000, 0), (1000, 0)]
    assert differences(newest_states(sample), story.shown()) == []


def test_duplicated_and_reordered_states_leave_the_newest(
    story: Story, sample: list[State]
) -> None:
    several = [state for state in sample if state.id.endswith("7")]
    shuffled = several * 2
    random.Random(7).shuffle(shuffled)  # noqa: S311 - an order, no secret

    arrives(story, several[::-1])
    story.submit(shuffled)
    assert story.wait_for_delivery(len(newest_states(several)))

    assert differences(newest_states(several), story.shown()) == []


def test_an_older_state_that_arrives_later_changes_nothing(story: Story) -> None:
    newer = incidents(incident("inc-1", 2, summary="Resolved at noon"))
    older = incidents(incident("inc-1", 1, summary="Open since ten"))

    arrives(story, newer)
    story.submit(older)
    assert story.wait_for_delivery(1)

    assert differences(newest_states(newer), story.shown()) == []
    assert len(story.calls()) == len(["link", "newer"])
