"""An entity that is submitted while a site deletes it: the newer state stays."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest
from botocore.exceptions import EndpointConnectionError

from tests.integration.catching_up_stage import progress, put_link, sequences, states
from tests.integration.relay_stage import JiraSite, Relay, Start, install_from
from tests.integration.simulator_stage import Simulator
from tests.integration.test_deletions import a_moment_later, delete
from tests.support.aws_calls import aws_calls, unreachable
from tests.support.entities import incident

# A delivery or a replay of one deletion makes fewer calls to AWS than this.
CALLS_MAX = 40
NEVER = 1000


@pytest.fixture(params=["forgotten", "remembered"])
def site(
    start: Start, simulator: Simulator, request: pytest.FixtureRequest
) -> tuple[Relay, JiraSite]:
    """In both cases of what Jira remembers about deleted sequences."""
    simulator.set(sequencesAfterDeletion=request.param)
    relay = start("payments", simulator=simulator)
    found = install_from(relay, simulator)
    put_link(relay, found)
    relay.run_replays()
    return relay, found


def deleted_and_submitted(relay: Relay, entity_id: str) -> tuple[list[str], list[str]]:
    """The messages of the deletion and of the newer state, for a site with the old state."""
    relay.submit("payments", incidents=[incident(entity_id, sequence=5)])
    delete(relay, entity_id)
    deletion = relay.waiting()
    a_moment_later()
    relay.queue("payments", incidents=[incident(entity_id, sequence=6)])
    return deletion, relay.waiting()


def settle(relay: Relay) -> None:
    relay.let_time_pass()
    relay.sweep()
    assert relay.run_queue() == []
    relay.run_replays()


def overtaken(
    relay: Relay, submission: list[str], work: Callable[[], object], after: int, breaks_at: int
) -> bool:
    """Deliver the newer state after this call of the work to AWS; the work fails at the other call.
    Returns False if the work makes no such call; the newer state is then delivered after it.
    """
    counted, own = 0, True
    with aws_calls() as calls:

        def before(_: str) -> None:
            if own and counted == breaks_at:
                raise unreachable()

        def let_it_pass(_: str) -> None:
            nonlocal counted, own
            if not own:
                return
            counted += 1
            if counted == after + 1:
                own = False
                assert relay.run_again(submission) == []
                own = True

        calls.before, calls.after = before, let_it_pass
        with suppress(EndpointConnectionError):
            work()
    if counted <= after:
        assert relay.run_again(submission) == []
    return counted > after


@pytest.mark.parametrize("breaks_off", [NEVER, 1, 2, 3])
def test_a_newer_state_survives_a_concurrent_deletion(
    site: tuple[Relay, JiraSite], breaks_off: int
) -> None:
    """Both are handled concurrently; the deletion may fail some calls later."""
    relay, jira = site
    reached = []
    for after in range(CALLS_MAX):
        entity_id = f"inc-{after}"
        deletion, submission = deleted_and_submitted(relay, entity_id)
        returned: list[str] = []
        work = partial(lambda again, once: again.extend(relay.run_again(once)), returned, deletion)
        reached.append(overtaken(relay, submission, work, after, after + breaks_off))
        assert relay.run_again(returned) == []
        settle(relay)
        assert entity_id in sequences(jira), f"lost, delivered after call {after}"
        assert states(relay)[entity_id] == "accepted"
        if not reached[-1]:
            break
    assert reached.count(True) > 5
    assert reached[-1] is False


@pytest.mark.parametrize("breaks_off", [NEVER, 2])
def test_a_newer_state_survives_a_replay_that_deletes(
    site: tuple[Relay, JiraSite], breaks_off: int
) -> None:
    relay, jira = site
    down = {"kind": "error", "status": 503}
    reached = []
    for after in range(CALLS_MAX):
        entity_id = f"inc-{after}"
        relay.submit("payments", incidents=[incident(entity_id, sequence=5)])
        faults(jira, down)
        delete(relay, entity_id)
        assert relay.run_queue() == []
        faults(jira)
        a_moment_later()
        relay.queue("payments", incidents=[incident(entity_id, sequence=6)])
        submission = relay.waiting()
        relay.let_time_pass()
        reached.append(overtaken(relay, submission, relay.run_replays, after, after + breaks_off))
        settle(relay)
        assert entity_id in sequences(jira), f"lost, delivered after call {after}"
        assert states(relay)[entity_id] == "accepted"
        if not reached[-1]:
            break
    assert reached.count(True) > 5
    assert reached[-1] is False


def faults(site: JiraSite, *kinds: dict[str, object]) -> None:
    body = {"faults": list(kinds)}
    site.simulator.control("PUT", f"/sites/{site.name}/faults", body).raise_for_status()


def test_a_full_replay_happens_only_when_the_two_overlap(site: tuple[Relay, JiraSite]) -> None:
    relay, jira = site
    deletion, submission = deleted_and_submitted(relay, "inc-1")
    assert relay.run_again(deletion) == []
    assert relay.run_again(submission) == []
    settle(relay)
    assert progress(relay, jira)["why"] == "linked"
    assert sequences(jira).keys() == {"inc-1"}
