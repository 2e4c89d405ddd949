"""What was erased or forgotten and exists again: it is another one, and Jira takes it."""

import json
import time
from collections.abc import Iterator

import pytest

from relay import keys
from tests.integration.erasing_stage import (
    ERASED,
    FIRING,
    HOOK,
    OTHER,
    PATH,
    associate,
    change,
    erase,
    go_on,
    link,
    reinstall,
    run_notices,
    uninstall,
    unlink,
)
from tests.integration.identities_stage import new_site, relay_on_both
from tests.integration.relay_stage import JiraSite, Relay, Start, install_from
from tests.integration.simulator_stage import Simulator
from tests.support.entities import incident
from tests.support.lambdas import Context, sqs_event


@pytest.fixture(params=["forgotten", "remembered"], autouse=True)
def either_reading(request: pytest.FixtureRequest, simulator: Simulator) -> Iterator[None]:
    """Jira does not document whether it remembers the sequences of what it deleted."""
    simulator.set(sequencesAfterDeletion=request.param)
    yield
    simulator.set(sequencesAfterDeletion="forgotten")


@pytest.fixture
def relay(start: Start, simulator: Simulator) -> Relay:
    return start(ERASED, OTHER, simulator=simulator)


def forget(relay: Relay, site: JiraSite) -> None:
    assert relay.provider("DELETE", f"/v1/sites/{site.id}").status == 202
    relay.let_time_pass()
    relay.sweep()
    found = relay.provider("GET", f"/v1/sites/{site.id}/erasure").json()
    assert found["stage"] == "done"


def create_again(relay: Relay) -> None:
    """After the last calls that the erasure drops."""
    relay.put_workspace(ERASED)
    change(relay, keys.erased(ERASED), until=int(time.time() * 1000))
    time.sleep(0.01)


def test_a_forgotten_site_gets_everything_again(relay: Relay, simulator: Simulator) -> None:
    relay.submit(ERASED, incidents=[incident("i", 5)])
    site = install_from(relay, simulator)
    for _ in range(2):
        link(relay, site)
        unlink(relay, site)
        link(relay, site)
        assert site.held("incident").keys() == {"i"}
        # Each function has seen the site, and keeps its id.
        associate(relay, site, ERASED)
        uninstall(site)
        forget(relay, site)
        site = reinstall(relay, site)
        link(relay, site)
        assert site.held("incident").keys() == {"i"}
        associate(relay, site, ERASED)


def test_a_site_that_names_its_forgotten_identity_later_gets_everything_again(
    start: Start, simulator: Simulator
) -> None:
    relay = relay_on_both(start, simulator)
    sites = relay.gateway.functions["replayer"].parts.sites
    site = new_site(relay, simulator)
    site.install_by_connect()
    relay.submit("payments", incidents=[incident("i", 5)])
    for _ in range(3):
        site.link()
        unlink(relay, site.jira(), "payments")
    site.link()
    last = int(sites.generation(site.tenant.id, "payments"))
    site.uninstall_by_connect()
    forget(relay, site.jira())
    # Nothing says that it is the same site.
    site.switch(clientKeyProperty="off")
    site.install_by_forge()
    site.link()

    site.upgrade_by_forge(connect=True, descriptorUrl=site.descriptor_url)
    relay.run_replays()

    assert site.tenant.installs > last > 2
    assert site.jira().held("incident").keys() == {"i"}


def test_an_erased_workspace_with_plain_ids_is_delivered_again(
    start: Start, simulator: Simulator
) -> None:
    relay = start(ERASED, simulator=simulator, PLAIN_IDS="on")
    site = install_from(relay, simulator)
    for _ in range(3):
        link(relay, site)
        unlink(relay, site)
        link(relay, site)
        relay.submit(ERASED, incidents=[incident("i", 5)])
        assert site.at_site("incident").keys() == {"i"}
        erase(relay)
        assert go_on(relay) == "done"
        assert site.at_site("incident") == {}
        create_again(relay)


def test_no_late_notice_or_event_is_of_the_new_workspace(
    start: Start, simulator: Simulator
) -> None:
    relay = start(ERASED, simulator=simulator, CLOUDWATCH_SOURCE=f"{ERASED}/alarms")
    source = f"{PATH}/sources/alarms"
    site = install_from(relay, simulator)
    link(relay, site)
    relay.submit(ERASED, incidents=[incident()])
    assert relay.provider("PUT", f"{PATH}/webhook", HOOK).status == 200
    assert relay.provider("PUT", source, {"kind": "cloudwatch"}).status == 200
    associate(relay, site, ERASED)
    event = sqs_event(json.dumps(FIRING["alarm"]))

    erase(relay)
    assert go_on(relay) == "done"
    create_again(relay)
    assert relay.provider("PUT", f"{PATH}/webhook", HOOK).status == 200
    assert relay.provider("PUT", source, {"kind": "cloudwatch"}).status == 200

    assert run_notices(relay) == []
    assert relay.provider("GET", f"{PATH}/webhook").json()["attempts"] == []
    events = relay.gateway.functions["source_events"]
    assert events.handler(event, Context()) == {"batchItemFailures": []}
    assert relay.waiting() == []
    event["Records"][0]["attributes"]["SentTimestamp"] = str(int(time.time() * 1000) + 1)
    assert events.handler(event, Context()) == {"batchItemFailures": []}
    assert len(relay.waiting()) == 1
