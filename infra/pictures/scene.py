"""What the pictures show: the demo's data, in the states that an admin should know."""

from collections.abc import Iterator
from contextlib import contextmanager

from infra.local.feed import State, parse_states
from infra.local.first_tenant import set_up
from infra.local.paths import ROOT
from infra.local.sample import sample_lines
from infra.local.screen import Screen
from infra.local.stack import temporary_stack
from infra.local.story import Story

REFUSED = "inc-0249[0-3]"
JIRAS_WORDS = "affectedComponents: must not contain more than 20 values"
OFFERED = {"name": "Payments", "url": "https://operations.example/workspaces/payments"}
ALERTS = ROOT / "examples" / "sources" / "alertmanager" / "firing.json"


@contextmanager
def scene() -> Iterator[Story]:
    """A site with the sample, of which it has refused a few incidents, and an offered workspace."""
    screen = Screen()
    with temporary_stack(report=screen.say) as stack, Story(stack, set_up(stack), screen) as story:
        site, workspace = story.tenancy.site_name, story.tenancy.workspace_id
        story.relay.put_workspace("payments", OFFERED)
        story.relay.offer(story.tenancy.site_id, "payments")
        story.relay.put_source(workspace, "alertmanager", {"kind": "alertmanager"})
        events = f"/v1/workspaces/{workspace}/sources/alertmanager/events"
        story.relay.http.post(events, content=ALERTS.read_bytes()).raise_for_status()
        fault = {"kind": "refuse entity", "message": JIRAS_WORDS, "pattern": REFUSED}
        story.jira.fail(site, fault)
        states = newest_of_sample()
        story.submit(states)
        story.wait_for_delivery(len(states))
        story.jira.fail(site)
        yield story


def newest_of_sample() -> list[State]:
    """The last state of each entity of the demo's sample."""
    states = parse_states(sample_lines(), "sample")
    return list({(state.kind, state.id): state for state in states}.values())
