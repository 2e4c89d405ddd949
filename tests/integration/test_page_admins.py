"""Whom the page lets in: Jira's answer, how long it is kept, and what happens without one."""

import time
from typing import Any

import pytest

from infra.lambdas.template import timeout_of
from tests.integration.identities_stage import new_site, relay_on_both
from tests.integration.page_stage import ADMIN, MEMBER, Page, error, page_at, put_user
from tests.integration.relay_stage import JiraSite, Relay, Start, install_from
from tests.integration.simulator_stage import Simulator

PERMISSIONS = "/rest/api/3/permissions/check"


@pytest.fixture
def page(relay: Relay, site: JiraSite) -> Page:
    return page_at(relay, site)


@pytest.fixture
def new_page(relay: Relay, simulator: Simulator) -> Page:
    """The page at a site that is linked to nothing."""
    return page_at(relay, install_from(relay, simulator))


def asked(page: Page) -> int:
    """How often Relay has asked Jira about a user."""
    return sum(path.endswith(PERMISSIONS) for _, path in page.site.calls())


def test_jira_is_asked_once_for_minutes_who_is_an_admin(
    relay: Relay, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        page.shown()
    assert asked(page) == 1
    put_user(page.site, ADMIN, admin=False)
    page.shown()
    let_pass(relay, monkeypatch, 301)
    assert error(page, "GET", "/site") == (403, "not_an_admin")
    assert error(page, "GET", "/site") == (403, "not_an_admin")
    assert asked(page) == 2
    put_user(page.site, ADMIN, admin=True)
    let_pass(relay, monkeypatch, 362)
    page.shown()
    assert asked(page) == 3


def test_the_newest_answers_alone_are_kept(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that many people of many sites call must not fill its memory."""
    monkeypatch.setattr("relay.jira.permissions._ANSWERS_MAX", 1)
    member = Page(page.relay, page.site, MEMBER)
    page.shown()
    page.shown()
    assert error(member, "GET", "/site") == (403, "not_an_admin")
    assert error(member, "GET", "/site") == (403, "not_an_admin")
    assert asked(page) == 2
    page.shown()
    assert asked(page) == 3


def test_a_clock_that_is_set_back_keeps_no_answer(
    relay: Relay, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.shown()
    put_user(page.site, ADMIN, admin=False)
    let_pass(relay, monkeypatch, -3600)
    assert error(page, "GET", "/site") == (403, "not_an_admin")


def let_pass(relay: Relay, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Move the clock of the answers so far from the real time."""
    administrators = relay.gateway.functions["page"].calls.administrators
    monkeypatch.setattr(administrators, "_clock", lambda: time.time() + seconds)


def test_the_answers_of_two_users_and_of_two_sites_are_apart(
    relay: Relay, page: Page, new_page: Page
) -> None:
    put_user(new_page.site, ADMIN, admin=False)
    page.shown()
    member = Page(relay, page.site, MEMBER)
    assert error(member, "GET", "/site") == (403, "not_an_admin")
    assert error(new_page, "GET", "/site") == (403, "not_an_admin")
    page.shown()


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "error", "status": 503},
        {"kind": "forbidden"},
        {"kind": "unreadable"},
        {"kind": "drop before"},
        {"kind": "rate limit"},
    ],
    ids=lambda fault: fault["kind"],
)
def test_without_jiras_answer_nobody_is_called_no_admin(page: Page, fault: dict[str, Any]) -> None:
    page.site.simulator.fail(page.site.name, fault)
    answer = page.call("GET", "/site")
    assert (answer.status, answer.error_code) == (503, "jira_unavailable")
    assert "whether you are an admin" in answer.json()["error"]["message"]
    page.site.simulator.fail(page.site.name)
    page.shown()


def test_a_jira_that_hangs_makes_nobody_an_admin_nor_none(
    relay: Relay, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay.gateway.functions["page"].parts.access._http, "seconds", 0.1)
    fault = {"kind": "slow", "seconds": 2, "operations": ["getBulkPermissions"]}
    page.site.simulator.fail(page.site.name, fault)
    assert error(page, "DELETE", "/workspaces/payments/link") == (503, "jira_unavailable")
    assert relay.links.workspaces_of(page.site.id) == ["payments"]


def test_two_calls_that_jira_lets_hang_end_before_forge_and_lambda_give_up(relay: Relay) -> None:
    """Whether the user is an admin, and the change."""
    seconds = 2 * relay.gateway.functions["page"].parts.access._http.seconds
    assert seconds < 25 < timeout_of("page")


def test_a_scope_that_forge_lacks_for_the_question_leaves_deliveries_with_forge(
    start: Start, simulator: Simulator
) -> None:
    relay = relay_on_both(start, simulator, JIRA_IDENTITY="forge")
    twofold = new_site(relay, simulator)
    twofold.install_by_connect()
    scopes = [f"{verb}:operations-info:jira" for verb in ("read", "write", "delete")]
    twofold.install_by_forge(True, installedLifecycle=False, scopes=scopes)
    page = page_at(relay, twofold.jira())
    twofold.forget_calls()
    assert page.shown()["connectedAs"] == "forge"
    asked = [call for call in twofold.calls() if call[0] == "getBulkPermissions"]
    assert asked == [
        ("getBulkPermissions", "forge", 401),
        ("getBulkPermissions", "connect", 200),
    ]
    assert page.shown()["connectedAs"] == "forge"
