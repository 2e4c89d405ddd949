"""`relay workspaces erase`, `relay workspaces erasure` and `relay find`."""

from tests.integration.cli_stage import Stage, work
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
        assert [row[1] for row in stage.cli("find", "operations", text).rows] == ["inc-1"]
    assert stage.cli("find", "operations", "nobody", "--json").json() == {"entities": []}
    assert len(stage.cli("find", "operations", "PAYMENTS", "--json").json()["entities"]) == 39
    assert "sought" in stage.cli("find", "operations", " ", code=1).err
    assert "sought" in stage.cli("find", "operations", "x" * 256, code=1).err


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
    assert stage.cli("sites", "forget", site.id, "--yes", code=2).err
