"""Where entities are, and why; lists, deletions, reviews."""

import re
from typing import Any

import pytest

from relay.record.outcomes import OutcomeState
from relay_cli.words import STATES
from tests.integration.cli_stage import (
    Cli,
    Reply,
    Stage,
    replying,
    work,
)
from tests.support.entities import incident, review


def test_the_status_shows_an_incidents_outcome_at_each_site(stage: Stage) -> None:
    stage.link()
    stage.relay.submit("operations", incidents=[incident()], properties={"env": "prod"})

    said = stage.cli("status", "operations", "inc-1", "--confirm").words

    assert "Incident inc-1 workspace operations summary Checkout answers slowly" in said
    assert "status open, P2" in said
    assert "sequence 1" in said
    assert "properties env=prod" in said
    assert "2026-01-31 08:45:00 UTC open P2" in said
    assert f"Site {stage.site.site.base_url} state accepted Jira accepted it." in said
    assert re.search(r"\((now|\d+ seconds? ago)\)", said)
    assert "in Jira now sequence 1, open" in said


def test_a_replayed_state_with_a_raised_sequence_matches_the_record(
    stage: Stage,
) -> None:
    stage.link()
    stage.relay.submit("operations", incidents=[incident()])
    stage.cli("unlink", stage.site.id, "operations")
    stage.cli("link", stage.site.id, "operations")
    work(stage)

    said = stage.cli("status", "operations", "inc-1", "--confirm").words
    assert "in Jira now sequence 2, open: the recorded state, raised from 1" in said


@pytest.mark.parametrize(
    "older",
    [{"updateSequenceNumber": 1}, {"lastUpdated": "2026-01-31T08:00:00Z"}, {"summary": "Before"}],
    ids=str,
)
def test_an_older_state_in_jira_is_recognized(cli: Cli, older: dict[str, Any]) -> None:
    held = incident(sequence=5) | older
    with replying(Reply(body=entity(at_site("accepted", jira=held)))) as server:
        said = cli("status", "operations", "inc-1", "--confirm", RELAY_URL=server.url).words

    assert "not the recorded state, or not yet" in said


def test_the_recorded_state_is_shown_when_jira_cannot_be_reached(stage: Stage) -> None:
    stage.link()
    stage.relay.submit("operations", incidents=[incident()])
    page = {"kind": "error", "status": 403, "body": "<h1>Blocked</h1>"}
    stage.site.simulator.control(
        "PUT", f"/sites/{stage.site.name}/faults", {"faults": [page]}
    ).raise_for_status()

    asked = stage.cli("status", "operations", "inc-1", "--confirm", code=3)
    assert "state accepted" in asked.words
    assert "in Jira now" not in asked.words
    assert "Something other than Jira answered 403" in asked.err
    document = stage.cli("status", "operations", "inc-1", "--confirm", "--json", code=3).json()
    assert document["sites"][0]["state"] == "accepted"


def test_a_list_shows_since_when_and_why_an_entity_is_owed(stage: Stage) -> None:
    stage.link()
    blocked = {"kind": "error", "status": 403, "body": "<h1>Blocked</h1>", "pattern": "bad$"}
    stage.site.simulator.control(
        "PUT", f"/sites/{stage.site.name}/faults", {"faults": [blocked]}
    ).raise_for_status()
    stage.relay.submit("operations", incidents=[incident("bad"), incident("good")])

    owed = stage.cli("status", "operations", "bad", "--json").json()["sites"][0]
    [row] = stage.cli("list", "operations", "--state", "owed").out.splitlines()[1:]
    assert owed["owedSince"][:10] in row
    assert owed["reason"] in row


def test_the_json_is_the_apis_response(stage: Stage) -> None:
    stage.link()
    stage.relay.submit("operations", reviews=[review()])

    document = stage.cli("status", "operations", "rev-1", "--review", "--confirm", "--json").json()

    path = "/v1/workspaces/operations/reviews/rev-1?confirm=true"
    assert document == stage.relay.provider("GET", path).json()
    assert document["sites"][0]["jira"]["id"] == "rev-1"


def test_an_unknown_entity_is_reported(stage: Stage) -> None:
    stage.link()

    ran = stage.cli("status", "operations", "inc-1", code=1)
    assert "There is no incident 'inc-1'" in ran.err
    assert "in Relay's logs: cli-" in ran.err


def test_without_a_site_an_entity_is_recorded_only(stage: Stage) -> None:
    stage.relay.put_workspace("operations")
    stage.relay.submit("operations", incidents=[incident()])

    assert "The workspace is linked to no site" in stage.cli("status", "operations", "inc-1").out
    assert "none linked" in stage.cli("list", "operations").out


def test_an_uninstalled_site_is_the_reason_for_a_debt(stage: Stage) -> None:
    stage.link()
    stage.site.simulator.control("POST", f"/sites/{stage.site.name}/uninstall").raise_for_status()
    stage.relay.submit("operations", incidents=[incident()])

    for key in (stage.cli.key, stage.relay.key_for("operations")):
        said = stage.cli("status", "operations", "inc-1", RELAY_KEY=key).words
        assert "state owed It is recorded in Relay, but not delivered yet." in said
        assert "The site is uninstalled" in said


def test_unknown_project_keys_are_named(stage: Stage) -> None:
    stage.link()
    associations = [{"associationType": "issueIdOrKeys", "values": ["NOPE-1"]}]
    stage.relay.submit("operations", incidents=[incident(associations=associations)])

    said = stage.cli("status", "operations", "inc-1").words
    assert "state unknown project keys Jira ignored it" in said
    assert "projects NOPE" in said
    listed = stage.cli("list", "operations", "--state", "unknown-project-keys").out
    assert "inc-1" in listed
    assert "NOPE" in listed


def test_a_deleted_incident_is_shown_as_deleted(stage: Stage) -> None:
    stage.link()
    stage.relay.submit("operations", incidents=[incident()])

    assert "deleted in Relay" in stage.cli("delete", "operations", "inc-1").out
    before = stage.cli("status", "operations", "inc-1").words
    assert "deleted yes" in before
    assert "It is deleted in Relay, but not at the site yet." in before
    stage.relay.run_queue()
    after = stage.cli("status", "operations", "inc-1", "--confirm").words
    assert "state deleted It is deleted at the site." in after
    assert "in Jira now nothing" in after
    assert stage.site.held("incident") == {}


def test_a_review_is_deleted_as_a_review(stage: Stage) -> None:
    stage.link()
    stage.relay.submit("operations", reviews=[review("same")], incidents=[incident("same")])

    deleted = stage.cli("delete", "operations", "same", "--review", "--json").json()

    assert deleted == {"kind": "review", "id": "same"}
    stage.relay.run_queue()
    assert stage.site.held("review") == {}
    assert stage.site.held("incident").keys() == {"same"}


def test_deleting_by_a_property_asks_first(stage: Stage) -> None:
    stage.link()
    stage.relay.submit("operations", incidents=[incident()], properties={"env": "test"})
    by_property = ("delete", "operations", "--property", "env=test")

    assert "--yes" in stage.cli(*by_property, code=2).err
    assert stage.cli(*by_property, "--yes", "--json").json() == {"deleted": 1}
    assert "0 entities with env=test" in stage.cli(*by_property, "--yes").out
    stage.relay.run_queue()
    assert stage.site.held("incident") == {}


@pytest.mark.parametrize("arguments", [(), ("inc-1", "--property", "env=test")])
def test_a_deletion_names_one_entity_or_several(cli: Cli, arguments: tuple[str, ...]) -> None:
    cli("delete", "operations", *arguments, code=2)


def test_a_review_is_drafted_from_an_incident(stage: Stage) -> None:
    stage.link()
    stage.relay.submit("operations", incidents=[incident()])

    made = stage.cli("review", "operations", "inc-1", "--json").json()["review"]

    assert made["reviews"] == ["inc-1"]
    assert f"Review {made['id']}" in stage.cli("review", "operations", "inc-1").out
    stage.relay.run_queue()
    assert made["id"] in stage.site.held("review")


def test_lists_follow_the_pages(stage: Stage) -> None:
    stage.link()
    stage.relay.submit("operations", incidents=[incident(f"inc-{n:03}") for n in range(150)])

    page = stage.cli("list", "operations", "--limit", "120", "--json").json()
    assert len(page["entities"]) == 120
    after = stage.cli("list", "operations", "--after", page["next"], "--json").json()
    ids = [one["id"] for one in page["entities"] + after["entities"]]
    assert sorted(ids) == [f"inc-{n:03}" for n in range(150)]
    everything = stage.cli("list", "operations", "--all", "--json").json()
    assert len(everything["entities"]) == 150
    assert "next" not in everything
    assert "more than these 120" in stage.cli("list", "operations", "--limit", "120").err
    assert stage.cli("list", "operations", "--state", "owed").err == "There are none.\n"


def test_an_unknown_state_is_refused_and_the_known_ones_listed(stage: Stage) -> None:
    stage.link()

    assert "owed" in stage.cli("list", "operations", "--state", "lost", code=1).err


def at_site(state: str, **fields: Any) -> dict[str, Any]:
    return {
        "site": "0" * 32,
        "baseUrl": "https://acme.atlassian.net",
        "state": state,
        "updateSequenceNumber": 1,
        "at": "2026-01-31T09:45:00+00:00",
        "messages": [],
        "unknownProjectKeys": [],
    } | fields


def entity(*sites: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": "incident",
        "id": "inc-1",
        "updateSequenceNumber": 2,
        "recordedAt": "2026-01-31T09:45:00+00:00",
        "deleted": False,
        "entity": incident(sequence=2),
        "properties": {},
        "timeline": [],
        "sites": list(sites),
    }


@pytest.mark.parametrize("state", [*STATES, "a state of next year"])
def test_every_state_is_explained(cli: Cli, state: str) -> None:
    answer, site = Reply(body=entity(at_site(state))), Reply(body={"state": "active"})
    with replying(answer, site) as server:
        said = cli("status", "operations", "inc-1", RELAY_URL=server.url).words

    assert f"state {state}" in said
    assert STATES.get(state, ("", ""))[1] in said
    assert "Sequence 2 is recorded; the site has answered for 1." in said


@pytest.mark.parametrize("state", list(OutcomeState))
def test_every_stored_state_has_a_description(state: OutcomeState) -> None:
    assert state.value in STATES


def test_a_debt_to_a_healthy_site_says_what_continues_it(cli: Cli) -> None:
    owed = at_site(
        "owed", reason="There was no time left to deliver it.", owedSince="2026-01-31T10:00:00Z"
    )
    site = Reply(body={"state": "active"})
    with replying(Reply(body=entity(owed)), site) as server:
        said = cli("status", "operations", "inc-1", RELAY_URL=server.url).words
        server.replies = [Reply(body=entity(at_site("owed"))), site]
        unknown = cli("status", "operations", "inc-1", RELAY_URL=server.url).words

    assert "why There was no time left to deliver it. owed since 2026-01-31 10:00:00 UTC" in said
    assert "keeps retrying" in unknown


def test_a_postponed_entity_is_shown_with_its_next_attempt(cli: Cli) -> None:
    owed = at_site("owed", reason="Jira answered 500.", until="2026-01-31T10:00:00.000+00:00")
    site = Reply(body={"state": "active"})
    with replying(Reply(body=entity(owed)), site) as server:
        said = cli("status", "operations", "inc-1", RELAY_URL=server.url).words

    assert "why Jira answered 500. The site accepts other entities but fails for this one." in said
    assert "next attempt 2026-01-31 10:00:00 UTC" in said


def test_jiras_messages_and_associations_are_shown(cli: Cli) -> None:
    target = {"ati": "ati:cloud:jira:issue", "ari": "ari:cloud:jira:1:issue/10001", "id": "10001"}
    site = at_site("rejected", messages=["Too old", "Too long"], associations=[target], jira=None)
    with replying(Reply(body=entity(site))) as server:
        said = cli("status", "operations", "inc-1", RELAY_URL=server.url)

    assert "Jira says Too old Jira says Too long" in said.words
    assert "associated issue 10001" in said.words
    assert "in Jira now nothing, or not yet" in said.words


def test_terminal_control_characters_are_escaped(cli: Cli) -> None:
    site = at_site("rejected", messages=["\x1b]0;owned\x07[red]no[/red]\u202e\n\tline"])
    with replying(Reply(body=entity(site))) as server:
        said = cli("status", "operations", "inc-1", RELAY_URL=server.url).out

    assert "\x1b" not in said
    assert "\u202e" not in said
    assert "[red]no[/red]" in said


def test_a_piped_table_is_not_truncated(cli: Cli) -> None:
    message = "Jira said a lot. " * 40
    page = {"entities": [entity(at_site("rejected", messages=[message.strip()]))]}
    with replying(Reply(body=page)) as server:
        said = cli("list", "operations", RELAY_URL=server.url, COLUMNS="40").out

    head, row = said.splitlines()
    assert message.strip() in row
    assert all(line == line.rstrip() for line in (head, row))
