"""A sample of what a site accepted is read back: what Jira does not return is absent."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from relay.entities.workspace_ids import without_key
from tests.integration.relay_stage import (
    JiraSite,
    Relay,
    Start,
    install_from,
    install_there,
    new_name,
)
from tests.integration.simulator_stage import Simulator
from tests.support.aws import REGION
from tests.support.entities import incident, review

LINKS = "linkedWorkspaces"
CONFIRM_AFTER_SECONDS = 300
SAMPLE_MAX = 20


@pytest.fixture
def confirming(start: Start, simulator: Simulator) -> Callable[[str], Relay]:
    """Relay that reads back this percentage of accepted entities."""
    return lambda percent: start("payments", simulator=simulator, CONFIRM_PERCENT=percent)


@pytest.fixture
def stage(confirming: Callable[[str], Relay]) -> Relay:
    """Everything is read back."""
    return confirming("100")


@pytest.fixture
def site(stage: Relay, simulator: Simulator) -> JiraSite:
    return new_site(stage, simulator)


def new_site(stage: Relay, simulator: Simulator) -> JiraSite:
    site = install_from(stage, simulator)
    answer = stage.provider("PUT", f"/v1/sites/{site.id}/workspaces/payments")
    assert answer.status == 200, answer.body
    stage.run_replays()
    return site


def waiting_samples() -> list[tuple[float, dict[str, Any]]]:
    """The (delay in seconds, sample) of each queued sample."""
    queue = get_backend("sqs")[DEFAULT_ACCOUNT_ID][REGION].queues["ReplaysQueue"]
    found = [
        ((message.delayed_until - (message.sent_timestamp or 0)) / 1000, json.loads(message.body))
        for message in queue._messages
    ]
    return [(delay, content["sample"]) for delay, content in found if content.get("sample")]


def read_back(stage: Relay) -> None:
    """Read back as five minutes later; nothing else becomes due."""
    stage.let_time_pass()
    stage.run_replays()


def reads(site: JiraSite) -> list[str]:
    """The ids of the entities that Jira was asked for, without the workspace's key."""
    return [
        without_key(path.rpartition("/")[2])
        for method, path in site.calls()
        if method == "GET" and LINKS not in path
    ]


def at_site(stage: Relay, entity_id: str, kind: str = "incidents") -> dict[str, Any]:
    answer = stage.provider("GET", f"/v1/workspaces/payments/{kind}/{entity_id}")
    assert answer.status == 200, answer.body
    [found] = answer.json()["sites"]
    return dict(found)


def ids_in_state(stage: Relay, state: str) -> list[str]:
    answer = stage.provider("GET", f"/v1/workspaces/payments/entities?state={state}")
    assert answer.status == 200, answer.body
    return sorted(entity["id"] for entity in answer.json()["entities"])


def lose(site: JiraSite, *ids: str) -> None:
    site.simulator.fail(site.name, {"kind": "lose", "pattern": rf"\.({'|'.join(ids)})$"})


# --- Absent entities ---


def test_an_accepted_entity_that_jira_does_not_return_is_absent(
    stage: Relay, site: JiraSite
) -> None:
    lose(site, "lost", "lost-review")
    stage.submit(
        "payments",
        incidents=[incident("lost"), incident("i"), incident("j")],
        reviews=[review("lost-review"), review("r")],
    )
    assert ids_in_state(stage, "accepted") == ["i", "j", "lost", "lost-review", "r"]

    read_back(stage)

    assert sorted(reads(site)) == ["i", "j", "lost", "lost-review", "r"]
    assert ids_in_state(stage, "absent") == ["lost", "lost-review"]
    assert ids_in_state(stage, "accepted") == ["i", "j", "r"]
    for found in (at_site(stage, "lost"), at_site(stage, "lost-review", "reviews")):
        assert (found["state"], found["updateSequenceNumber"]) == ("absent", 1)
        assert "does not show it" in found["messages"][0]
    assert at_site(stage, "i")["state"] == "accepted"


def test_an_entity_is_read_back_once_after_five_minutes(stage: Relay, site: JiraSite) -> None:
    stage.submit("payments", incidents=[incident("i")])

    [(delay, sample)] = waiting_samples()
    assert delay == pytest.approx(CONFIRM_AFTER_SECONDS, abs=1)
    assert sample["accepted"] == [["incident", "i", 1]]
    stage.run_replays()
    assert reads(site) == []

    read_back(stage)
    read_back(stage)
    stage.sweep()

    assert reads(site) == ["i"]
    assert waiting_samples() == []


def test_a_sample_holds_only_ids_of_entities(stage: Relay, site: JiraSite) -> None:
    stage.submit("payments", incidents=[incident("i", summary="Xq7-of-a-customer")])

    assert "Xq7" not in str(waiting_samples())
    assert site.held("incident").keys() == {"i"}


def test_an_id_with_any_characters_is_read_back(stage: Relay, site: JiraSite) -> None:
    for entity_id in ("a/b", "..", "é ?#%", "🔥"):
        url = "https://ops.example.com/incidents/1"
        stage.submit("payments", incidents=[incident(entity_id, url=url)])

    read_back(stage)

    assert ids_in_state(stage, "absent") == []
    assert len(reads(site)) == 4


def test_a_later_state_clears_the_absence(stage: Relay, site: JiraSite) -> None:
    lose(site, "lost")
    stage.submit("payments", incidents=[incident("lost")])
    read_back(stage)
    assert at_site(stage, "lost")["state"] == "absent"
    # A repeated finding changes nothing.
    stage.submit("payments", incidents=[incident("lost")])
    assert at_site(stage, "lost")["state"] == "absent"

    site.simulator.fail(site.name)
    stage.submit("payments", incidents=[incident("lost", 2)])
    assert at_site(stage, "lost")["state"] == "accepted"
    read_back(stage)

    found = at_site(stage, "lost")
    assert (found["state"], found["updateSequenceNumber"]) == ("accepted", 2)
    assert found["messages"] == []
    assert ids_in_state(stage, "absent") == []


def test_an_absent_entity_can_be_replayed(stage: Relay, site: JiraSite) -> None:
    lose(site, "lost")
    stage.submit("payments", incidents=[incident("lost")])
    read_back(stage)
    site.simulator.fail(site.name)

    asked = stage.provider("POST", f"/v1/sites/{site.id}/replay", {"what": "all"})
    assert asked.status == 202
    stage.run_replays()
    read_back(stage)

    assert site.held("incident").keys() == {"lost"}
    assert at_site(stage, "lost")["state"] == "accepted"


def test_only_accepted_entities_are_read_back(stage: Relay, site: JiraSite) -> None:
    gone = [{"associationType": "issueIdOrKeys", "values": ["GONE-1"]}]
    site.simulator.fail(site.name, {"kind": "refuse entity", "pattern": r"\.bad$"})
    stage.submit(
        "payments", incidents=[incident("bad"), incident("gone", associations=gone), incident("i")]
    )

    read_back(stage)

    assert reads(site) == ["i"]
    assert at_site(stage, "bad")["state"] == "rejected"
    assert at_site(stage, "gone")["state"] == "unknown project keys"


def test_entities_delivered_by_a_replay_are_read_back(stage: Relay, simulator: Simulator) -> None:
    stage.submit("payments", incidents=[incident("i"), incident("lost")])
    name = new_name()
    simulator.create(name)
    simulator.fail(name, {"kind": "lose", "pattern": r"\.lost$"})
    site = install_there(stage, simulator, name)
    assert stage.provider("PUT", f"/v1/sites/{site.id}/workspaces/payments").status == 200
    stage.run_replays()

    read_back(stage)

    assert sorted(reads(site)) == ["i", "lost"]
    assert ids_in_state(stage, "absent") == ["lost"]


# --- Sample size ---


def test_nothing_is_read_back_when_disabled(
    confirming: Callable[[str], Relay], simulator: Simulator
) -> None:
    stage = confirming("0")
    site = new_site(stage, simulator)
    lose(site, "lost")
    stage.submit("payments", incidents=[incident("lost"), incident("i")])

    assert waiting_samples() == []
    read_back(stage)

    assert reads(site) == []
    assert ids_in_state(stage, "accepted") == ["i", "lost"]


@pytest.mark.parametrize(
    ("percent", "accepted", "asked"), [("1", 1, 1), ("1", 30, 1), ("10", 30, 3), ("100", 30, 20)]
)
def test_a_sample_has_at_least_one_entity_and_an_upper_limit(
    confirming: Callable[[str], Relay],
    simulator: Simulator,
    percent: str,
    accepted: int,
    asked: int,
) -> None:
    stage = confirming(percent)
    site = new_site(stage, simulator)
    stage.submit("payments", incidents=[incident(f"i-{number}") for number in range(accepted)])

    read_back(stage)

    assert asked <= SAMPLE_MAX
    assert len(set(reads(site))) == len(reads(site)) == asked
    assert ids_in_state(stage, "absent") == []


# --- Remains ---


def test_an_entity_that_was_changed_or_deleted_since_is_not_read_back(
    stage: Relay, site: JiraSite
) -> None:
    lose(site, "changed", "deleted", "lost")
    stage.submit("payments", incidents=[incident(one) for one in ("changed", "deleted", "lost")])
    [(_, sample)] = waiting_samples()
    assert len(sample["accepted"]) == 3
    site.simulator.fail(site.name)
    stage.submit("payments", incidents=[incident("changed", 2)])
    stage.provider("DELETE", "/v1/workspaces/payments/incidents/deleted")
    assert stage.run_queue() == []

    read_back(stage)

    assert ids_in_state(stage, "absent") == ["lost"]
    # Once in its newer state, by the sample of this test.
    assert sorted(reads(site)) == ["changed", "lost"]
    assert at_site(stage, "changed")["state"] == "accepted"
    assert at_site(stage, "deleted")["state"] == "deleted"


def test_a_sample_of_an_earlier_installation_is_skipped(stage: Relay, site: JiraSite) -> None:
    stage.submit("payments", incidents=[incident("i")])
    [(_, sample)] = waiting_samples()
    site.simulator.control("POST", f"/sites/{site.name}/uninstall").raise_for_status()
    again = install_there(stage, site.simulator, site.name)
    assert again.id == site.id
    # The replay has its own sample; both wait.
    stage.run_replays()
    generations = [waiting["generation"] for _, waiting in waiting_samples()]
    assert generations == [sample["generation"], sample["generation"] + 1]
    site.simulator.control("POST", f"/sites/{site.name}/forget").raise_for_status()

    read_back(stage)

    # Asked for once, by this installation's sample.
    assert reads(site) == ["i"]


@pytest.mark.parametrize("left", ["without the app", "not linked"])
def test_a_sample_of_an_unlinked_or_uninstalled_site_is_skipped(
    stage: Relay, site: JiraSite, left: str
) -> None:
    lose(site, "lost")
    stage.submit("payments", incidents=[incident("lost")])
    if left == "not linked":
        assert stage.provider("DELETE", f"/v1/sites/{site.id}/workspaces/payments").status == 204
    else:
        site.simulator.control("POST", f"/sites/{site.name}/uninstall").raise_for_status()

    read_back(stage)

    assert reads(site) == []
    assert ids_in_state(stage, "absent") == []


def test_a_site_in_trouble_is_not_called(stage: Relay, site: JiraSite) -> None:
    lose(site, "lost")
    stage.submit("payments", incidents=[incident("lost")])
    site.simulator.fail(site.name, {"kind": "error", "status": 503})
    stage.submit("payments", incidents=[incident("owed")])

    read_back(stage)

    assert reads(site) == []
    assert ids_in_state(stage, "accepted") == ["lost"]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "rate limit", "retryAfter": "30"},
        {"kind": "error", "status": 500},
        {"kind": "forbidden"},
        {"kind": "drop before"},
        {"kind": "redirect"},
    ],
    ids=lambda fault: str(fault["kind"]),
)
def test_a_failing_site_is_called_once_and_nothing_is_marked_absent(
    stage: Relay, site: JiraSite, fault: dict[str, Any]
) -> None:
    stage.submit("payments", incidents=[incident("i"), incident("j"), incident("k")])
    site.simulator.fail(site.name, fault)

    read_back(stage)

    assert len(reads(site)) == 1
    assert ids_in_state(stage, "accepted") == ["i", "j", "k"]


def test_results_before_a_failure_are_saved(stage: Relay, site: JiraSite) -> None:
    site.simulator.fail(site.name, {"kind": "lose"})
    stage.submit("payments", incidents=[incident("i"), incident("j"), incident("k")])
    site.simulator.fail(
        site.name, {"kind": "bucket", "capacity": 1, "perSecond": 0.0001, "retryAfter": False}
    )

    read_back(stage)

    [absent] = ids_in_state(stage, "absent")
    assert reads(site)[0] == absent
    assert len(ids_in_state(stage, "accepted")) == 2
