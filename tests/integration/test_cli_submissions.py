"""`relay submissions`: the effect of what was submitted."""

import json

import pytest

from tests.integration.cli_stage import Stage
from tests.support.entities import incident


def submit(stage: Stage, *incidents: dict[str, object]) -> str:
    content = json.dumps({"incidents": incidents}).encode()
    ran = stage.cli("submit", "operations", "-", "--json", stdin=content)
    [submission_id] = ran.json()["submissionIds"]
    return str(submission_id)


@pytest.fixture
def submitted(stage: Stage) -> list[str]:
    """A submission that was recorded, and one of lost and late updates, processed after it."""
    stage.relay.put_workspace("operations")
    found = []
    for incidents in (
        [incident("a", 2), incident("b", 2)],
        [incident("a", 2, status="resolved"), incident("b", 1)],
    ):
        found.append(submit(stage, *incidents))
        stage.relay.run_queue()
    return found


def test_submissions_are_listed_with_their_effect(stage: Stage, submitted: list[str]) -> None:
    rows = stage.cli("submissions", "list", "operations").rows

    assert [row[3:] for row in rows] == [
        [submitted[1], "2", "0", "0", "0", "1", "1"],
        [submitted[0], "2", "2", "0", "0", "0", "0"],
    ]


def test_a_list_ends_at_its_limit(stage: Stage, submitted: list[str]) -> None:
    page = stage.cli("submissions", "list", "operations", "--limit", "1", "--json").json()
    everything = stage.cli("submissions", "list", "operations", "--all", "--json").json()

    assert page["next"] == submitted[1]
    assert [one["submissionId"] for one in everything["submissions"]] == submitted[::-1]


def test_a_submission_is_shown_with_what_was_lost(stage: Stage, submitted: list[str]) -> None:
    shown = stage.cli("submissions", "show", "operations", submitted[1])

    assert "conflicting 1" in shown.words
    assert shown.out.splitlines()[-2:] == ["outdated: incident b", "conflicting: incident a"]
    as_json = stage.cli("submissions", "show", "operations", submitted[1], "--json").json()
    assert as_json["conflictingEntities"] == [{"kind": "incident", "id": "a"}]


def test_an_unknown_submission_is_explained(stage: Stage, submitted: list[str]) -> None:
    unknown = f"{submitted[0]}x"

    ran = stage.cli("submissions", "show", "operations", unknown, "--json", code=1)

    assert ran.error_code == "unknown_submission"
    bad = stage.cli("submissions", "show", "operations", "deploy-7", code=1)
    assert "not a valid submission id" in bad.err
