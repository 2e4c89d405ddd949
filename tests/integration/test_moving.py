"""A workspace moves to another deployment, by the steps of docs/operator.md, "Move a workspace"."""

from pathlib import Path
from typing import Any

import pytest

from tests.integration.catching_up_stage import ask, put_link, unlink
from tests.integration.cli_stage import Stage
from tests.integration.relay_stage import JiraSite, Relay, Start, install_from
from tests.integration.simulator_stage import Simulator
from tests.support.entities import incident, review

OLD, NEW = "old", "new"
DELETION = {"kind": "incident", "id": "inc-1", "updateSequenceNumber": 9}


@pytest.fixture
def moved(stage: Stage, tmp_path: Path) -> Any:
    """Exports the old workspace, and imports it into the new one."""
    file = tmp_path / "export.jsonl"

    def move() -> None:
        file.write_bytes(stage.cli("export", OLD).out.encode())
        stage.cli("import", str(file), "--workspace", NEW)
        stage.relay.run_queue()

    for workspace in (OLD, NEW):
        stage.relay.put_workspace(workspace)
    return move


def deleted(stage: Stage, workspace: str) -> dict[str, bool]:
    listed = stage.relay.provider("GET", f"/v1/workspaces/{workspace}/entities").json()
    return {one["id"]: one["deleted"] for one in listed["entities"]}


@pytest.mark.parametrize("is_known", [True, False])
def test_what_is_deleted_in_the_new_deployment_stays_deleted(
    stage: Stage, moved: Any, is_known: bool
) -> None:
    """The old one still takes a state before the tool switches, and the new one deletes it."""
    if is_known:
        stage.relay.submit(OLD, incidents=[incident(sequence=5)])
        moved()
    stage.relay.submit(OLD, incidents=[incident(sequence=6)])
    stage.cli("delete", NEW, "inc-1")
    moved()
    assert deleted(stage, NEW) == {"inc-1": True}


def test_what_is_submitted_after_the_deletion_is_restored(stage: Stage, moved: Any) -> None:
    stage.relay.submit(OLD, incidents=[incident(sequence=5), incident("other")])
    stage.cli("delete", OLD, "inc-1")
    moved()
    stage.relay.submit(OLD, incidents=[incident(sequence=6)])
    moved()
    assert deleted(stage, NEW) == {"inc-1": False, "other": False}


def test_a_state_keeps_its_time_however_often_it_is_imported(stage: Stage, moved: Any) -> None:
    stage.relay.submit(OLD, incidents=[incident()], reviews=[review()])
    moved()
    stage.relay.submit(OLD, incidents=[incident("inc-2")])
    moved()
    old, new = (
        {
            line["entity"]["id"]: line["acceptedAt"]
            for kind in ("incidents", "reviews")
            for line in stage.relay.provider("GET", f"/v1/workspaces/{one}/export").json()[kind]
        }
        for one in (OLD, NEW)
    )
    assert old == new
    assert old["inc-1"] < old["inc-2"]


def test_a_time_for_each_state_or_none(stage: Stage) -> None:
    stage.relay.put_workspace(NEW)
    path = f"/v1/workspaces/{NEW}/submissions"
    body: dict[str, Any] = {"incidents": [incident(), incident("inc-2")]}
    for times in (["2026-01-31T09:45:00Z"], ["2026-01-31T09:45:00Z", "yesterday"]):
        answer = stage.relay.provider("POST", path, body | {"acceptedAt": {"incidents": times}})
        assert answer.status == 400
    body |= {"reviews": [review()], "acceptedAt": {"incidents": ["9999-01-01T00:00:00Z"] * 2}}
    assert stage.relay.provider("POST", path, body).status == 202
    stage.relay.run_queue()
    exported = stage.relay.provider("GET", f"/v1/workspaces/{NEW}/export").json()
    times = [one["acceptedAt"] for kind in ("incidents", "reviews") for one in exported[kind]]
    assert len(times) == 3
    assert all("2026" < time < "9999" for time in times)


@pytest.fixture(params=["off", "on"], ids=["with keys", "plain ids"])
def relay(request: pytest.FixtureRequest, start: Start, simulator: Simulator) -> Relay:
    return start(OLD, NEW, simulator=simulator, PLAIN_IDS=request.param)


@pytest.fixture(params=["forgotten", "remembered"])
def site(request: pytest.FixtureRequest, relay: Relay, simulator: Simulator) -> JiraSite:
    simulator.set(sequencesAfterDeletion=request.param)
    return install_from(relay, simulator)


def shown(site: JiraSite) -> dict[str, str]:
    """The summaries in Jira by own id, with a workspace's key in front or not."""
    held = site.at_site("incident") | site.at_site("review")
    return {one.rpartition(".")[2]: entity["summary"] for one, entity in held.items()}


def test_jira_shows_what_the_record_holds(relay: Relay, site: JiraSite) -> None:
    """Whatever Jira remembers of the sequences that the old deployment sent: these were raised by
    three replays of everything, and by no more than those in the new one."""
    put_link(relay, site, OLD)
    entities: dict[str, Any] = {
        "incidents": [incident(summary="Moved"), incident("inc-2", summary="Moved")],
        "reviews": [review(summary="Moved")],
    }
    relay.submit(OLD, **entities)
    for _ in range(3):
        ask(relay, site, what="all", workspaceId=OLD)
        relay.run_replays()
    # The copy.
    relay.submit(NEW, **entities)

    unlink(relay, site, OLD)
    relay.let_time_pass()
    relay.run_replays()
    assert shown(site) == {}
    put_link(relay, site, NEW)
    for _ in range(4):
        ask(relay, site, what="all", workspaceId=NEW)
    relay.run_replays()

    assert shown(site) == {"inc-1": "Moved", "inc-2": "Moved", "rev-1": "Moved"}
    for one in ("incidents/inc-1", "incidents/inc-2", "reviews/rev-1"):
        found = relay.provider("GET", f"/v1/workspaces/{NEW}/{one}?confirm=true").json()
        assert found["sites"][0]["jira"]
