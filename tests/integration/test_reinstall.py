"""A site that starts over has everything again, without the operations tool's help."""

import itertools
import json
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from relay.delivery.decisions import TABLE, Reaction
from relay.edge.site_documents import REFUSED_CALLS
from relay.jira.client import JiraClient, http_client
from relay.jira.credentials import ConnectCredential
from tests.integration.catching_up_stage import (
    DOWN,
    ask,
    before_call,
    debts,
    forget_calls,
    progress,
    put_link,
    resume,
    sent,
    sequences,
    states,
    step,
    summaries,
    unlink,
)
from tests.integration.relay_stage import (
    JiraSite,
    Relay,
    install_from,
    install_there,
    new_name,
)
from tests.integration.simulator_stage import Simulator, until
from tests.support.aws_calls import AwsCalls, unreachable
from tests.support.entities import incident, review
from tests.support.lambdas import APP_KEY, Answer, Context
from tests.support.lifecycle import INSTALLED, UNINSTALLED, Site
from tests.support.tokens import InstallKey, claims, signed_install


@pytest.fixture(params=["forgotten", "remembered"])
def either_reading(request: pytest.FixtureRequest, simulator: Simulator) -> Iterator[str]:
    """Jira does not document whether it remembers the sequences of what it deleted."""
    simulator.set(sequencesAfterDeletion=request.param)
    yield request.param
    simulator.set(sequencesAfterDeletion="forgotten")


@pytest.fixture
def points(either_reading: str) -> Iterator[int]:
    """Every third call to AWS; each of the two cases has its own, because there are many."""
    return itertools.count(1 if either_reading == "remembered" else 0, 3)


@pytest.fixture
def site(relay: Relay, simulator: Simulator) -> JiraSite:
    """A new site with Relay, linked to a workspace."""
    site = install_from(relay, simulator)
    put_link(relay, site)
    relay.run_replays()
    return site


def uninstall(site: JiraSite) -> None:
    site.simulator.control("POST", f"/sites/{site.name}/uninstall").raise_for_status()
    assert sequences(site) == {}


def reinstall(relay: Relay, site: JiraSite) -> None:
    """Reinstall with a new secret, as Jira does."""
    assert install_there(relay, site.simulator, site.name).id == site.id


def start_over(relay: Relay, site: JiraSite) -> None:
    """Uninstall and install again; Relay misses the uninstall."""
    site.simulator.control("POST", f"/sites/{site.name}/forget").raise_for_status()
    reinstall(relay, site)


def next_second() -> None:
    """Wait: two lifecycle calls of one kind within a second would have the same token."""
    second = int(time.time())
    until(lambda: int(time.time()) > second)


def in_jira(site: JiraSite) -> list[str]:
    return list(site.simulator.site(site.name)["linkedWorkspaces"])


def site_document(relay: Relay, site_id: str) -> dict[str, Any]:
    return dict(relay.provider("GET", f"/v1/sites/{site_id}").json())


# --- Uninstalled and installed again ---


@pytest.mark.usefixtures("either_reading")
def test_a_reinstalled_site_has_everything_again(relay: Relay, site: JiraSite) -> None:
    relay.submit("payments", incidents=[incident("i", 5), incident("j")], reviews=[review("r", 3)])
    uninstall(site)
    forget_calls(site)
    reinstall(relay, site)
    relay.run_replays()

    assert sequences(site) == {"i": 6, "j": 2, "r": 4}
    assert in_jira(site) == ["payments"]
    assert set(states(relay).values()) == {"accepted"}
    assert sorted(sent(site)) == [(0, 1), (2, 0)]
    document = progress(relay, site)
    assert (document["why"], document["state"], document["done"]) == ("reinstalled", "done", 3)


@pytest.mark.usefixtures("either_reading")
def test_a_site_may_be_reinstalled_repeatedly(relay: Relay, site: JiraSite) -> None:
    relay.submit("payments", incidents=[incident("i")])
    for round_ in range(1, 4):
        start_over(relay, site)
        relay.run_replays()
        assert sequences(site) == {"i": 1 + round_}
    relay.submit("payments", incidents=[incident("i", 2, summary="newer")])
    assert summaries(site) == {"i": "newer"}


@pytest.mark.usefixtures("either_reading")
def test_every_linked_workspace_is_delivered_again(relay: Relay, site: JiraSite) -> None:
    put_link(relay, site, "search")
    relay.submit("payments", incidents=[incident("p")])
    relay.submit("search", incidents=[incident("s")])
    uninstall(site)
    reinstall(relay, site)
    relay.run_replays()
    assert sequences(site).keys() == {"p", "s"}
    assert sorted(in_jira(site)) == ["payments", "search"]


def test_a_newer_state_during_a_reinstall_is_accepted(
    relay: Relay, site: JiraSite, calls: AwsCalls, points: Iterator[int]
) -> None:
    """Before the replay, at any point of it, and after it."""
    relay.submit("payments", incidents=[incident("i"), incident("j")], reviews=[review("r")])
    for at in points:
        sequence, summary = at + 2, f"state {at}"

        def submit(sequence: int = sequence, summary: str = summary) -> None:
            newer = incident("i", sequence, summary=summary)
            assert relay.submit("payments", incidents=[newer]) == []

        start_over(relay, site)
        before = len(calls.names)
        before_call(calls, at, submit)
        while step(relay):
            pass
        made = len(calls.names) - before
        calls.no_more_trouble()
        if made <= at:
            submit()
        resume(relay)
        assert summaries(site)["i"] == summary
        assert sequences(site).keys() == {"i", "j", "r"}
        assert set(states(relay).values()) == {"accepted"}
        if made <= at:
            return


def test_a_site_may_be_reinstalled_during_a_delivery(
    relay: Relay, site: JiraSite, calls: AwsCalls, points: Iterator[int]
) -> None:
    relay.submit("payments", incidents=[incident("i"), incident("j")])
    for at in points:
        summary = f"state {at}"
        relay.queue("payments", incidents=[incident("i", at + 2, summary=summary)])
        before = len(calls.names)
        before_call(calls, at, lambda: start_over(relay, site))
        assert relay.run_queue() == []
        made = len(calls.names) - before
        calls.no_more_trouble()
        relay.run_replays()
        resume(relay)
        assert summaries(site)["i"] == summary
        assert sequences(site).keys() == {"i", "j"}
        assert set(states(relay).values()) == {"accepted"}
        assert debts(relay, site) == 0
        if made <= at:
            return


def test_a_site_may_be_reinstalled_during_a_replay(
    relay: Relay, site: JiraSite, calls: AwsCalls, points: Iterator[int]
) -> None:
    relay.submit("payments", incidents=[incident("i"), incident("j")], reviews=[review("r")])
    for at in points:
        ask(relay, site, what="all")
        before = len(calls.names)
        before_call(calls, at, lambda: start_over(relay, site))
        step(relay)
        made = len(calls.names) - before
        calls.no_more_trouble()
        relay.run_replays()
        resume(relay)
        assert sequences(site).keys() == {"i", "j", "r"}
        assert in_jira(site) == ["payments"]
        assert set(states(relay).values()) == {"accepted"}
        if made <= at:
            return


# --- Concurrency ---


@pytest.mark.usefixtures("either_reading")
def test_submissions_wait_while_the_app_is_not_installed(relay: Relay, site: JiraSite) -> None:
    relay.submit("payments", incidents=[incident("i", 5), incident("j")])
    relay.queue("payments", incidents=[incident("on-its-way")])
    uninstall(site)
    forget_calls(site)
    newer = incident("i", 6, summary="newer")
    assert relay.submit("payments", incidents=[newer, incident("k")], reviews=[review("r")]) == []
    assert site.calls() == []
    assert set(states(relay).values()) == {"owed"}
    at_site = relay.provider("GET", "/v1/workspaces/payments/incidents/k").json()["sites"][0]
    assert "uninstalled" in at_site["reason"]
    resume(relay)
    assert site.calls() == []

    reinstall(relay, site)
    relay.run_replays()
    assert sequences(site) == {"i": 7, "j": 2, "on-its-way": 2, "k": 2, "r": 2}
    assert summaries(site)["i"] == "newer"
    assert set(states(relay).values()) == {"accepted"}


@pytest.mark.usefixtures("either_reading")
def test_earlier_debts_are_delivered_once_with_the_rest(relay: Relay, site: JiraSite) -> None:
    relay.submit("payments", incidents=[incident("i")])
    site.simulator.fail(site.name, DOWN)
    relay.submit("payments", incidents=[incident("i", 2), incident("j")])
    assert debts(relay, site) == 2
    uninstall(site)
    site.simulator.fail(site.name)
    forget_calls(site)
    reinstall(relay, site)
    # The trouble was the old installation's: nothing has to wait.
    relay.run_replays()
    assert sequences(site) == {"i": 3, "j": 2}
    assert (sent(site), debts(relay, site)) == ([(2, 0)], 0)


@pytest.mark.usefixtures("either_reading")
def test_an_entity_deleted_before_the_reinstall_does_not_return(
    relay: Relay, site: JiraSite
) -> None:
    relay.submit("payments", incidents=[incident(one) for one in ("kept", "before", "between")])
    site.simulator.fail(site.name, {"kind": "suspended"})
    delete(relay, "before")
    assert relay.run_queue() == []
    site.simulator.fail(site.name)
    uninstall(site)
    delete(relay, "between")
    assert relay.run_queue() == []
    reinstall(relay, site)
    delete(relay, "kept")
    relay.submit("payments", incidents=[incident("kept", 2)])
    relay.run_replays()
    for _ in range(2):
        assert sequences(site) == {"kept": 3}
        assert states(relay) == {"kept": "accepted", "before": "deleted", "between": "deleted"}
        # The second round of each deletion.
        relay.let_delays_pass()
        assert relay.run_queue() == []
        resume(relay)


def delete(relay: Relay, incident_id: str) -> None:
    time.sleep(0.002)  # what is accepted within the same millisecond counts as accepted before
    answer = relay.provider("DELETE", f"/v1/workspaces/payments/incidents/{incident_id}")
    assert answer.status == 202, answer.body
    time.sleep(0.002)


def test_a_replay_does_not_undo_a_concurrent_deletion(
    relay: Relay, site: JiraSite, calls: AwsCalls, points: Iterator[int]
) -> None:
    def delete_at_once() -> None:
        delete(relay, "i")
        assert relay.run_queue() == []

    for at in points:
        relay.submit("payments", incidents=[incident("i", at + 1), incident("j", at + 1)])
        start_over(relay, site)
        before = len(calls.names)
        before_call(calls, at, delete_at_once)
        step(relay)
        made = len(calls.names) - before
        calls.no_more_trouble()
        resume(relay)
        relay.let_delays_pass()
        assert relay.run_queue() == []
        if made <= at:
            return
        assert sequences(site).keys() == {"j"}
        assert states(relay) == {"i": "deleted", "j": "accepted"}


@pytest.mark.usefixtures("either_reading")
def test_an_uninstall_during_a_replay_or_delivery_loses_nothing(
    relay: Relay, site: JiraSite, calls: AwsCalls
) -> None:
    relay.submit("payments", incidents=[incident("i"), incident("j")], reviews=[review("r")])
    for round_, at in enumerate((2, 9, 6, 20)):
        next_second()
        ask(relay, site, what="all")
        relay.queue("payments", incidents=[incident("i", round_ + 2, summary=f"state {round_}")])
        before_call(calls, at, lambda: uninstall(site))
        if round_ % 2:
            step(relay)
        assert relay.run_queue() == []
        calls.no_more_trouble()
        relay.run_replays()
        assert site_document(relay, site.id)["state"] == "uninstalled"
        reinstall(relay, site)
        relay.run_replays()
        assert summaries(site)["i"] == f"state {round_}"
        assert sequences(site).keys() == {"i", "j", "r"}
        assert set(states(relay).values()) == {"accepted"}


def gone(*_: Any) -> dict[str, Any]:
    return {"statusCode": 503, "headers": {}, "body": ""}


@pytest.mark.usefixtures("either_reading")
def test_a_new_secret_reveals_a_missed_uninstall(relay: Relay, site: JiraSite) -> None:
    relay.submit("payments", incidents=[incident("i", 5)], reviews=[review("r")])
    lifecycle = relay.gateway.functions["lifecycle"]
    relay.gateway.functions["lifecycle"] = SimpleNamespace(handler=gone)
    uninstall(site)
    relay.gateway.functions["lifecycle"] = lifecycle
    # Jira refuses the next calls, because Relay was not notified.
    assert relay.submit("payments", incidents=[incident("i", 6, summary="newer")]) == []
    document = site_document(relay, site.id)
    assert document["state"] == "needs attention"
    assert states(relay)["i"] == "owed"

    reinstall(relay, site)
    relay.run_replays()
    assert sequences(site) == {"i": 7, "r": 2}
    assert summaries(site)["i"] == "newer"
    assert in_jira(site) == ["payments"]
    assert site_document(relay, site.id)["state"] == "active"


def test_an_install_that_changes_nothing_delivers_nothing_again(
    relay: Relay, site: JiraSite
) -> None:
    """An upgrade of the app, or a repeated call."""
    relay.submit("payments", incidents=[incident("i")])
    before = progress(relay, site)
    forget_calls(site)
    descriptor = {"descriptorUrl": f"{relay.gateway.url}/atlassian-connect.json"}
    for _ in range(2):
        answer = site.simulator.control(
            "POST", f"/sites/{site.name}/install", descriptor | {"newSecret": False}
        )
        assert answer.status_code == 200, answer.text
    resume(relay)
    assert site.calls() == []
    assert progress(relay, site) == before
    assert sequences(site) == {"i": 1}


def test_a_repeated_installed_call_starts_one_replay(relay: Relay, site: JiraSite) -> None:
    relay.submit("payments", incidents=[incident("i")])
    uninstall(site)
    heard: list[dict[str, Any]] = []
    handler = relay.gateway.functions["lifecycle"].handler

    def listen(event: dict[str, Any], context: Context) -> Any:
        if event["rawPath"] == INSTALLED:
            heard.append(event)
        return handler(event, context)

    relay.gateway.functions["lifecycle"] = SimpleNamespace(handler=listen)
    forget_calls(site)
    reinstall(relay, site)
    relay.run_replays()
    begun = progress(relay, site)
    [installed] = heard
    assert handler(installed, Context())["statusCode"] == 204
    resume(relay)
    assert progress(relay, site) == begun
    assert sent(site) == [(1, 0)]


def test_the_sweeper_starts_the_replays_that_a_reinstall_could_not(
    relay: Relay, site: JiraSite, calls: AwsCalls, points: Iterator[int]
) -> None:
    put_link(relay, site, "search")
    relay.submit("payments", incidents=[incident("p")])
    relay.submit("search", incidents=[incident("s")])
    for at in points:
        after_write: list[str] = []

        def fail(operation: str, after_write: list[str] = after_write, at: int = at) -> None:
            if after_write or operation == "TransactWriteItems":
                after_write.append(operation)
            if len(after_write) == at + 2:
                raise unreachable()

        site.simulator.control("POST", f"/sites/{site.name}/forget").raise_for_status()
        descriptor = {"descriptorUrl": f"{relay.gateway.url}/atlassian-connect.json"}
        calls.before = fail
        answer = site.simulator.control("POST", f"/sites/{site.name}/install", descriptor)
        assert answer.status_code == 200, answer.text
        calls.no_more_trouble()
        resume(relay)
        assert sequences(site).keys() == {"p", "s"}
        assert sorted(in_jira(site)) == ["payments", "search"]
        assert progress(relay, site)["state"] == progress(relay, site, "search")["state"] == "done"
        if len(after_write) < at + 2:
            return


def test_enabled_and_disabled_change_nothing(relay: Relay, site: JiraSite) -> None:
    relay.submit("payments", incidents=[incident("i")])
    before = relay.stored()
    for event in ("disabled", "enabled", "disabled"):
        assert relay.jira(site.site, "POST", f"/lifecycle/{event}", {}).status == 204
    assert relay.stored() == before
    assert step(relay) == 0
    relay.submit("payments", incidents=[incident("i", 2)])
    assert sequences(site) == {"i": 2}


# --- Links ---


@pytest.mark.usefixtures("either_reading")
@pytest.mark.parametrize("newer_first", [True, False])
def test_a_relinked_workspace_is_complete_and_accepts_newer_states(
    relay: Relay, site: JiraSite, newer_first: bool
) -> None:
    relay.submit("payments", incidents=[incident("i", 3), incident("j", 3)])
    unlink(relay, site)
    site.simulator.control("POST", f"/sites/{site.name}/forget").raise_for_status()
    put_link(relay, site)
    if not newer_first:
        relay.run_replays()
    relay.submit("payments", incidents=[incident("i", 4, summary="newer")])
    relay.run_replays()
    assert sequences(site) == {"i": 5, "j": 4}
    assert summaries(site)["i"] == "newer"
    assert in_jira(site) == ["payments"]


@pytest.mark.usefixtures("either_reading")
def test_an_unlinked_workspace_is_not_delivered_until_it_is_linked(
    relay: Relay, site: JiraSite
) -> None:
    relay.submit("payments", incidents=[incident("i")])
    unlink(relay, site)
    uninstall(site)
    reinstall(relay, site)
    resume(relay)
    assert (sequences(site), in_jira(site)) == ({}, [])
    put_link(relay, site)
    relay.run_replays()
    assert sequences(site).keys() == {"i"}


# --- A site import ---


@pytest.fixture
def old(relay: Relay, simulator: Simulator) -> JiraSite:
    """An installation, with its own clientKey, at a URL into which another site's data was
    imported. What it had was sent in a later generation.
    """
    name = new_name()
    at_url = simulator.create(name)
    site = Site(f"before-{uuid4()}", at_url["baseUrl"], "s" * 43)
    assert lifecycle_call(relay, simulator, site, INSTALLED).status == 204
    tenant = relay.tenants.find_by_client_key(site.client_key)
    assert tenant
    old = JiraSite(simulator, name, tenant.id, site)
    relay.links.link(tenant.id, "payments")
    for _ in range(3):
        ask(relay, old, what="all")
    relay.run_replays()
    relay.queue("payments", incidents=[incident("i", 5)], reviews=[review("r")])
    return old


@pytest.fixture
def imported(relay: Relay, old: JiraSite) -> JiraSite:
    """The installation that replaced it. Jira remembers the sequences that the old one sent."""
    new = install_there(relay, old.simulator, old.name)
    assert new.id != old.id
    assert new.site.base_url == old.site.base_url
    credential = ConnectCredential(APP_KEY, new.site.client_key, new.site.base_url, new.site.secret)
    with http_client() as http:
        jira = JiraClient(http, new.site.base_url, credential)
        sent_before = incident(relay.at_site("i"), 5 + 2)
        jira.submit_entities(json.dumps({"incidents": [sent_before]}).encode())
    new.simulator.control("POST", f"/sites/{new.name}/forget").raise_for_status()
    forget_calls(new)
    relay.let_time_pass()
    assert relay.run_queue() == []
    return new


def lifecycle_call(relay: Relay, simulator: Simulator, site: Site, path: str) -> Answer:
    """Signed with the simulator's own key."""
    private = load_pem_private_key(simulator.pem.encode(), password=None)
    assert isinstance(private, RSAPrivateKey)
    of_site = claims(site.client_key, "POST", path, aud=relay.gateway.url, jti=uuid4().hex)
    token = signed_install(InstallKey(simulator.kid, private), of_site)
    headers = {"authorization": f"JWT {token}", "content-type": "application/json"}
    return relay.call("POST", path, site.body(path.rpartition("/")[2]), headers)


@pytest.mark.usefixtures("either_reading")
def test_the_old_installation_of_an_imported_site_names_its_successor(
    relay: Relay, old: JiraSite, imported: JiraSite
) -> None:
    assert {call["status"] for call in old.simulator.calls(old.name)} == {401}
    document = site_document(relay, old.id)
    assert document["state"] == "needs attention"
    assert document["trouble"]["code"] == "credential_refused"
    assert document["supersededBy"] == imported.id
    assert states(relay) == {"i": "owed", "r": "owed"}
    successor = site_document(relay, imported.id)
    assert (successor["state"], "supersededBy" in successor) == ("active", False)
    every = relay.provider("GET", "/v1/sites").json()["sites"]
    assert {one["id"]: one.get("supersededBy") for one in every} == {
        old.id: imported.id,
        imported.id: None,
    }


@pytest.mark.usefixtures("either_reading")
def test_links_move_to_the_new_installation_which_then_has_everything(
    relay: Relay, old: JiraSite, imported: JiraSite
) -> None:
    assert debts(relay, old) == 2
    answer = relay.provider("POST", f"/v1/sites/{old.id}/move", {"to": imported.id})
    assert answer.status == 200, answer.body
    assert answer.json() == {"moved": ["payments"]}
    relay.run_replays()
    forget_calls(imported)

    assert sequences(imported).keys() == {"i", "r"}
    assert in_jira(imported) == ["payments"]
    assert relay.links.workspaces_of(old.id) == []
    assert relay.links.workspaces_of(imported.id) == ["payments"]
    assert set(states(relay).values()) == {"accepted"}
    relay.submit("payments", incidents=[incident("i", 6, summary="newer")])
    assert summaries(imported)["i"] == "newer"
    assert [call["status"] for call in old.simulator.calls(old.name)] == [202]
    resume(relay)
    assert debts(relay, old) == 0
    again = relay.provider("POST", f"/v1/sites/{old.id}/move", {"to": imported.id})
    assert again.json() == {"moved": []}


@pytest.mark.usefixtures("either_reading")
def test_an_existing_link_at_the_new_installation_gets_higher_sequences(
    relay: Relay, old: JiraSite, imported: JiraSite
) -> None:
    put_link(relay, imported)
    relay.run_replays()
    for _ in range(2):
        answer = relay.provider("POST", f"/v1/sites/{old.id}/move", {"to": imported.id})
        assert answer.status == 200, answer.body
        relay.run_replays()
    assert sequences(imported).keys() == {"i", "r"}
    relay.submit("payments", incidents=[incident("i", 6, summary="newer")])
    assert summaries(imported)["i"] == "newer"
    assert set(states(relay).values()) == {"accepted"}


def test_an_invalid_move_is_refused(relay: Relay, old: JiraSite, imported: JiraSite) -> None:
    def refusal(of: str, body: Any) -> tuple[int, str]:
        answer = relay.provider("POST", f"/v1/sites/{of}/move", body)
        return answer.status, answer.error_code

    nobody = "0" * 32
    assert refusal(nobody, {"to": imported.id}) == (404, "unknown_site")
    assert refusal(old.id, {"to": nobody}) == (404, "unknown_site")
    assert refusal(old.id, {"to": old.id}) == (409, "same_site")
    assert refusal(old.id, {}) == (400, "bad_request")
    uninstall(imported)
    assert refusal(old.id, {"to": imported.id}) == (409, "uninstalled")
    assert relay.links.workspaces_of(old.id) == ["payments"]
    assert "supersededBy" not in site_document(relay, old.id)


def test_a_site_that_still_answers_is_not_superseded(relay: Relay, site: JiraSite) -> None:
    """Whoever claims its URL: `installed` proves a clientKey, not a URL."""
    claims_url = Site(f"claims-{uuid4()}", site.site.base_url, "s" * 40)
    assert lifecycle_call(relay, site.simulator, claims_url, INSTALLED).status == 204
    claiming = relay.tenants.find_by_client_key(claims_url.client_key)
    assert claiming
    relay.submit("payments", incidents=[incident("i")])
    assert states(relay) == {"i": "accepted"}
    assert "supersededBy" not in site_document(relay, site.id)
    site.simulator.fail(site.name, DOWN)
    relay.submit("payments", incidents=[incident("k")])
    assert site_document(relay, site.id)["state"] == "slowed"
    assert "supersededBy" not in site_document(relay, site.id)
    uninstall(site)
    assert site_document(relay, site.id)["supersededBy"] == claiming.id


def test_every_refusal_that_allows_superseding_is_a_stored_one() -> None:
    attention = {row.code for row in TABLE if row.reaction is Reaction.ATTENTION}
    assert attention > REFUSED_CALLS


def test_an_unknown_site_may_send_uninstalled(relay: Relay, simulator: Simulator) -> None:
    nobody = Site("nobody-knows-me", f"{simulator.url}/sites/nobody", "s" * 40)
    before = relay.stored()
    assert lifecycle_call(relay, simulator, nobody, UNINSTALLED).status == 204
    assert relay.stored() == before


def test_a_site_without_links_may_be_reinstalled(relay: Relay, simulator: Simulator) -> None:
    site = install_from(relay, simulator)
    start_over(relay, site)
    resume(relay)
    assert site.calls() == []
    put_link(relay, site)
    assert in_jira(site) == ["payments"]
