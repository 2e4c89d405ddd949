"""`relay workspaces erase`, `relay workspaces erasure` and `relay find`."""

import time

from relay import keys
from tests.integration.cli_stage import Stage, work
from tests.integration.erasing_stage import change
from tests.support.entities import incident


def test_a_workspace_is_erased_and_its_progress_shown(stage: Stage) -> None:
    stage.link()
    stage.relay.submit("operations", incidents=[incident("inc-1")])

    assert "--yes" in stage.cli("workspaces", "erase", "operations", code=2).err
    begun = stage.cli("workspaces", "erase", "operations", "--yes")
    assert "is being erased" in begun.out
    assert "unlink" in begun.out
    submit = stage.cli("workspaces", "show", "operations", "--json", code=1)
    assert submit.error_code == "being_erased"
    work(stage)
    stage.relay.let_time_pass()
    stage.relay.sweep()

    shown = stage.cli("workspaces", "erasure", "operations")
    assert "is erased" in shown.out
    assert stage.cli("workspaces", "erasure", "operations", "--json").json()["stage"] == "done"
    unknown = stage.cli("workspaces", "erasure", "nope", "--json", code=1)
    assert unknown.error_code == "unknown_workspace"


def test_entities_are_found_by_a_name_in_them(stage: Stage) -> None:
    stage.relay.put_workspace("operations")
    named = incident("inc-1", description="Escalated by **José Müller** at 09:30")
    others = [incident(f"inc-{number}") for number in range(2, 40)]
    stage.relay.submit("operations", incidents=[named, *others], properties={"team": "payments"})

    for text in ("jose muller", "José MÜLLER", "müller"):
        rows = stage.cli("find", text, "--workspace", "operations").rows
        assert [row[:3] for row in rows] == [["operations", "incident", "inc-1"]]
    # Without a workspace, in all.
    stage.relay.put_workspace("another")
    stage.relay.submit("another", incidents=[named])
    everywhere = {row[0] for row in stage.cli("find", "müller").rows}
    assert everywhere >= {"operations", "another"}
    assert stage.cli("find", "nobody", "--json").json() == {"entities": []}
    found = stage.cli("find", "PAYMENTS", "--json").json()["entities"]
    assert {(one["workspaceId"], one["kind"]) for one in found} == {("operations", "incident")}
    assert len(found) == 39
    assert "searched for" in stage.cli("find", " ", code=1).err
    assert "searched for" in stage.cli("find", "x" * 256, code=1).err


def test_sites_that_were_not_reached_are_named(stage: Stage) -> None:
    stage.link()
    stage.site.simulator.fail(stage.site.name, {"kind": "suspended"})
    stage.cli("workspaces", "erase", "operations", "--yes")
    for is_late in (False, True):
        work(stage)
        stage.relay.let_time_pass()
        stage.relay.sweep()
        shown = stage.cli("workspaces", "erasure", "operations")
        assert f"Not reached: site {stage.site.id}. Jira answered 503" in shown.out
        if not is_late:
            place = keys.workspace_item("operations")
            change(stage.relay, place, startedAt=int(time.time() * 1000) - 14 * 86_400_000)
    assert "is erased" in shown.out
    assert "was not deleted there" in shown.err


def test_a_site_is_forgotten_and_its_progress_shown(stage: Stage) -> None:
    site = stage.site
    assert stage.cli("sites", "forget", site.id, "--yes", "--json", code=1).error_code == (
        "installed"
    )
    assert site.simulator.control("POST", f"/sites/{site.name}/uninstall").status_code == 200
    assert "--yes" in stage.cli("sites", "forget", site.id, code=2).err
    assert f"Site {site.id} is being erased." in stage.cli("sites", "forget", site.id, "--yes").out
    stage.relay.let_time_pass()
    stage.relay.sweep()
    assert "is erased" in stage.cli("sites", "erasure", site.id).out
    assert "is erased" in stage.cli("sites", "forget", site.id).out
    assert stage.cli("sites", "forget", "0" * 32, "--yes", code=2).err


def test_a_site_that_is_gone_is_forgotten(stage: Stage) -> None:
    stage.link()
    again = stage.cli("sites", "forget", stage.site.id, "--gone", "--yes", "--json", code=1)
    assert again.error_code == "installed"
    stage.site.simulator.fail(stage.site.name, {"kind": "error", "status": 404})
    found = stage.cli("sites", "forget", stage.site.id, "--gone", "--yes")
    assert f"Site {stage.site.id} is being erased." in found.out
