"""A site installs, upgrades, uninstalls and reinstalls the app, with failures in between."""

import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from relay.tenants.tenant import Tenant
from tests.support.aws import Aws
from tests.support.aws_calls import aws_calls, client_error, unreachable
from tests.support.clock import Clock
from tests.support.lambdas import Answer
from tests.support.lifecycle import (
    ACME,
    INSTALLED,
    UNINSTALLED,
    Jira,
    Site,
    jira_with_its_key_server,
)

RENEWED = ACME.with_secret("ATCO-acme-second-secret-that-only-jira-and-relay-share")
THIRD = ACME.with_secret("ATCO-acme-third-secret-that-only-jira-and-relay-share")


@pytest.fixture
def jira(function: Callable[..., ModuleType]) -> Iterator[Jira]:
    with jira_with_its_key_server(function) as jira:
        yield jira


@pytest.fixture
def now() -> int:
    return int(time.time())


@pytest.fixture
def items(aws: Aws) -> Callable[[], list[Any]]:
    """Every item of the tenants' table."""
    return lambda: sorted(aws.dynamodb.scan(TableName="TenantsTable")["Items"], key=str)


def tenant(jira: Jira, site: Site = ACME) -> Tenant:
    found: Tenant | None = jira.function.tenants.find_by_client_key(site.client_key)
    assert found
    return found


def only_tenant(jira: Jira) -> Tenant:
    (found,) = jira.function.tenants.all()
    assert isinstance(found, Tenant)
    return found


def secrets_that_open(jira: Jira) -> set[str]:
    return {site.secret for site in (ACME, RENEWED, THIRD) if jira.enabled(site).status == 204}


# --- In order ---


def test_the_secret_is_valid_as_soon_as_jira_is_answered(jira: Jira) -> None:
    assert jira.installed(ACME).status == 204
    assert jira.enabled(ACME).status == 204
    assert jira.at_another_lambda().enabled(ACME).status == 204


def test_installed_is_an_upsert_by_client_key(jira: Jira, now: int) -> None:
    assert jira.installed(ACME, iat=now - 20).status == 204
    first = only_tenant(jira)
    renamed = Site(ACME.client_key, "https://acme-corp.atlassian.net", RENEWED.secret)
    assert jira.installed(renamed, iat=now - 10).status == 204
    second = only_tenant(jira)
    assert second.id == first.id
    assert second.base_url == "https://acme-corp.atlassian.net"
    assert second.display_url == "https://acme-corp.atlassian.net"


def test_a_new_secret_replaces_the_old_one_immediately_and_everywhere(jira: Jira, now: int) -> None:
    other = jira.at_another_lambda()
    assert jira.installed(ACME, iat=now - 10).status == 204
    assert secrets_that_open(other) == {ACME.secret}
    assert jira.installed(RENEWED, iat=now).status == 204
    assert secrets_that_open(other) == {RENEWED.secret}
    assert secrets_that_open(jira) == {RENEWED.secret}


def test_an_older_install_never_wins(jira: Jira, now: int, items: Callable[[], list[Any]]) -> None:
    assert jira.installed(RENEWED, iat=now - 10).status == 204
    before = items()
    answer = jira.installed(ACME, iat=now - 11)
    assert (answer.status, answer.error_code) == (409, "outdated")
    assert items() == before


def test_the_later_of_two_installs_in_the_same_second_wins(jira: Jira, now: int) -> None:
    first, second = jira.token(ACME, iat=now - 60), jira.token(RENEWED, iat=now - 60)
    assert jira.installed(ACME, first).status == 204
    assert jira.installed(RENEWED, second).status == 204
    assert secrets_that_open(jira) == {RENEWED.secret}
    # The first is outdated by then, even unchanged.
    for site in (ACME, THIRD):
        answer = jira.installed(site, first)
        assert (answer.status, answer.error_code) == (409, "token_used")
    assert secrets_that_open(jira) == {RENEWED.secret}


def test_two_installs_in_the_same_second_may_share_a_token(
    jira: Jira, now: int, clock: Clock
) -> None:
    """Tokens count seconds: Jira cannot distinguish the two by their claims."""
    for iat in (now - 60, now, now + 20):
        token = jira.token(ACME, iat=iat)
        assert jira.installed(ACME, token).status == 204
        clock.seconds += 5
        assert jira.installed(RENEWED, token).status == 204
        assert secrets_that_open(jira) == {RENEWED.secret}


@pytest.mark.parametrize("ahead", [-60, 0, 25])
def test_the_window_for_another_secret_starts_at_the_tokens_first_use(
    jira: Jira, now: int, clock: Clock, ahead: int
) -> None:
    """Jira would sign with the new secret from then on, so its admin must try again."""
    token = jira.token(ACME, iat=now + ahead)
    assert jira.installed(ACME, token).status == 204
    clock.seconds += 6
    answer = jira.installed(RENEWED, token)
    assert (answer.status, answer.error_code) == (409, "token_used")
    assert secrets_that_open(jira) == {ACME.secret}
    clock.seconds += 1
    assert jira.installed(RENEWED, iat=now + 7).status == 204
    assert secrets_that_open(jira) == {RENEWED.secret}


def test_an_uninstall_counts_although_the_install_before_it_has_a_later_iat(
    jira: Jira, now: int, clock: Clock, items: Callable[[], list[Any]]
) -> None:
    """The clock of the install's signer is ahead of the other's."""
    ahead = jira.token(ACME, iat=now + 25)
    assert jira.installed(ACME, ahead).status == 204
    assert jira.uninstalled(ACME, iat=now).status == 204
    assert tenant(jira).state == "uninstalled"
    before = items()
    for seconds in (0, 5, 20):
        clock.seconds += seconds
        for site in (ACME, RENEWED):
            answer = jira.installed(site, ahead)
            assert (answer.status, answer.error_code) == (409, "token_used")
    assert items() == before
    assert jira.installed(RENEWED, iat=now + 25).status == 204
    assert secrets_that_open(jira) == {RENEWED.secret}


def test_an_uninstall_with_a_later_iat_counts_once(jira: Jira, now: int, clock: Clock) -> None:
    assert jira.installed(ACME, iat=now).status == 204
    ahead = jira.token(ACME, UNINSTALLED, iat=now + 25)
    assert jira.uninstalled(ACME, ahead).status == 204
    clock.seconds += 3
    assert jira.installed(RENEWED, iat=now + 3).status == 204
    clock.seconds += 3
    assert jira.uninstalled(ACME, ahead).status == 204
    assert secrets_that_open(jira) == {RENEWED.secret}


def test_more_lifecycle_calls_than_can_be_remembered_are_refused(
    jira: Jira, now: int, items: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forgotten token could be used again."""
    monkeypatch.setattr("relay.tenants.lifecycle.TOKENS_MAX", 2)
    first = jira.token(ACME, iat=now)
    assert jira.installed(ACME, first).status == 204
    assert jira.installed(RENEWED, iat=now).status == 204
    before = items()
    for answer in (jira.installed(THIRD, iat=now), jira.uninstalled(ACME, iat=now)):
        assert (answer.status, answer.error_code) == (503, "unavailable")
    assert jira.installed(THIRD, first).status == 409
    assert items() == before


def test_a_repeated_call_is_answered_like_the_first(
    jira: Jira, items: Callable[[], list[Any]]
) -> None:
    token = jira.token(ACME)
    assert jira.installed(ACME, token).status == 204
    before = items()
    assert jira.installed(ACME, token).status == 204
    assert items() == before


def test_an_uninstall_removes_the_secret_and_keeps_the_rest(
    jira: Jira, now: int, items: Callable[[], list[Any]]
) -> None:
    assert jira.installed(ACME, iat=now - 10).status == 204
    before = tenant(jira)
    assert jira.uninstalled(ACME, iat=now).status == 204
    after = tenant(jira)
    assert after.secret is None
    assert not any({"secret", "secretKey"} & set(item) for item in items())
    assert after.state == "uninstalled"
    assert (after.id, after.base_url) == (before.id, ACME.base_url)
    assert [found.id for found in jira.function.tenants.find_by_base_url(ACME.base_url)] == [
        before.id
    ]
    assert secrets_that_open(jira) == set()


def test_a_reinstall_keeps_the_tenants_id(jira: Jira, now: int) -> None:
    assert jira.installed(ACME, iat=now - 20).status == 204
    before = tenant(jira)
    assert jira.uninstalled(ACME, iat=now - 10).status == 204
    assert jira.installed(RENEWED, iat=now).status == 204
    assert only_tenant(jira).id == before.id
    assert only_tenant(jira).state == "active"
    assert secrets_that_open(jira) == {RENEWED.secret}


def test_a_late_uninstall_does_not_undo_the_reinstall(
    jira: Jira, now: int, items: Callable[[], list[Any]]
) -> None:
    """`uninstalled` is sent in the background and may arrive after the reinstall."""
    assert jira.installed(ACME, iat=now - 20).status == 204
    late = jira.token(ACME, UNINSTALLED, iat=now - 10)
    assert jira.installed(RENEWED, iat=now).status == 204
    before = items()
    answer = jira.uninstalled(ACME, late)
    assert (answer.status, answer.error_code) == (409, "outdated")
    assert items() == before
    assert secrets_that_open(jira) == {RENEWED.secret}


def test_uninstalling_an_unknown_site_succeeds(jira: Jira, items: Callable[[], list[Any]]) -> None:
    assert jira.uninstalled(ACME).status == 204
    assert items() == []


def test_an_uninstall_may_be_repeated(jira: Jira, now: int) -> None:
    assert jira.installed(ACME, iat=now - 20).status == 204
    for seconds in (10, 10, 5):
        assert jira.uninstalled(ACME, iat=now - seconds).status == 204
    assert tenant(jira).state == "uninstalled"


# --- Concurrency: another Lambda writes between this one's read and its write ---


def test_two_concurrent_first_installs_create_one_tenant_and_the_newer_wins(
    jira: Jira, now: int
) -> None:
    rival = jira.at_another_lambda()
    statuses = []
    with aws_calls() as calls:
        calls.race(
            "TransactWriteItems",
            lambda: statuses.append(rival.installed(RENEWED, iat=now).status),
        )
        late = jira.installed(ACME, iat=now - 5)
    assert statuses == [204]
    assert (late.status, late.error_code) == (409, "outdated")
    only_tenant(jira)
    assert secrets_that_open(jira) == {RENEWED.secret}


def test_a_newer_install_that_lost_the_race_is_still_written(jira: Jira, now: int) -> None:
    rival = jira.at_another_lambda()
    ids = []
    with aws_calls() as calls:

        def rival_installs() -> None:
            assert rival.installed(ACME, iat=now - 5).status == 204
            ids.append(only_tenant(rival).id)

        calls.race("TransactWriteItems", rival_installs)
        assert jira.installed(RENEWED, iat=now).status == 204
    assert [only_tenant(jira).id] == ids
    assert secrets_that_open(jira) == {RENEWED.secret}


def test_an_install_started_before_an_uninstall_does_not_undo_it(jira: Jira, now: int) -> None:
    rival = jira.at_another_lambda()
    assert jira.installed(ACME, iat=now - 20).status == 204
    with aws_calls() as calls:
        calls.race("TransactWriteItems", lambda: rival.uninstalled(ACME, iat=now))
        assert jira.installed(RENEWED, iat=now - 10).status == 409
    assert tenant(jira).state == "uninstalled"
    assert secrets_that_open(jira) == set()


def test_an_uninstall_started_before_a_reinstall_does_not_undo_it(jira: Jira, now: int) -> None:
    rival = jira.at_another_lambda()
    assert jira.installed(ACME, iat=now - 20).status == 204
    with aws_calls() as calls:
        calls.race("TransactWriteItems", lambda: rival.installed(RENEWED, iat=now))
        assert jira.uninstalled(ACME, iat=now - 10).status == 409
    assert secrets_that_open(jira) == {RENEWED.secret}


@pytest.mark.parametrize("rivals", [4, 20])
def test_many_concurrent_installs_leave_one_tenant_with_the_newest_secret(
    jira: Jira, now: int, rivals: int
) -> None:
    """Each attempt of this install is overtaken; after too many it fails with an error."""
    rival = jira.at_another_lambda()
    taken: list[int] = []

    def overtake() -> None:
        taken.append(rival.installed(THIRD, iat=now - 100 + len(taken)).status)

    with aws_calls() as calls:
        calls.race("TransactWriteItems", *[overtake] * rivals)
        answer = jira.installed(RENEWED, iat=now)
    assert set(taken) == {204}
    only_tenant(jira)
    if rivals == 4:
        assert answer.status == 204
        assert secrets_that_open(jira) == {RENEWED.secret}
    else:
        assert (answer.status, answer.error_code) == (503, "unavailable")
        assert secrets_that_open(jira) == {THIRD.secret}


# --- AWS fails ---

FAILURES = {
    "unreachable": unreachable(),
    "throttled": client_error("ThrottlingException"),
    "unforeseen": RuntimeError("unforeseen"),
}


@pytest.fixture(params=FAILURES)
def failure(request: pytest.FixtureRequest) -> Exception:
    return FAILURES[request.param]


def fail_at_each_call(
    failure: Exception, attempt: Callable[[], Answer], items: Callable[[], list[Any]]
) -> list[str]:
    """Let the first call to AWS fail, then the second, until none is left and the attempt succeeds.

    After each failure the response must be an error and nothing may be written. Once the tenant is
    written, later failures of AWS are left to the sweeper. Returns the calls of the first attempt
    that succeeds with nothing written before it.
    """
    status = 500 if isinstance(failure, RuntimeError) else 503
    before = items()
    for at in range(20):
        with aws_calls() as calls:
            calls.fail(failure, at)
            answer = attempt()
        if len(calls.names) <= at or "TransactWriteItems" in calls.names[:at]:
            failed = len(calls.names) > at and isinstance(failure, RuntimeError)
            assert answer.status == (500 if failed else 204)
            return calls.names
        assert answer.status == status
        assert set(answer.json()) == {"error"}
        assert set(answer.json()["error"]) == {"code", "message", "details"}
        assert "from a test" not in answer.body
        assert items() == before
    raise AssertionError("it never went well")


def test_a_first_install_that_fails_in_aws_writes_nothing_and_can_be_repeated(
    jira: Jira, items: Callable[[], list[Any]], failure: Exception
) -> None:
    token = jira.token(ACME)
    calls = fail_at_each_call(failure, lambda: jira.installed(ACME, token), items)
    assert {"GetItem", "GenerateDataKey", "TransactWriteItems"} <= set(calls)
    only_tenant(jira)
    assert secrets_that_open(jira) == {ACME.secret}


def test_a_reinstall_that_fails_in_aws_changes_nothing_and_can_be_repeated(
    jira: Jira, now: int, items: Callable[[], list[Any]], failure: Exception
) -> None:
    assert jira.installed(ACME, iat=now - 10).status == 204
    token = jira.token(RENEWED, iat=now)
    moved = RENEWED.body(baseUrl="https://acme-corp.atlassian.net")
    fail_at_each_call(failure, lambda: jira.installed(RENEWED, token, moved), items)
    assert only_tenant(jira).base_url == "https://acme-corp.atlassian.net"
    assert secrets_that_open(jira) == {RENEWED.secret}


def test_an_uninstall_that_fails_in_aws_changes_nothing_and_can_be_repeated(
    jira: Jira, now: int, items: Callable[[], list[Any]], failure: Exception
) -> None:
    assert jira.installed(ACME, iat=now - 10).status == 204
    token = jira.token(ACME, UNINSTALLED, iat=now)
    fail_at_each_call(failure, lambda: jira.uninstalled(ACME, token), items)
    assert tenant(jira).state == "uninstalled"


def test_a_callback_that_fails_in_aws_is_not_answered_as_a_wrong_token(
    jira: Jira, items: Callable[[], list[Any]], failure: Exception
) -> None:
    assert jira.installed(ACME).status == 204
    restarted = jira.at_another_lambda()
    calls = fail_at_each_call(failure, lambda: restarted.enabled(ACME), items)
    assert calls == ["GetItem", "GetItem", "Decrypt"]


def test_an_install_whose_response_was_lost_can_be_repeated(jira: Jira) -> None:
    """The write succeeds and the connection breaks: the response is a 503, and Jira retries."""
    token = jira.token(ACME)

    def break_off(operation: str) -> None:
        if operation == "TransactWriteItems":
            raise unreachable()

    with aws_calls() as calls:
        calls.after = break_off
        assert jira.post(INSTALLED, token, ACME.body()).status == 503
    assert jira.post(INSTALLED, token, ACME.body()).status == 204
    only_tenant(jira)
    assert secrets_that_open(jira) == {ACME.secret}
