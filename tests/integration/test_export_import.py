"""`relay export` and `relay import`: a workspace's way into another workspace or deployment."""

from collections.abc import Callable

import pytest

from relay_cli import importing
from tests.integration.cli_stage import Stage
from tests.integration.export_stage import (
    DELETED_AT,
    DELETION,
    NEW,
    OLD,
    entities_in,
    export_of,
    exported,
    fill,
    moved,
)
from tests.integration.relay_stage import install_from
from tests.support.entities import incident

# --- The whole way ---


def test_jira_ends_with_the_same_entities(
    stage: Stage, export_file: Callable[[bytes], str]
) -> None:
    # GIVEN a workspace that a site shows
    fill(stage)
    stage.link()
    stage.relay.run_replays()
    # WHEN it is imported into another workspace, which is then linked to another site
    name = export_file(exported(stage))
    answer = moved(stage, name).json()
    stage.relay.run_queue()
    other = install_from(stage.relay, stage.site.simulator)
    stage.cli("link", other.id, NEW)
    stage.relay.run_replays()
    # THEN record, catalog and Jira are the same
    counts = {"container": 2, "incident": 2, "review": 1, "deletion": 3}
    assert answer["imported"] == counts
    assert entities_in(stage, NEW) == entities_in(stage, OLD)
    for kind in ("incident", "review"):
        assert other.held(kind) == stage.site.held(kind)
        assert other.products(kind) == stage.site.products(kind)
    assert other.held("incident").keys() == {"inc-1", "inc-2"}
    path = "/v1/workspaces/{}/containers"
    lists = [stage.relay.provider("GET", path.format(one)).json() for one in (OLD, NEW)]
    assert lists[0] == lists[1]
    assert stage.relay.provider("GET", f"/v1/workspaces/{NEW}").json()["name"] == OLD.title()
    # AND what the copy exports is what was imported
    assert sorted(exported(stage, NEW).splitlines()[1:]) == sorted(exported(stage).splitlines()[1:])


def test_importing_twice_is_importing_once(
    stage: Stage, export_file: Callable[[bytes], str]
) -> None:
    fill(stage)
    name = export_file(exported(stage))
    moved(stage, name)
    stage.relay.run_queue()
    stage.relay.let_delays_pass()
    stage.relay.run_queue()
    stage.cli("link", stage.site.id, NEW)
    stage.relay.run_replays()
    before, shown = entities_in(stage, NEW), stage.site.held("incident")
    calls = len(stage.site.calls())

    moved(stage, name)

    stage.relay.run_queue()
    stage.relay.let_delays_pass()
    stage.relay.run_queue()
    assert entities_in(stage, NEW) == before
    assert stage.site.held("incident") == shown
    # Not even the deletions are sent again.
    assert len(stage.site.calls()) == calls


def test_a_newer_state_stays(stage: Stage, export_file: Callable[[bytes], str]) -> None:
    """In the new deployment, the tool has already gone on."""
    fill(stage)
    name = export_file(exported(stage))
    stage.relay.put_workspace(NEW)
    newer = incident("inc-1", 2, summary="Newer")
    again = incident("inc-3", -3, summary="Again")
    stage.relay.submit(NEW, incidents=[newer, again, incident("never", -(2**63))])

    moved(stage, name)

    stage.relay.run_queue()
    found = entities_in(stage, NEW)
    assert found["incident", "inc-1"]["entity"] == newer
    assert found["incident", "inc-3"]["entity"] == again
    assert found["incident", "never"]["deleted"] is False
    assert found["incident", "inc-2"] == entities_in(stage, OLD)["incident", "inc-2"]


def test_a_second_export_brings_what_happened_since_the_first(
    stage: Stage, export_file: Callable[[bytes], str]
) -> None:
    fill(stage)
    moved(stage, export_file(exported(stage)))
    stage.relay.run_queue()
    stage.relay.submit(OLD, incidents=[incident("inc-1", 7), incident("inc-4")])
    stage.cli("delete", OLD, "rev-1", "--review")
    moved(stage, export_file(exported(stage)))
    stage.relay.run_queue()
    assert entities_in(stage, NEW) == entities_in(stage, OLD)


def test_a_deletion_keeps_its_sequence_and_its_time(stage: Stage) -> None:
    """So a state is restored by the same states as where it was deleted."""
    stage.relay.put_workspace(NEW)
    path = f"/v1/workspaces/{NEW}/deletions"
    deletion = DELETION | {"deletedAt": DELETED_AT}
    for expected in (1, 0):
        answer = stage.relay.provider("POST", path, {"deletions": [deletion]})
        assert (answer.status, answer.json()) == (202, {"deleted": expected})
    page = stage.relay.provider("GET", f"/v1/workspaces/{NEW}/export").json()
    assert page == {"incidents": [], "reviews": [], "deletions": [deletion]}

    stage.relay.submit(NEW, incidents=[incident(sequence=5)])
    assert entities_in(stage, NEW)["incident", "inc-1"]["deleted"] is True

    stage.relay.submit(NEW, incidents=[incident(sequence=6)])
    assert entities_in(stage, NEW)["incident", "inc-1"]["deleted"] is False
    # The deletion is older than that state.
    assert stage.relay.provider("POST", path, {"deletions": [deletion]}).json() == {"deleted": 0}


def test_a_deletion_from_the_future_does_not_refuse_every_state(stage: Stage) -> None:
    stage.relay.put_workspace(NEW)
    deletion = DELETION | {"deletedAt": "9999-12-31T23:59:59Z"}
    path = f"/v1/workspaces/{NEW}/deletions"
    assert stage.relay.provider("POST", path, {"deletions": [deletion]}).status == 202
    page = stage.relay.provider("GET", f"/v1/workspaces/{NEW}/export").json()
    assert page["deletions"][0]["deletedAt"] < "2100"


def test_an_imported_deletion_reaches_a_linked_site(
    stage: Stage, export_file: Callable[[bytes], str]
) -> None:
    stage.link(NEW)
    stage.relay.submit(NEW, incidents=[incident(sequence=5)])
    assert stage.site.held("incident")
    moved(stage, export_file(export_of({"deletion": DELETION | {"deletedAt": DELETED_AT}})))
    stage.relay.run_queue()
    assert not stage.site.held("incident")


def test_pages_of_any_size_give_the_same_lines(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(stage)
    whole = sorted(exported(stage).splitlines()[1:])
    for name, value in (("EXPORT_ENTITIES_MAX", 1), ("EXPORT_BYTES_MAX", 1)):
        with monkeypatch.context() as limited:
            function = stage.relay.gateway.functions["entities"]
            limited.setattr(function, name, value)
            assert sorted(exported(stage).splitlines()[1:]) == whole


def test_a_pipe_needs_no_file(stage: Stage) -> None:
    fill(stage)
    stage.cli("import", "-", "--workspace", NEW, stdin=exported(stage))
    stage.relay.run_queue()
    assert entities_in(stage, NEW) == entities_in(stage, OLD)


def test_states_with_the_same_properties_share_a_call(
    stage: Stage, export_file: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However they are mixed; and a call holds no more than is collected."""
    lines = [
        {"incident": incident(f"inc-{number}"), "properties": {"team": "ab"[number % 2]}}
        for number in range(10)
    ]
    name = export_file(export_of(*lines))
    moved(stage, name)
    assert len(stage.relay.waiting()) == 2
    monkeypatch.setattr(importing, "_COLLECTED_BYTES_MAX", 1)
    moved(stage, name)
    assert len(stage.relay.waiting()) == 10


# --- Sources and webhook ---


def test_sources_get_new_urls_and_lack_their_secrets(
    stage: Stage, export_file: Callable[[bytes], str]
) -> None:
    fill(stage)
    secret = "the secret that PagerDuty shows"
    made = ("sources", "add", OLD, "pd", "--kind", "pagerduty", "--component", "db")
    stage.cli(*made, RELAY_SOURCE_SECRET=secret)
    stage.cli("sources", "add", OLD, "am", "--kind", "alertmanager")
    stage.cli("workspaces", "webhook", "put", OLD, "https://example.com/hook")
    content = exported(stage)
    assert b"PagerDuty shows" not in content
    assert b"whsec" not in content

    name = export_file(content)
    ran = stage.cli("import", name, "--workspace", NEW)

    assert f"relay sources secret {NEW} pd" in ran.out
    assert f"relay sources secret {NEW} am" not in ran.out
    assert f"relay workspaces webhook put {NEW} https://example.com/hook" in ran.out
    for source in ("pd", "am"):
        path = "/v1/workspaces/{}/sources/" + source
        old, new = (stage.relay.provider("GET", path.format(one)).json() for one in (OLD, NEW))
        assert (old["kind"], old["settings"]) == (new["kind"], new["settings"])
    # Another import does not touch them.
    assert moved(stage, name).json()["sources"] == []


def test_a_source_of_an_unknown_kind_is_an_error_after_everything_else(
    stage: Stage, export_file: Callable[[bytes], str]
) -> None:
    source = {"id": "x", "kind": "newer", "settings": {}, "hasSecret": False}
    name = export_file(export_of({"incident": incident(), "properties": {}}, {"source": source}))
    ran = moved(stage, name, code=2)
    assert "There is no kind 'newer'" in ran.err
    stage.relay.run_queue()
    assert entities_in(stage, NEW)
