"""Known attacks on Connect apps, and possible ones."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.security import forgery
from tests.security.answers import is_error, refused
from tests.support.clock import Clock
from tests.support.lifecycle import ACME, ENABLED, GLOBEX, INSTALLED, UNINSTALLED, Jira
from tests.support.tokens import claims, signed_callback, signed_install

Stored = Callable[[], list[Any]]
MALLORYS = "ATCO-mallorys-secret-which-must-never-become-a-tenants"


@pytest.fixture
def jira(jira: Jira) -> Jira:
    """Both sites have had the app for a minute."""
    for site in (ACME, GLOBEX):
        assert jira.installed(site, iat=int(time.time()) - 60).status == 204
    return jira


@pytest.fixture
def unharmed(jira: Jira, stored: Stored) -> Callable[[], bool]:
    """Whether the tenants are unchanged and their own secrets still valid."""
    before = stored()

    def check() -> bool:
        return stored() == before and all(
            jira.enabled(site).status == 204
            and jira.enabled(site.with_secret(MALLORYS)).status == 401
            for site in (ACME, GLOBEX)
        )

    return check


def test_an_unsigned_install_cannot_take_over_a_tenant(
    jira: Jira, unharmed: Callable[[], bool]
) -> None:
    mallorys = ACME.with_secret(MALLORYS).body()
    own = claims(ACME.client_key, "POST", INSTALLED, aud=jira.app_url)
    for token in [
        None,
        signed_callback(MALLORYS, own),
        signed_callback(ACME.secret, own),
        forgery.unsigned({"alg": "none"}, own),
    ]:
        assert refused(jira.post(INSTALLED, token, mallorys))
    assert unharmed()


def test_a_pages_token_opens_no_lifecycle_route(
    jira: Jira, unharmed: Callable[[], bool], subtests: pytest.Subtests
) -> None:
    """A user's browser has such a token; it is signed with the tenant's own secret."""
    for path in (INSTALLED, UNINSTALLED, ENABLED, "/lifecycle/disabled"):
        page = claims(ACME.client_key, "POST", path, qsh="context-qsh", sub="557058:user")
        with subtests.test(path=path):
            assert refused(jira.post(path, signed_callback(ACME.secret, page), ACME.body()))
    assert unharmed()


def test_a_sites_token_proves_nothing_about_another_site(
    jira: Jira, unharmed: Callable[[], bool]
) -> None:
    mallorys = GLOBEX.with_secret(MALLORYS)
    assert refused(jira.installed(ACME, body=mallorys.body()))
    assert refused(jira.uninstalled(ACME, body=mallorys.body("uninstalled")))
    globex = claims(GLOBEX.client_key, "POST", ENABLED)
    assert refused(jira.post(ENABLED, signed_callback(ACME.secret, globex), GLOBEX.body()))
    assert unharmed()


def test_a_callbacks_body_does_not_choose_the_site(
    jira: Jira, unharmed: Callable[[], bool]
) -> None:
    token = signed_callback(ACME.secret, claims(ACME.client_key, "POST", ENABLED))
    assert jira.post(ENABLED, token, GLOBEX.with_secret(MALLORYS).body()).status == 204
    assert unharmed()


@pytest.fixture
def used(jira: Jira, clock: Clock) -> str:
    """A token of ACME's install that was used, leaked, and has not expired."""
    token = jira.token(ACME)
    assert jira.installed(ACME, token).status == 204
    clock.seconds += 6
    return token


def test_an_older_install_cannot_be_replayed(jira: Jira) -> None:
    now = int(time.time())
    old = jira.token(ACME, iat=now - 30, exp=now + 150)
    assert jira.installed(ACME, old).status == 204
    renewed = ACME.with_secret("ATCO-acme-second-secret-that-only-jira-and-relay-share")
    assert jira.installed(renewed, iat=now).status == 204
    for body in (ACME.body(), ACME.with_secret(MALLORYS).body()):
        assert is_error(jira.post(INSTALLED, old, body), 409, "outdated")
    assert jira.enabled(renewed).status == 204
    assert jira.enabled(ACME).status == 401


def test_the_same_token_with_another_body_changes_nothing(
    jira: Jira, used: str, stored: Stored
) -> None:
    before = stored()
    stolen = ACME.with_secret(MALLORYS).body(baseUrl="https://mallory.atlassian.net")
    assert is_error(jira.post(INSTALLED, used, stolen), 409, "token_used")
    assert stored() == before
    assert jira.enabled(ACME).status == 204


def test_a_re_encoded_token_changes_nothing(
    jira: Jira, used: str, stored: Stored, subtests: pytest.Subtests
) -> None:
    """A signature has several encodings; none of them makes a used token a new one."""
    before = stored()
    stolen = ACME.with_secret(MALLORYS).body()
    signature = used.rpartition(".")[2]
    last_bits = [used[:-1] + letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefgh"]
    for spelling in [used + "==", used + "=", used + " ", f" {used}", used + ".", *last_bits]:
        with subtests.test(spelling=spelling[-4:], length=len(spelling) - len(signature)):
            jira.post(INSTALLED, spelling, stolen)
            assert stored() == before
    assert jira.enabled(ACME).status == 204


def test_an_install_cannot_be_replayed_after_the_uninstall(jira: Jira) -> None:
    now = int(time.time())
    for uninstalled_at in (now - 60, now - 50):
        token = jira.token(ACME, iat=uninstalled_at)
        uninstall = jira.token(ACME, UNINSTALLED, iat=uninstalled_at)
        assert jira.installed(ACME, token).status == 204
        assert jira.uninstalled(ACME, uninstall).status == 204
        jira.post(INSTALLED, token, ACME.with_secret(MALLORYS).body())
        jira.post(INSTALLED, token + "==", ACME.with_secret(MALLORYS).body())
        assert jira.enabled(ACME.with_secret(MALLORYS)).status == 401
        assert jira.enabled(ACME).status == 401


def test_an_uninstall_cannot_be_replayed_after_the_reinstall(jira: Jira) -> None:
    now = int(time.time())
    uninstall = jira.token(ACME, UNINSTALLED, iat=now - 10)
    assert jira.uninstalled(ACME, uninstall).status == 204
    assert jira.installed(ACME, iat=now).status == 204
    assert is_error(jira.uninstalled(ACME, uninstall), 409, "outdated")
    assert jira.enabled(ACME).status == 204


def test_an_install_token_is_not_accepted_for_an_uninstall(
    jira: Jira, unharmed: Callable[[], bool]
) -> None:
    assert refused(jira.post(UNINSTALLED, jira.token(ACME), ACME.body()))
    assert refused(jira.post(INSTALLED, jira.token(ACME, UNINSTALLED), ACME.body()))
    assert unharmed()


def test_a_token_that_relay_made_for_jira_does_not_open_relay(
    jira: Jira, unharmed: Callable[[], bool]
) -> None:
    """It is signed with the site's secret, too, and a site could send it back."""
    payload = claims(jira.function.settings.app_key, "POST", ENABLED, aud=[ACME.client_key])
    assert refused(jira.post(ENABLED, signed_callback(ACME.secret, payload), ACME.body()))
    assert unharmed()


def test_another_apps_install_does_not_install_this_one(
    jira: Jira, unharmed: Callable[[], bool]
) -> None:
    """Atlassian's key signs for every app; only the audience differs."""
    elsewhere = jira.claims(ACME) | {"aud": "https://mallory.example"}
    token = signed_install(jira.key, elsewhere)
    assert refused(jira.post(INSTALLED, token, ACME.with_secret(MALLORYS).body()))
    assert unharmed()
