"""What the `relay` command manages: keys, workspaces, containers, sites, links."""

import json
from pathlib import Path

import pytest

from tests.integration.cli_stage import (
    Cli,
    Stage,
)
from tests.integration.relay_stage import install_from
from tests.integration.simulator_stage import Simulator
from tests.integration.webhook_stage import https_hook

PAGE = "https://ops.example.com/operations"


def test_a_key_is_created_used_listed_and_revoked(stage: Stage) -> None:
    made = stage.cli("keys", "make", "--name", "deploys", "--workspace", "operations")
    key = made.out.strip()
    key_id = key.split("_")[1]

    assert made.out == f"{key}\n"
    assert "not shown again" in made.err
    assert key_id in stage.cli("keys", "list").out
    listed = {one["id"]: one for one in stage.cli("keys", "list", "--json").json()["keys"]}
    assert listed[key_id]["workspaces"] == ["operations"]
    stage.cli("workspaces", "list", RELAY_KEY=key)
    assert "not for" in stage.cli("status", "other", "inc-1", RELAY_KEY=key, code=4).err

    # The key itself is accepted, too, and not shown.
    assert key not in stage.cli("keys", "revoke", key).out
    stage.cli("workspaces", "list", RELAY_KEY=key, code=4)


def test_a_key_for_all_workspaces_must_be_requested_explicitly(stage: Stage) -> None:
    before = stage.cli("keys", "list").out
    for options in ((), ("--workspace", "operations", "--all-workspaces")):
        assert "--all-workspaces" in stage.cli("keys", "make", *options, code=2).err
    assert stage.cli("keys", "list").out == before

    key = stage.cli("keys", "make", "--all-workspaces").out.strip()
    stage.cli("sites", "list", RELAY_KEY=key)


def test_the_key_in_use_is_not_revoked_by_mistake(stage: Stage) -> None:
    own = stage.cli.key.split("_")[1]

    assert "--yes" in stage.cli("keys", "revoke", own, code=2).err
    stage.cli("keys", "revoke", own, "--yes")
    stage.cli("keys", "list", code=4)


def test_a_workspace_is_put_shown_listed_and_deleted(stage: Stage) -> None:
    put = stage.cli("workspaces", "put", "operations", "--name", "Ops", "--url", PAGE, "--json")

    assert put.json() == {"id": "operations", "name": "Ops", "url": PAGE}
    assert "Ops" in stage.cli("workspaces", "show", "operations").out
    assert stage.cli("workspaces", "list").rows == [["operations", "Ops", PAGE]]
    assert stage.cli("workspaces", "delete", "operations", "--json").json() == {"id": "operations"}
    gone = stage.cli("workspaces", "show", "operations", "--json", code=1)
    assert gone.error_code == "unknown_workspace"
    assert gone.out == ""
    empty = stage.cli("workspaces", "list")
    assert (empty.out, empty.err) == ("", "There are none.\n")


def test_lists_follow_pages_up_to_a_limit(stage: Stage) -> None:
    for number in range(3):
        stage.relay.put_workspace(f"w-{number}")

    page = stage.cli("workspaces", "list", "--limit", "2", "--json").json()
    assert [one["id"] for one in page["workspaces"]] == ["w-0", "w-1"]
    assert page["next"] == "w-1"
    assert "--all" in stage.cli("workspaces", "list", "--limit", "2").err
    everything = stage.cli("workspaces", "list", "--all", "--json").json()
    assert len(everything["workspaces"]) == 3
    assert "next" not in everything


def test_a_webhook_is_put_with_a_secret_that_is_shown_once(stage: Stage) -> None:
    stage.relay.put_workspace("operations")
    target = "https://ops.example.com/hooks"

    made = stage.cli("workspaces", "webhook", "put", "operations", target)
    assert made.out.startswith("whsec_")
    for arguments in (("show", "operations"), ("operations",)):
        shown = stage.cli("workspaces", "webhook", *arguments)
        assert shown.out == f"{target}\n"
        assert "not been called yet" in shown.err
        as_json = stage.cli("workspaces", "webhook", *arguments, "--json")
        assert as_json.json() == {"url": target, "attempts": []}
    secret = made.out.strip()
    again = stage.cli(
        "workspaces", "webhook", "put", "operations", target, RELAY_WEBHOOK_SECRET=secret
    )
    assert secret not in again.out + again.err
    stage.cli("workspaces", "webhook", "delete", "operations")
    assert "no webhook" in stage.cli("workspaces", "webhook", "show", "operations").out
    bad = stage.cli("workspaces", "webhook", "put", "operations", "http://x.example", code=1)
    assert "https" in bad.err


def test_a_webhook_is_tested_and_its_attempts_are_shown(stage: Stage) -> None:
    stage.relay.put_workspace("operations")
    missing = stage.cli("workspaces", "webhook", "operations", "--test", "--json", code=1)
    assert missing.error_code == "unknown_webhook"
    with https_hook(None) as hook:
        stage.cli("workspaces", "webhook", "put", "operations", hook.url)
        taken = stage.cli("workspaces", "webhook", "operations", "--test")
        assert "Delivered: the webhook answered 204." in taken.out
        [received] = hook.received
        assert received.headers["webhook-id"] in taken.err
        hook.status = 500
        refused = stage.cli("workspaces", "webhook", "test", "operations", code=1)
        assert "It answered 500." in refused.out
    closed = stage.cli("workspaces", "webhook", "operations", "--test", "--json", code=1).json()
    assert closed["delivered"] is False

    shown = stage.cli("workspaces", "webhook", "operations")
    assert [line.split()[3] for line in shown.out.splitlines()[3:]] == ["webhook.test"] * 3
    reasons = ["the connection was refused", "It answered 500.", "answered 204."]
    for line, reason in zip(shown.out.splitlines()[3:], reasons, strict=True):
        assert reason in line


def test_containers_are_put_found_and_deleted(stage: Stage) -> None:
    stage.relay.put_workspace("operations")

    put = ("containers", "put", "operations", "payments/api", "--name", "Überweisung API")
    stage.cli(*put, "--url", PAGE, "--updated", "2026-01-31T09:30:00Z")
    shown = stage.cli("containers", "show", "operations", "payments/api", "--json").json()
    assert shown["id"] == "payments/api"
    assert shown["lastUpdatedDate"] == "2026-01-31T09:30:00Z"
    found = stage.cli("containers", "search", "operations", "uberweis", "--json").json()
    assert [one["id"] for one in found["containers"]] == ["payments/api"]
    assert "payments/api" in stage.cli("containers", "list", "operations").out
    stage.cli("containers", "delete", "operations", "payments/api")
    assert "none" in stage.cli("containers", "search", "operations", "api").err


@pytest.mark.parametrize("form", ["document", "list", "lines", "one"])
def test_containers_are_put_from_a_file(stage: Stage, tmp_path: Path, form: str) -> None:
    stage.relay.put_workspace("operations")
    containers = [
        {"id": f"c-{n}", "name": f"C {n}", "url": PAGE, "lastUpdatedDate": "2026-01-31T09:30:00Z"}
        for n in range(1 if form == "one" else 3)
    ]
    lines = "\n".join(map(json.dumps, containers)) + "\n"
    forms = {"document": json.dumps({"containers": containers}), "list": json.dumps(containers)}
    file = tmp_path / "containers"
    file.write_text(forms.get(form, lines))

    assert (
        f"{len(containers)} container"
        in stage.cli("containers", "put-all", "operations", str(file)).out
    )
    listed = stage.cli("containers", "list", "operations", "--json").json()["containers"]
    assert listed == containers


def test_many_containers_go_in_several_calls(stage: Stage) -> None:
    stage.relay.put_workspace("operations")
    lines = [
        {"id": f"c-{n}", "name": "C", "url": PAGE, "lastUpdatedDate": "2026-01-31T09:30:00Z"}
        for n in range(201)
    ]

    stdin = "\n".join(map(json.dumps, lines)).encode()
    put = stage.cli("containers", "put-all", "operations", "-", "--json", stdin=stdin)

    assert put.json() == {"put": 201}
    listed = stage.cli("containers", "list", "operations", "--all", "--json").json()
    assert len(listed["containers"]) == 201


def test_long_names_are_split_into_several_calls(stage: Stage) -> None:
    stage.relay.put_workspace("operations")

    def put(name: str) -> object:
        lines = [
            {"id": f"c-{n}", "name": name, "url": PAGE, "lastUpdatedDate": "2026-01-31T09:30:00Z"}
            for n in range(120)
        ]
        stdin = "\n".join(map(json.dumps, lines)).encode()
        return stage.cli("containers", "put-all", "operations", "-", "--json", stdin=stdin).json()

    # 30,600 characters in all, and as many that are replaced and unknown to the command.
    assert put("x" * 255) == {"put": 120}
    assert put("C") == {"put": 120}
    listed = stage.cli("containers", "list", "operations", "--all", "--json").json()
    assert {one["name"] for one in listed["containers"]} == {"C"}


@pytest.mark.parametrize("content", ["", "[]", "{", "7", '{"containers": 7}'])
def test_a_file_without_containers_is_refused(cli: Cli, tmp_path: Path, content: str) -> None:
    file = tmp_path / "containers"
    file.write_text(content)

    cli("containers", "put-all", "operations", str(file), code=2)


def test_a_site_is_found_by_any_unique_part_of_its_url(stage: Stage, simulator: Simulator) -> None:
    stage.relay.put_workspace("operations")
    other = install_from(stage.relay, simulator, f"{stage.site.name}-other")
    url = other.site.base_url

    for name in (other.id, url, f"{url}/", f"{other.name.upper()}"):
        assert url in stage.cli("sites", "show", name).out
        stage.cli("link", name, "operations")
    # The first site's whole URL is a prefix of the other's, and still unique as a full match.
    assert stage.site.id in stage.cli("sites", "show", stage.site.site.base_url).out
    both = stage.cli("sites", "show", "127.0.0.1", "--json", code=2)
    assert both.error_code == "ambiguous_site"
    assert stage.cli("link", "nowhere", "operations", "--json", code=2).error_code == "unknown_site"


def test_a_workspace_is_linked_and_unlinked(stage: Stage) -> None:
    stage.relay.put_workspace("operations")

    linked = stage.cli("link", stage.site.name, "operations", "--json").json()
    assert linked == {"site": stage.site.id, "workspaceId": "operations"}
    assert ["operations", "yes", "yes", "no"] in stage.cli("sites", "show", stage.site.name).rows
    unlinked = stage.cli("unlink", stage.site.name, "operations", "--json").json()
    assert unlinked == linked
    assert stage.cli("sites", "show", stage.site.name, "--json").json()["workspaces"] == []
    assert stage.cli("link", stage.site.name, "nothing", "--json", code=1).error_code == (
        "unknown_workspace"
    )


def test_a_workspace_is_offered_and_withdrawn(stage: Stage) -> None:
    stage.relay.put_workspace("operations")

    stage.cli("offer", stage.site.name, "operations")
    assert ["operations", "no", "no", "yes"] in stage.cli("sites", "show", stage.site.name).rows
    stage.cli("withdraw", stage.site.name, "operations")
    assert stage.cli("sites", "show", stage.site.name, "--json").json()["offered"] == []


def test_sites_are_listed_with_their_state(stage: Stage, simulator: Simulator) -> None:
    document = stage.cli("sites", "list", "--json").json()

    assert [site["id"] for site in document["sites"]] == [stage.site.id]
    assert "active" in stage.cli("sites", "list").out
    simulator.control("POST", f"/sites/{stage.site.name}/uninstall").raise_for_status()
    assert "uninstalled" in stage.cli("sites", "list").out


def test_a_sites_details_stay_known_while_jira_does_not_answer(stage: Stage) -> None:
    stage.link()
    stage.site.simulator.control("POST", f"/sites/{stage.site.name}/uninstall")
    # As if Relay had missed the uninstall: Jira now refuses its token.
    stage.relay.install(stage.site.site)

    shown = stage.cli("sites", "show", stage.site.name, code=3)
    assert stage.site.id in shown.out
    assert "401" in shown.err
    assert stage.cli("sites", "show", stage.site.name, "--json", code=3).json()["id"] == (
        stage.site.id
    )


def test_a_key_for_some_workspaces_may_not_link(stage: Stage) -> None:
    stage.relay.put_workspace("operations")
    key = stage.relay.key_for("operations")
    link = ("link", stage.site.id, "operations", "--json")

    assert stage.cli(*link, RELAY_KEY=key, code=2).error_code == "unknown_site"
    stage.link()
    assert stage.cli(*link, RELAY_KEY=key, code=4).error_code == "forbidden"
    assert stage.cli("workspaces", "show", "operations", RELAY_KEY=key).out
