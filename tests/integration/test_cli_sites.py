"""What `relay sites` shows for a site in trouble, and for a superseded one."""

from typing import Any

import pytest

from relay.delivery.decisions import NOT_JIRA, SUSPENDED, TABLE, Reaction
from relay_cli.troubles import TROUBLES, site_state
from relay_cli.words import parsed_moment
from tests.integration.cli_stage import (
    Cli,
    Reply,
    Stage,
    replying,
    work,
)
from tests.integration.relay_stage import JiraSite, install_from, install_there
from tests.integration.simulator_stage import Simulator
from tests.support.entities import incident
from tests.support.lifecycle import Site

OLD, NEW = "0" * 32, "1" * 32
URL = "https://acme.atlassian.net"
LONG_AGO = "2026-01-31T09:30:00+00:00"
NO_LINKS = Reply(body={"workspaces": [], "inJira": [], "offered": []})


def site(state: str = "active", **fields: Any) -> dict[str, Any]:
    return {
        "id": OLD,
        "clientKey": "key-1",
        "baseUrl": URL,
        "installedAt": LONG_AGO,
        "state": state,
    } | fields


def trouble(code: str, message: str = "Jira answered 429", **fields: Any) -> dict[str, Any]:
    return {
        "code": code,
        "message": message,
        "since": LONG_AGO,
        "until": "2026-01-31T12:03:00+00:00",
        "attempts": 7,
    } | fields


def shown(cli: Cli, *sites: dict[str, Any], arguments: tuple[str, ...] = ("show", OLD)) -> Any:
    with replying(Reply()) as server:
        server.by_path = {
            "/v1/sites": Reply(body={"sites": list(sites)}),
            f"/v1/sites/{OLD}/workspaces": NO_LINKS,
        }
        return cli("sites", *arguments, RELAY_URL=server.url)


def test_a_slowed_site_shows_until_when_and_why(cli: Cli) -> None:
    slowed = site("slowed", trouble=trouble("rate_limited", status=429))

    listed = shown(cli, slowed, arguments=("list",))
    said = shown(cli, slowed).words

    assert "slowed until 2026-01-31 12:03:00 UTC: rate limited" in listed.out
    assert "relay sites show SITE" in listed.err
    assert "why Jira answered 429" in said
    assert "next try 2026-01-31 12:03:00 UTC attempts 7" in said
    assert "to do No action is needed" in said


def test_a_time_today_is_shown_without_its_date() -> None:
    slowed = site("slowed", trouble=trouble("site_down"))
    now = parsed_moment("2026-01-31T00:00:00Z")

    assert str(site_state(slowed, now)) == "slowed until 12:03:00 UTC: the site is down"


def test_a_site_that_needs_attention_shows_since_when_and_jiras_answer(cli: Cli) -> None:
    refused = site("needs attention", trouble=trouble("credential_refused", status=401))

    listed = shown(cli, refused, arguments=("list",)).out
    assert "needs attention since 2026-01-31 09:30:00 UTC: Jira answered 401" in listed
    assert "The site's admin must install the app again" in shown(cli, refused).words


def test_a_superseded_site_says_how_to_move_its_links(cli: Cli) -> None:
    refused = trouble("credential_refused", status=401)
    old = site("needs attention", trouble=refused, supersededBy=NEW)

    said = shown(cli, old, site(id=NEW)).words

    assert f"superseded by {NEW}" in said
    assert f"relay sites move {OLD} {NEW}" in said


def test_an_uninstalled_installation_with_a_successor_shows_both(cli: Cli) -> None:
    old = site("uninstalled", supersededBy=NEW)
    listed = shown(cli, old, site(id=NEW), arguments=("list",))

    assert "uninstalled, superseded" in listed.out
    assert "relay sites show SITE" in listed.err


def test_an_active_site_needs_no_action(cli: Cli) -> None:
    listed = shown(cli, site(), arguments=("list",))

    assert "active" in listed.out
    assert listed.err == ""
    assert "to do" not in shown(cli, site()).out


@pytest.mark.parametrize("code", [*TROUBLES, "a code of next year"])
@pytest.mark.parametrize("state", ["slowed", "needs attention"])
def test_every_trouble_is_explained(cli: Cli, code: str, state: str) -> None:
    words, hint = TROUBLES.get(code, (code, "log"))

    said = shown(cli, site(state, trouble=trouble(code))).words

    assert words in said
    assert hint in said


@pytest.mark.parametrize(
    "code",
    [row.code for row in (*TABLE, SUSPENDED, NOT_JIRA) if row.reaction is not Reaction.SPLIT],
)
def test_every_stored_trouble_has_a_description(code: str) -> None:
    assert code in TROUBLES


def test_the_json_is_the_apis_response(cli: Cli) -> None:
    slowed = site("slowed", trouble=trouble("site_down"))

    assert shown(cli, slowed, arguments=("list", "--json")).json() == {"sites": [slowed]}


def test_a_url_shared_by_two_installations_means_the_installed_one(cli: Cli) -> None:
    old, new = site(supersededBy=NEW), site(id=NEW)
    with replying(Reply()) as server:
        server.by_path = {
            "/v1/sites": Reply(body={"sites": [old, new]}),
            f"/v1/sites/{NEW}/workspaces": NO_LINKS,
            f"/v1/sites/{OLD}/workspaces": NO_LINKS,
        }
        for name, found in ((URL, NEW), ("acme", NEW), (OLD, OLD), (NEW, NEW)):
            document = cli("sites", "show", name, "--json", RELAY_URL=server.url).json()
            assert document["id"] == found


def test_two_active_installations_are_named_by_their_ids(cli: Cli) -> None:
    with replying(Reply(body={"sites": [site(), site(id=NEW)]})) as server:
        ran = cli("sites", "show", URL, RELAY_URL=server.url, code=2)

    assert OLD in ran.err
    assert NEW in ran.err


def test_a_site_cannot_supersede_itself(cli: Cli) -> None:
    with replying(Reply(body={"sites": [site(supersededBy=NEW), site(id=NEW)]})) as server:
        assert "its id" in cli("sites", "move", URL, NEW, RELAY_URL=server.url, code=2).err
        assert [method for method, _ in server.calls] == ["GET", "GET"]


def fail(stage: Stage, kind: str, **fields: Any) -> None:
    """Make the site answer with this fault, and let Relay notice."""
    stage.site.simulator.fail(stage.site.name, {"kind": kind, **fields})
    stage.relay.submit("operations", incidents=[incident()])


def test_a_rate_limited_site_is_shown_as_slowed_and_so_is_its_owed_entity(stage: Stage) -> None:
    stage.link()
    fail(stage, "rate limit", retryAfter="600")

    [listed] = stage.cli("sites", "list", "--json").json()["sites"]
    assert (listed["state"], listed["trouble"]["code"]) == ("slowed", "rate_limited")
    assert "slowed until " in stage.cli("sites", "list").out
    status = stage.cli("status", "operations", "inc-1").words
    assert "state owed It is recorded in Relay, but not delivered yet." in status
    assert "why Jira answered 429" in status
    assert TROUBLES["rate_limited"][1] in status
    assert "owed since 20" in status


def test_a_site_whose_secret_is_refused_needs_attention_everywhere(stage: Stage) -> None:
    stage.link()
    fail(stage, "revoked secret")

    # Jira is asked for the links and refuses that, too.
    shown = stage.cli("sites", "show", stage.site.name, code=3)
    assert "needs attention since " in shown.out
    assert "Jira answered 401" in shown.out
    assert TROUBLES["credential_refused"][1] in shown.words
    doctor = stage.cli("doctor", "--json", code=1).json()["findings"]
    [found] = [one for one in doctor if one["check"].startswith("site ")]
    assert (found["level"], found["action"]) == ("fail", TROUBLES["credential_refused"][1])
    assert "needs attention: Jira answered 401" in found["message"]


def test_a_slowed_site_is_only_a_warning(stage: Stage) -> None:
    stage.link()
    fail(stage, "suspended")

    doctor = stage.cli("doctor", "--json").json()["findings"]
    [found] = [one for one in doctor if one["check"].startswith("site ")]
    assert (found["level"], found["action"]) == ("warn", TROUBLES["site_down"][1])
    assert "the next attempt is at" in found["message"]


def import_site(stage: Stage, *workspaces: str) -> tuple[str, JiraSite]:
    """A site whose old installation, with this id, left without notice; these workspaces are linked
    to it.
    """
    name = f"{stage.site.name}-imported"
    url = stage.site.simulator.create(name)["baseUrl"]
    old = stage.relay.install(Site("before-the-import", url, "s" * 32))
    for workspace in workspaces:
        stage.relay.put_workspace(workspace)
        stage.relay.links.link(old.id, workspace)
    return old.id, install_there(stage.relay, stage.site.simulator, name)


def test_a_newer_installation_supersedes_an_uninstalled_one(stage: Stage) -> None:
    old, new = import_site(stage, "operations", "payments")
    stage.relay.submit("operations", incidents=[incident()])

    shown = stage.cli("sites", "show", old, code=3).words
    assert "needs attention since " in shown
    assert f"superseded by {new.id}" in shown
    assert f"relay sites move {old} {new.id}" in shown
    found = stage.cli("doctor", "--json", code=1).json()["findings"]
    assert f"relay sites move {old} {new.id}" in str(found)
    moved = stage.cli("sites", "move", old, new.site.base_url)

    assert "2 workspaces are now linked to" in moved.out
    assert "operations, payments" in moved.out
    found = stage.cli("replays", new.id, "--json").json()["replays"]
    assert [(one["workspaceId"], one["why"]) for one in found] == [
        ("operations", "linked"),
        ("payments", "linked"),
    ]
    work(stage)
    assert new.held("incident").keys() == {"inc-1"}
    assert stage.cli("sites", "move", old, new.id, "--json").json() == {"moved": []}
    assert "so none was moved" in stage.cli("sites", "move", old, new.id).out


def test_a_move_to_a_site_without_the_app_is_refused(stage: Stage, simulator: Simulator) -> None:
    stage.link()
    other = install_from(stage.relay, simulator, f"{stage.site.name}-gone")
    simulator.control("POST", f"/sites/{other.name}/uninstall").raise_for_status()

    refused = stage.cli("sites", "move", stage.site.id, other.id, "--json", code=1)

    assert refused.error_code == "uninstalled"
    assert stage.cli("sites", "show", stage.site.id, "--json").json()["workspaces"] == [
        "operations"
    ]


def test_a_key_for_some_workspaces_sees_its_own_links_and_replays(stage: Stage) -> None:
    for workspace in ("operations", "payments"):
        stage.link(workspace)
    stage.relay.links.offer(stage.site.id, "operations")
    work(stage)
    key = stage.relay.key_for("operations")

    listed = stage.cli("sites", "list", "--json", RELAY_KEY=key).json()["sites"]
    assert listed == [{"id": stage.site.id, "baseUrl": stage.site.site.base_url, "state": "active"}]
    assert stage.site.id in stage.cli("sites", "list", RELAY_KEY=key).out
    shown = stage.cli("sites", "show", stage.site.id, "--json", RELAY_KEY=key).json()
    assert shown == listed[0] | {
        "workspaces": ["operations"],
        "inJira": ["operations"],
        "offered": ["operations"],
    }
    assert "payments" not in stage.cli("sites", "show", stage.site.id, RELAY_KEY=key).out
    found = stage.cli("replays", stage.site.id, "--json", RELAY_KEY=key).json()["replays"]
    assert [(one["workspaceId"], one["state"]) for one in found] == [("operations", "done")]
    stage.cli("link", stage.site.id, "operations", code=4, RELAY_KEY=key)


def test_the_entities_owed_to_a_site_are_listed(stage: Stage) -> None:
    stage.link()
    work(stage)
    key = stage.relay.key_for("operations")
    fault = {"kind": "rate limit", "retryAfter": "600"}
    stage.site.simulator.fail(stage.site.name, fault)
    stage.relay.submit("operations", incidents=[incident("inc-1"), incident("inc-2")])

    [site] = stage.cli("workspaces", "sites", "operations", "--json", RELAY_KEY=key).json()["sites"]
    assert (site["state"], site["owed"]) == ("slowed", 2)
    assert site["trouble"]["message"] == "Jira answered 429"
    assert site["trouble"]["until"]
    assert site["replay"]["state"] == "waiting"
    line = stage.cli("workspaces", "sites", "operations", RELAY_KEY=key).out.splitlines()[1]
    assert "slowed until" in line
    assert line.split()[-2:] == ["2", "waiting"]
    stage.cli("workspaces", "sites", "others", code=4, RELAY_KEY=key)
    stage.relay.put_workspace("others")
    assert stage.cli("workspaces", "sites", "others", "--json").json() == {"sites": []}
