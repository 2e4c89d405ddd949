"""States as the demo reads them from a file."""

import json
import time
from collections.abc import Sequence
from typing import Any

from infra.local.comparison import differences, newest_states
from infra.local.feed import State, parse_states
from infra.local.story import DELIVERY_SECONDS, POLL_SECONDS, Story
from tests.support.entities import incident


def incidents(*entities: dict[str, Any]) -> list[State]:
    return parse_states([json.dumps({"incident": entity}) for entity in entities], "a test")


def many(count: int) -> list[State]:
    """Incidents with the ids and summaries `inc-00000`, `Alert 00000` and so on."""
    return incidents(
        *(incident(f"inc-{number:05}", summary=f"Alert {number:05}") for number in range(count))
    )


def arrives(story: Story, states: Sequence[State]) -> None:
    """Submit the states; Jira and the record then have the newest state of each entity, and nothing
    else.
    """
    submitted = story.submit(states)
    assert not submitted.rejected
    expected = newest_states(states)
    assert story.wait_for_delivery(len(expected))
    assert differences(expected, story.shown()) == []
    assert story.recorded() == story.delivered() == len(expected)


def await_replay(story: Story) -> None:
    """Wait until the replay of the story's link is done."""
    deadline = time.monotonic() + DELIVERY_SECONDS
    path = f"/v1/sites/{story.tenancy.site_id}/replay"
    while [one["state"] for one in story.relay.http.get(path).json()["replays"]] != ["done"]:
        assert time.monotonic() < deadline, "the replay does not end"
        time.sleep(POLL_SECONDS)
