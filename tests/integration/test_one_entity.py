"""One entity never stops a site: a failing entity is found, postponed and tried alone."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

import relay.edge.wiring
from relay.delivery.sites import Sites
from relay.entities.model import EntityKey, Kind
from relay.record.debts import Debt, DebtStore
from relay.tenants.replays import ReplayStore
from tests.integration.catching_up_stage import ask, progress, put_link, unlink
from tests.integration.relay_stage import JiraSite, Relay, Start, install_from
from tests.integration.replays_stage import received
from tests.integration.simulator_stage import Simulator
from tests.support.entities import incident, review
from tests.support.lambdas import Context, sqs_event

BAD = "DROP TABLE"
PAGE = "<html><head><title>Request blocked</title></head></html>"
# Whenever a request holds this entity.
POISONS = [
    {"kind": "error", "status": 403, "body": PAGE},
    {"kind": "error", "status": 403},
    {"kind": "error", "status": 409},
    {"kind": "error", "status": 500},
    {"kind": "error", "status": 502, "body": PAGE},
    {"kind": "error", "status": 503},
    {"kind": "error", "status": 200, "body": PAGE},
    {"kind": "drop before"},
]


@pytest.fixture
def relay_(start: Start, simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Relay:
    """Relay on a clock that only `Place.later` advances, so that a slow machine retries nothing."""
    now = time.time()
    for name in ("SiteParts", "DeliveryParts", "ReplayParts"):
        parts = getattr(relay.edge.wiring, name)
        monkeypatch.setattr(relay.edge.wiring, name, partial(parts, clock=lambda: now))
    return start("payments", simulator=simulator, COMPONENTS_MODULE="on")


@dataclass(frozen=True)
class Place:
    """A site with one workspace, and how Relay handles its answers."""

    relay: Relay
    jira: JiraSite

    def answer(self, *faults: dict[str, Any]) -> None:
        self.jira.simulator.fail(self.jira.name, *faults)

    def submit(self, *incidents: dict[str, Any], reviews: Any = ()) -> None:
        entities = {"incidents": list(incidents), "reviews": list(reviews)}
        given = {name: value for name, value in entities.items() if value}
        assert self.relay.submit("payments", **given) == []

    def delete(self, *ids: str) -> None:
        for entity_id in ids:
            path = f"/v1/workspaces/payments/incidents/{entity_id}"
            assert self.relay.provider("DELETE", path).status == 202
        assert self.relay.run_queue() == []

    def put(self, *ids: str, text: str = "") -> None:
        self.queue_containers(*ids, text=text)
        assert self.relay.run_queue() == []

    def queue_containers(self, *ids: str, text: str = "") -> None:
        containers = [
            {
                "id": one,
                "name": one,
                "description": text,
                "url": f"https://ops.example.com/{one}",
                "lastUpdatedDate": "2026-01-30T08:00:00Z",
            }
            for one in ids
        ]
        url = "/v1/workspaces/payments/containers"
        assert self.relay.provider("POST", url, {"containers": containers}).status == 200

    def queue_deletion(self, container_id: str) -> None:
        url = f"/v1/workspaces/payments/containers/{container_id}"
        assert self.relay.provider("DELETE", url).status == 204

    def unlink_in_jira(self, workspace: str) -> None:
        """Unlink as an admin of the site does: Jira deletes the workspace's entities, without
        notice.
        """
        sites: Sites = self.relay.gateway.functions["replayer"].parts.sites
        [jira] = map(sites.jira_for, sites.linked_to(workspace))
        assert jira
        jira.site.delete_workspaces([workspace])
        jira.delete_all()

    def of(self, entity_id: str, kind: str = "incidents") -> Any:
        answer = self.relay.provider("GET", f"/v1/workspaces/payments/{kind}/{entity_id}")
        assert answer.status == 200, answer.body
        [found] = answer.json()["sites"]
        return found

    def state_of(self, *ids: str) -> list[str]:
        return [self.of(entity_id)["state"] for entity_id in ids]

    @property
    def state(self) -> str:
        answer = self.relay.provider("GET", f"/v1/sites/{self.jira.id}")
        return str(answer.json()["state"])

    def held(self, kind: str = "incident") -> set[str]:
        """The provider's own ids, without prefixes."""
        return {held.rpartition(".")[2] for held in self.jira.held(kind)}

    def calls(self, operation: str = "") -> int:
        return sum(
            operation in ("", call["operation"])
            for call in self.jira.simulator.calls(self.jira.name)
        )

    def forget_calls(self) -> None:
        self.jira.simulator.control("DELETE", "/calls").raise_for_status()

    def debts(self) -> list[Debt]:
        store = DebtStore(self.relay.aws.dynamodb, self.relay.aws.environment["RECORD_TABLE"])
        return list(store.of_link("payments", self.jira.id).all())

    def later(self) -> int:
        """Advance the clock until everything is due; return the number of replay steps."""
        self.relay.let_time_pass()
        return self.relay.run_replays()


@pytest.fixture
def site(relay_: Relay, simulator: Simulator) -> Place:
    place = Place(relay_, install_from(relay_, simulator))
    put_link(relay_, place.jira)
    relay_.run_replays()
    place.forget_calls()
    return place


def bad(entity_id: str = "bad", sequence: int = 1) -> dict[str, Any]:
    return incident(entity_id, sequence, description=BAD)


def good(count: int, prefix: str = "i") -> list[dict[str, Any]]:
    return [incident(f"{prefix}-{number}") for number in range(count)]


def ids(incidents: list[dict[str, Any]]) -> set[str]:
    return {one["id"] for one in incidents}


# --- Among other messages ---


@pytest.mark.parametrize("fault", POISONS, ids=lambda one: "-".join(map(str, one.values()))[:30])
def test_an_entity_that_fails_a_request_is_found_and_postponed_alone(
    site: Place, fault: dict[str, Any]
) -> None:
    site.answer(fault | {"text": BAD})
    others = good(30)

    site.submit(*others[:11], bad(), *others[11:], reviews=[review("r")])

    assert (site.held(), site.held("review")) == (ids(others), {"r"})
    assert (site.state, site.state_of("bad")) == ("active", ["owed"])
    owed = site.of("bad")
    assert owed["owedSince"] < owed["until"]
    # The whole request, one alone, two per halving, the review, and the probe.
    assert site.calls("submitEntity") <= 2 + 2 * 5 + 2
    assert site.calls("getWorkspaces") <= 1

    site.relay.run_replays()
    replay = progress(site.relay, site.jira)
    assert (replay["state"], replay["until"]) == ("done", site.of("bad")["until"])
    site.forget_calls()
    site.relay.sweep()
    assert site.calls() == 0

    # Alone, and ever less often.
    for tries in range(1, 4):
        [debt] = site.debts()
        assert debt.tries == tries
        assert debt.not_before
        assert site.later() <= 2
        assert site.calls("submitEntity") == tries
        assert (site.state, site.state_of("bad")) == ("active", ["owed"])
    assert progress(site.relay, site.jira)["state"] == "done"

    site.answer()
    site.later()
    assert (site.state_of("bad"), site.debts()) == (["accepted"], [])
    assert site.held() == ids(others) | {"bad"}
    assert "until" not in progress(site.relay, site.jira)


def test_the_answers_message_is_the_debts_reason(site: Place) -> None:
    site.answer({"kind": "error", "status": 403, "body": PAGE, "text": BAD})
    site.submit(bad(), *good(3))
    assert "403: Request blocked" in site.of("bad")["reason"]


def test_only_the_postponed_entity_shows_its_next_attempt(site: Place) -> None:
    site.answer({"kind": "error", "status": 403, "body": PAGE, "text": BAD})
    site.submit(bad(), *good(3))
    listed = site.relay.provider("GET", "/v1/workspaces/payments/entities?state=owed").json()
    [[at_site]] = [one["sites"] for one in listed["entities"]]
    assert at_site == site.of("bad")
    [debt] = site.debts()
    assert debt.not_before
    until = datetime.fromtimestamp(debt.not_before / 1000, UTC)
    assert datetime.fromisoformat(at_site["until"]) == until

    site.answer({"kind": "suspended"})
    site.submit(bad(sequence=2), incident("i-0", 2))
    assert site.state_of("bad", "i-0") == ["owed", "owed"]
    assert "until" not in site.of("bad")
    assert "until" not in site.of("i-0")


def test_several_faulty_entities_are_all_found(site: Place) -> None:
    site.answer({"kind": "drop before", "text": BAD})
    others = good(20)
    several = [bad(f"bad-{number}") for number in range(5)]

    site.submit(*several[:3], *others, *several[3:])

    assert (site.held(), site.state) == (ids(others), "active")
    assert set(site.state_of(*ids(several))) == {"owed"}
    site.forget_calls()
    site.later()
    # None passes: one of them and two more prove it.
    assert site.calls("submitEntity") <= 4
    site.answer()
    site.later()
    assert site.held() == ids(others) | ids(several)
    assert site.debts() == []


def test_a_bad_review_delays_neither_reviews_nor_incidents(site: Place) -> None:
    site.answer({"kind": "error", "status": 500, "text": BAD})
    reviews = [review("bad", description=BAD), review("r")]

    site.submit(*good(2), reviews=reviews)
    site.submit(incident("later"), reviews=[review("later")])

    assert site.held("review") == {"r", "later"}
    assert site.held() == {"i-0", "i-1", "later"}
    assert (site.of("bad", "reviews")["state"], site.state) == ("owed", "active")


def test_a_request_that_is_bad_in_both_ways_is_split_for_both(site: Place) -> None:
    """An entity that Jira refuses with its request proves that the site answers."""
    site.answer(
        {"kind": "error", "status": 500, "text": BAD},
        {"kind": "refuse request", "pattern": "refused$", "message": "no such field"},
    )
    site.submit(incident("refused"), bad())
    assert site.state_of("refused", "bad") == ["rejected", "owed"]
    assert site.state == "active"


# --- A single entity in its request ---


def test_a_single_entity_is_postponed_if_the_site_accepts_a_known_one(site: Place) -> None:
    site.submit(*good(2))
    site.answer({"kind": "error", "status": 500, "text": BAD})
    site.forget_calls()

    site.submit(bad())

    assert (site.state, site.state_of("bad", "i-0", "i-1")) == (
        "active",
        ["owed", "accepted", "accepted"],
    )
    # The entity, the probe, and what the site accepted before.
    assert (site.calls("submitEntity"), site.calls()) == (2, 3)
    site.submit(incident("next"))
    assert site.state_of("next") == ["accepted"]


def test_a_first_review_is_postponed_if_the_site_accepts_incidents(site: Place) -> None:
    site.submit(incident("i"))
    site.answer({"kind": "error", "status": 500, "text": BAD})
    site.submit(reviews=[review("bad", description=BAD)])
    assert (site.of("bad", "reviews")["state"], site.state) == ("owed", "active")


def test_a_single_entity_at_a_new_site_is_isolated_once_another_arrives(site: Place) -> None:
    """Whether the entity or the site fails is not known yet."""
    site.answer({"kind": "error", "status": 500, "text": BAD})
    site.submit(bad())
    assert site.state == "slowed"

    site.submit(incident("next"))
    site.later()

    assert (site.state, site.state_of("bad", "next")) == ("active", ["owed", "accepted"])
    assert progress(site.relay, site.jira)["state"] == "done"


def test_a_newer_state_is_sent_immediately_and_ends_the_debt(site: Place) -> None:
    site.answer({"kind": "error", "status": 403, "text": BAD})
    site.submit(bad(), *good(2))

    site.submit(incident("bad", 2))

    assert site.state_of("bad") == ["accepted"]
    site.forget_calls()
    site.later()
    assert (site.debts(), site.calls("submitEntity")) == ([], 0)


# --- A site at fault ---


def test_if_nothing_is_accepted_the_site_is_at_fault_after_few_calls(site: Place) -> None:
    down = {"kind": "error", "status": 503, "operations": ["submitEntity"]}
    site.answer(down)

    site.submit(*good(100))

    assert site.state == "slowed"
    assert site.calls("submitEntity") <= 4
    assert site.calls("getWorkspaces") <= 1
    assert {debt.not_before for debt in site.debts()} == {None}
    site.answer()
    site.later()
    assert site.held() == ids(good(100))


def test_if_a_known_entity_fails_too_the_site_is_at_fault(site: Place) -> None:
    site.submit(*good(3))
    site.forget_calls()
    site.answer({"kind": "error", "status": 503, "operations": ["submitEntity"]})
    site.submit(*good(50, "more"))
    assert (site.state, site.calls("submitEntity")) == ("slowed", 2)


@pytest.mark.parametrize("status", [429, 503])
def test_a_site_that_sends_retry_after_is_not_called_again(site: Place, status: int) -> None:
    site.answer(
        {"kind": "error", "status": status, "retryAfter": "60", "operations": ["submitEntity"]}
    )
    site.submit(*good(10))
    assert (site.state, site.calls()) == ("slowed", 1)


def test_the_answer_to_the_probe_decides_about_the_site(site: Place) -> None:
    site.answer(
        {"kind": "error", "status": 500, "operations": ["submitEntity"]},
        {"kind": "error", "status": 401},
    )
    site.submit(*good(10))
    assert (site.state, site.calls()) == ("needs attention", 2)


def test_a_site_in_trouble_recovers_despite_an_entity_with_the_same_failure(
    site: Place,
) -> None:
    site.answer({"kind": "suspended"})
    site.submit(bad(), *good(10))
    for _ in range(6):
        site.later()
    site.answer({"kind": "error", "status": 503, "text": BAD})

    for _ in range(12):
        site.later()

    assert (site.held(), site.state) == (ids(good(10)), "active")
    assert site.state_of("bad") == ["owed"]


# --- In a replay ---


def test_a_replay_ends_and_delivers_all_but_the_faulty_entity(site: Place) -> None:
    site.submit(bad(), *good(20))
    site.jira.simulator.control("POST", f"/sites/{site.jira.name}/forget").raise_for_status()
    site.answer({"kind": "error", "status": 403, "body": PAGE, "text": BAD})

    ask(site.relay, site.jira, what="all")
    assert site.relay.run_replays() <= 3

    assert (site.held(), site.state) == (ids(good(20)), "active")
    replay = progress(site.relay, site.jira)
    assert (replay["state"], site.state_of("bad")) == ("done", ["owed"])
    [debt] = site.debts()
    assert debt.key == EntityKey(Kind.INCIDENT, "bad")

    # The schedule finds it if its message is lost.
    site.answer()
    site.relay.let_time_pass()
    site.relay.aws.sqs.purge_queue(QueueUrl=site.relay.aws.environment["REPLAYS_QUEUE"])
    site.relay.sweep()
    assert (site.held(), site.debts()) == (ids(good(20)) | {"bad"}, [])


@pytest.mark.parametrize("kind", ["incident", "component"])
def test_many_failing_entities_do_not_stop_a_replay(site: Place, kind: str) -> None:
    """No step has enough time to find them all."""
    others = good(15, "other")
    several = [bad(f"bad-{number}") for number in range(10)]
    site.submit(*others, *several)
    site.put(*ids(others), *ids(several))
    site.jira.simulator.control("POST", f"/sites/{site.jira.name}/forget").raise_for_status()
    operation = {"incident": "submitEntity", "component": "submitComponents"}[kind]
    site.answer({"kind": "error", "status": 500, "pattern": "bad", "operations": [operation]})

    class Short(Context):
        """There is time for ten calls."""

        def __init__(self) -> None:
            super().__init__()
            self._calls = site.calls()

        def get_remaining_time_in_millis(self) -> int:
            return 60_000 if site.calls() - self._calls < 10 else 10_000

    def steps(count: int) -> None:
        aws, replayer = site.relay.aws, site.relay.gateway.functions["replayer"]
        for _ in range(count):
            for message in received(aws, aws.environment["REPLAYS_QUEUE"]):
                replayer.handler(sqs_event(message["Body"]), Short())

    ask(site.relay, site.jira, what="all")
    steps(8)
    # By chance, so many of them may be tried first that the site seems to fail.
    for _ in range(5):
        if site.held(kind) != ids(others):
            site.relay.let_time_pass()
            steps(8)

    assert progress(site.relay, site.jira)["state"] == "done"
    assert len(site.debts()) == len(several)
    assert site.held("component") - ids(several) == site.held("incident") - ids(several)


def test_unlinking_ends_postponed_debts(site: Place) -> None:
    site.answer({"kind": "error", "status": 403, "text": BAD})
    site.submit(bad(), *good(2))
    site.relay.run_replays()

    unlink(site.relay, site.jira)
    site.later()

    assert site.debts() == []
    replays = ReplayStore(site.relay.aws.dynamodb, site.relay.aws.environment["TENANTS_TABLE"])
    replay = replays.get(site.jira.id, "payments")
    assert replay
    assert (replay.is_done, replay.again) == (True, 0)


# --- Deletions ---


@pytest.mark.parametrize("fault", POISONS, ids=lambda one: "-".join(map(str, one.values()))[:30])
def test_a_deletion_that_fails_alone_is_postponed(site: Place, fault: dict[str, Any]) -> None:
    site.submit(*good(3))
    site.answer(fault | {"operations": ["deleteIncidentById"], "pattern": "i-1$"})

    site.delete("i-0", "i-1", "i-2")

    assert (site.held(), site.state) == ({"i-1"}, "active")
    assert site.state_of("i-0", "i-1", "i-2") == ["deleted", "owed", "deleted"]
    assert site.of("i-1")["reason"]
    site.submit(incident("next"))
    assert site.state_of("next") == ["accepted"]
    site.later()
    assert (site.state, site.state_of("i-1")) == ("active", ["owed"])
    site.answer()
    site.later()
    assert (site.state_of("i-1"), site.debts()) == (["deleted"], [])


def test_if_no_deletion_is_accepted_the_site_is_at_fault_after_a_few(site: Place) -> None:
    site.submit(*good(20))
    site.answer({"kind": "error", "status": 500, "operations": ["deleteIncidentById"]})
    site.forget_calls()

    site.delete(*ids(good(20)))

    assert site.calls("deleteIncidentById") <= 4
    assert site.state == "slowed"
    site.answer()
    for _ in range(2):
        site.later()
    assert (site.held(), site.debts(), site.state) == (set(), [], "active")


def test_deleting_an_entity_that_jira_no_longer_has_succeeds(site: Place) -> None:
    site.submit(*good(3))
    site.answer({"kind": "error", "status": 404, "operations": ["deleteIncidentById"]})
    site.forget_calls()

    site.delete("i-0", "i-1")

    assert site.state_of("i-0", "i-1", "i-2") == ["deleted", "deleted", "accepted"]
    assert (site.state, site.debts()) == ("active", [])
    assert site.calls("getWorkspaces") <= 2


def test_a_deletion_is_owed_if_the_whole_site_answers_404(site: Place) -> None:
    site.submit(incident("i"))
    site.answer({"kind": "error", "status": 404})
    site.delete("i")
    assert (site.state, site.state_of("i")) == ("needs attention", ["owed"])
    site.answer()
    site.later()
    assert (site.held(), site.state_of("i")) == (set(), ["deleted"])


def test_a_workspace_unlinked_in_jira_does_not_delay_another(site: Place) -> None:
    """Its entities are gone from Jira with its link, so its deletions succeed."""
    site.relay.put_workspace("search")
    put_link(site.relay, site.jira, "search")
    site.relay.run_replays()
    site.submit(incident("i"))
    site.unlink_in_jira("payments")
    site.answer({"kind": "error", "status": 404, "operations": ["deleteIncidentById"]})

    site.delete("i")

    assert (site.state, site.state_of("i"), site.debts()) == ("active", ["deleted"], [])
    assert site.relay.submit("search", incidents=[incident("j")]) == []
    assert "j" in site.held()


def test_a_deletion_that_jira_refuses_is_rejected_with_its_messages(site: Place) -> None:
    site.submit(incident("i"))
    words = [{"message": "This incident is locked."}]
    site.answer(
        {"kind": "error", "status": 400, "operations": ["deleteIncidentById"], "body": words}
    )

    site.delete("i")

    assert (site.of("i")["state"], site.of("i")["messages"]) == (
        "rejected",
        ["This incident is locked."],
    )
    assert (site.state, site.debts()) == ("active", [])
    site.forget_calls()
    ask(site.relay, site.jira, what="owed")
    site.relay.run_replays()
    assert site.calls("deleteIncidentById") == 0
    # Requested again, and accepted.
    site.answer()
    site.delete("i")
    assert (site.state_of("i"), site.held()) == (["deleted"], set())


def test_a_rejected_submission_does_not_make_its_deletion_rejected(site: Place) -> None:
    site.answer({"kind": "refuse entity", "pattern": "i$", "message": "no"})
    site.submit(incident("i"))
    assert site.state_of("i") == ["rejected"]
    site.delete("i")
    assert site.state_of("i") == ["deleted"]


# --- Containers, as components ---


@pytest.mark.parametrize("fault", POISONS, ids=lambda one: "-".join(map(str, one.values()))[:30])
def test_a_component_that_fails_alone_is_postponed(site: Place, fault: dict[str, Any]) -> None:
    site.answer(fault | {"pattern": "bad$"})

    site.put("a", "bad", "c", "d")

    assert (site.held("component"), site.state) == ({"a", "c", "d"}, "active")
    [debt] = site.debts()
    assert (debt.component_id, debt.tries) == ("bad", 1)
    site.later()
    assert site.state == "active"
    site.answer()
    site.later()
    assert (site.held("component"), site.debts()) == ({"a", "bad", "c", "d"}, [])


def test_components_that_all_fail_delay_no_incident(site: Place) -> None:
    site.answer({"kind": "error", "status": 500, "operations": ["submitComponents"]})

    site.put(*(f"c-{number}" for number in range(20)))
    site.submit(incident("i"))

    assert (site.state_of("i"), site.state) == (["accepted"], "active")
    assert site.calls("submitComponents") <= 4
    site.answer()
    site.later()
    assert len(site.held("component")) == 20


def test_a_component_that_fails_its_request_is_left_out_alone(
    site: Place,
) -> None:
    words = [{"message": "no such tier"}]
    site.answer({"kind": "error", "status": 400, "body": words, "pattern": "bad$"})
    site.put("a", "bad", "c")
    assert (site.held("component"), site.debts(), site.state) == ({"a", "c"}, [], "active")


def test_a_missing_component_counts_as_deleted_and_the_next_ones_are_deleted(site: Place) -> None:
    site.put("a", "b", "c")
    site.answer(
        {"kind": "error", "status": 404, "pattern": "a$", "operations": ["deleteComponentById"]}
    )
    for container_id in "abc":
        site.queue_deletion(container_id)
    assert site.relay.run_queue() == []
    assert (site.held("component"), site.debts(), site.state) == ({"a"}, [], "active")


def test_a_failing_component_is_owed_although_another_is_rejected(site: Place) -> None:
    """A deletion refused as if the module were missing proves nothing about the failing one."""
    site.put("gone")
    site.answer(
        {"kind": "error", "status": 500, "operations": ["submitComponents"]},
        {"kind": "error", "status": 403, "operations": ["deleteComponentById"]},
    )
    site.queue_containers("a")
    site.queue_deletion("gone")
    assert site.relay.run_queue() == []

    assert [debt.component_id for debt in site.debts()] == ["a"]
    site.answer()
    site.later()
    assert (site.held("component"), site.debts()) == ({"a", "gone"}, [])


def test_a_refused_component_deletion_is_owed_if_the_site_accepts_components(site: Place) -> None:
    site.put("gone")
    site.answer({"kind": "error", "status": 403, "operations": ["deleteComponentById"]})
    site.queue_containers("a")
    site.queue_deletion("gone")
    assert site.relay.run_queue() == []

    assert site.held("component") == {"a", "gone"}
    assert [debt.component_id for debt in site.debts()] == ["gone"]
    site.answer()
    site.later()
    assert (site.held("component"), site.debts()) == ({"a"}, [])


def test_a_component_answered_with_404_does_not_stop_the_others(site: Place) -> None:
    site.answer({"kind": "error", "status": 404, "pattern": "bad$"})
    site.put("a", "bad", "c")
    assert (site.held("component"), site.state) == ({"a", "c"}, "active")
    assert [debt.component_id for debt in site.debts()] == ["bad"]


@pytest.mark.parametrize("status", [403, 404])
def test_without_the_module_components_are_abandoned_after_few_calls(
    site: Place, status: int
) -> None:
    names = [f"c-{number}" for number in range(20)]
    site.put(*names)
    site.answer(
        {"kind": "error", "status": status, "operations": ["submitComponents"]},
        {"kind": "error", "status": status, "operations": ["deleteComponentById"]},
    )
    site.forget_calls()

    site.put(*names[1:])
    site.queue_deletion(names[0])
    assert site.relay.run_queue() == []

    assert (site.debts(), site.state) == ([], "active")
    assert site.calls("Component") <= 5


# --- Links ---


def test_unlinking_a_link_that_jira_no_longer_has_succeeds(site: Place) -> None:
    url = f"/v1/sites/{site.jira.id}/workspaces/payments"
    fault = {"kind": "error", "status": 404, "operations": ["deleteWorkspaces"]}
    site.answer(fault)
    # Jira still lists it.
    assert site.relay.provider("DELETE", url).status == 502

    site.jira.simulator.control("POST", f"/sites/{site.jira.name}/forget").raise_for_status()
    assert site.relay.provider("DELETE", url).status == 204
    assert site.relay.links.workspaces_of(site.jira.id) == []
