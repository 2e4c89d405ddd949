"""What is kept of an entity that the retention has removed, and what arrives afterwards."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from relay import keys
from relay.entities.model import EntityKey
from relay.errors import Unavailable
from relay.record.entry import Head
from relay.record.retention import RetentionStore
from relay.replays.sweeper import Sweeper
from relay.table import Table
from tests.integration.catching_up_stage import DOWN, resume, unlink
from tests.integration.page_stage import page_at
from tests.integration.relay_stage import JiraSite, Relay, Start, install_there
from tests.integration.simulator_stage import Simulator
from tests.integration.test_retention import (
    WORKSPACE,
    days_pass,
    items,
    names,
    record_of,
    resolved,
)
from tests.support.entities import incident, review
from tests.support.lambdas import Context

INCIDENT = f"/v1/workspaces/{WORKSPACE}/incidents/inc-1"


@pytest.fixture
def relay(start: Start, simulator: Simulator) -> Relay:
    return start("empty", WORKSPACE, "search", simulator=simulator, RETENTION_DAYS="1")


def apply_retention(relay: Relay) -> None:
    days_pass(relay)
    relay.sweep()


def removed_items(relay: Relay) -> list[dict[str, Any]]:
    entities = [one for one in items(relay) if one["pk"].startswith("entity#")]
    return [one for one in entities if "removedAt" in one or "expires" in one]


def removing(monkeypatch: pytest.MonkeyPatch, then: Callable[[], object]) -> None:
    """Do something once the next entries are removed, before what belongs to them."""
    remove = RetentionStore.remove

    def removed(
        store: RetentionStore, workspace_id: str, entries: Iterable[Head], removed_at: int
    ) -> set[EntityKey]:
        found = remove(store, workspace_id, entries, removed_at)
        monkeypatch.setattr(RetentionStore, "remove", remove)
        then()
        return found

    monkeypatch.setattr(RetentionStore, "remove", removed)


def test_a_state_that_comes_while_its_entity_is_removed_is_still_owed(
    relay: Relay, site: JiraSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The site is down: only the debt leads to the newer state."""
    relay.submit(WORKSPACE, incidents=[resolved()])

    def reopen() -> None:
        site.simulator.fail(site.name, DOWN)
        relay.submit(WORKSPACE, incidents=[incident(sequence=2, summary="Again")])

    removing(monkeypatch, reopen)
    apply_retention(relay)
    assert names(relay) == names(relay, "debt#") == {"inc#inc-1"}

    site.simulator.fail(site.name)
    resume(relay)
    assert site.held("incident")["inc-1"]["summary"] == "Again"


def test_the_outcome_of_a_state_that_comes_while_its_entity_is_removed_stays(
    relay: Relay, site: JiraSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay.submit(WORKSPACE, incidents=[resolved()])
    removing(monkeypatch, lambda: relay.submit(WORKSPACE, incidents=[incident(sequence=2)]))
    apply_retention(relay)
    [found] = relay.provider("GET", INCIDENT).json()["sites"]
    assert found["state"] == "accepted"
    assert site.held("incident")["inc-1"]["updateSequenceNumber"] >= 2


def test_an_old_state_does_not_return(relay: Relay, site: JiraSite) -> None:
    relay.submit(WORKSPACE, incidents=[resolved(sequence=5)])
    apply_retention(relay)
    [kept] = removed_items(relay)
    assert kept.keys() == {"pk", "sk", "seq", "recordedAt", "removedAt", "expires"}

    for sequence in (3, 5):
        relay.submit(WORKSPACE, incidents=[incident(sequence=sequence)])
    # Not even at a site that has forgotten it.
    site.simulator.control("POST", f"/sites/{site.name}/uninstall").raise_for_status()
    install_there(relay, site.simulator, site.name)
    resume(relay)

    assert site.held("incident") == {}
    assert relay.provider("GET", INCIDENT).status == 404
    assert record_of(relay) == []


def test_a_newer_state_does_not_expire(relay: Relay, site: JiraSite) -> None:
    relay.submit(WORKSPACE, incidents=[resolved(sequence=5)])
    apply_retention(relay)
    relay.submit(WORKSPACE, incidents=[incident(sequence=6, summary="Again")])
    assert site.held("incident")["inc-1"]["summary"] == "Again"
    assert removed_items(relay) == []


@pytest.mark.parametrize("imported", [False, True])
def test_a_deletion_of_what_has_left_deletes_it_in_jira(
    relay: Relay, site: JiraSite, imported: bool
) -> None:
    relay.submit(WORKSPACE, incidents=[resolved(sequence=5)])
    apply_retention(relay)
    if imported:
        deletion = {"kind": "incident", "id": "inc-1", "updateSequenceNumber": 5}
        deletion["deletedAt"] = "2026-01-31T09:45:00Z"
        path = f"/v1/workspaces/{WORKSPACE}/deletions"
        assert relay.provider("POST", path, {"deletions": [deletion]}).json() == {"deleted": 1}
    else:
        assert relay.provider("DELETE", INCIDENT).status == 202
    relay.run_queue()
    assert site.held("incident") == {}
    assert relay.provider("GET", INCIDENT).json()["deleted"] is True
    assert removed_items(relay) == []


def test_the_page_in_jira_counts_what_is_left(relay: Relay, site: JiraSite) -> None:
    relay.submit(WORKSPACE, incidents=[resolved(), incident("open")])
    apply_retention(relay)
    page = page_at(relay, site)
    counts = {"shown": 1, "owed": 0, "refused": 0, "isComplete": True}
    assert page.workspace()["counts"] == counts
    assert page.entities("state=owed")["entities"] == []


def test_pages_are_full_however_many_have_left(relay: Relay) -> None:
    closed = [resolved(f"inc-{number}") for number in range(40)]
    relay.submit(WORKSPACE, incidents=closed)
    apply_retention(relay)
    relay.submit(WORKSPACE, incidents=[incident(f"open-{number}") for number in range(3)])
    path, seen = f"/v1/workspaces/{WORKSPACE}/entities?limit=2", []
    answer = relay.provider("GET", path).json()
    while True:
        seen.append(len(answer["entities"]))
        if not answer.get("next"):
            break
        answer = relay.provider("GET", f"{path}&after={answer['next']}").json()
    assert [number for number in seen if number] == [2, 1]


def test_a_review_stays_as_long_as_an_incident_of_it(relay: Relay) -> None:
    """A draft of the incident would take its place in Jira."""
    made = review("review-of-inc-1", status="completed", reviews=["inc-1", "inc-2"])
    relay.submit(WORKSPACE, incidents=[incident(), resolved("inc-2")], reviews=[made])
    apply_retention(relay)
    assert names(relay) == {"inc#inc-1", "rev#review-of-inc-1"}
    answer = relay.provider("POST", f"{INCIDENT}/review")
    assert answer.json()["review"]["status"] == "completed"

    relay.submit(WORKSPACE, incidents=[resolved(sequence=2)])
    apply_retention(relay)
    assert names(relay) == set()
    assert relay.provider("POST", f"{INCIDENT}/review").status == 404


def test_a_deleted_incident_keeps_no_review(relay: Relay) -> None:
    relay.submit(WORKSPACE, incidents=[resolved()], reviews=[review(status="completed")])
    assert relay.provider("DELETE", INCIDENT).status == 202
    relay.run_queue()
    apply_retention(relay)
    assert names(relay) == {"inc#inc-1"}
    assert relay.provider("POST", f"{INCIDENT}/review").error_code == "unknown_incident"


def test_a_list_with_an_id_of_no_workspace_does_not_end_the_pass(relay: Relay) -> None:
    """The list and the workspace are not written by one batch only."""
    relay.submit("search", incidents=[resolved()])
    catalog = Table(relay.aws.dynamodb, relay.aws.environment["CATALOG_TABLE"])
    catalog.write_all(deletes=[keys.workspace_item(WORKSPACE)])
    apply_retention(relay)
    assert names(relay) == set()
    listed = relay.provider("GET", "/v1/workspaces?limit=2").json()
    assert [one["id"] for one in listed["workspaces"]] == ["empty", "search"]


def test_what_else_fails_in_a_sweep_does_not_stop_the_retention(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay.submit(WORKSPACE, incidents=[resolved()])
    days_pass(relay)

    def fail(*_: object) -> None:
        raise Unavailable("One site can't be swept")

    monkeypatch.setattr(Sweeper, "sweep", fail)
    with pytest.raises(Unavailable):
        relay.gateway.functions["sweeper"].handler({}, Context())
    assert names(relay) == set()


@pytest.mark.parametrize("is_installed", [True, False])
def test_nothing_remains_of_a_link_that_is_gone(
    relay: Relay, site: JiraSite, is_installed: bool
) -> None:
    relay.submit(WORKSPACE, incidents=[resolved()])
    site.simulator.fail(site.name, DOWN)
    relay.submit(WORKSPACE, incidents=[incident("owed")])
    site.simulator.fail(site.name)
    assert names(relay, "outcome#")
    assert names(relay, "debt#")
    if not is_installed:
        site.simulator.control("POST", f"/sites/{site.name}/uninstall").raise_for_status()
    unlink(relay, site)
    relay.let_time_pass()
    relay.run_replays()
    assert names(relay, "outcome#") == names(relay, "debt#") == set()
    assert names(relay) == {"inc#inc-1", "inc#owed"}
