"""Lifecycle calls in any order: genuine, repeated, and used tokens with another secret."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay.errors import Conflict
from relay.secrets import Secrets
from relay.tenants.lifecycle import TOKENS_MAX, LifecycleToken, TokenHistory
from relay.tenants.store import TenantStore
from relay.tenants.tenant import ForgeInstallation, Installation, Tenant, TenantState
from tests.support.aws import Aws

BEGIN = int(time.time())
LEEWAY = 30
_numbers = itertools.count()
_sites = itertools.count()


@dataclass
class Play:
    """One site and its callers: Atlassian, or an attacker who has seen Atlassian's calls."""

    store: TenantStore
    now: int = BEGIN
    site: str = field(default_factory=lambda: f"site-{next(_sites)}")
    installs: list[tuple[LifecycleToken, str]] = field(default_factory=list)
    uninstalls: list[LifecycleToken] = field(default_factory=list)

    @property
    def tenant(self) -> Tenant | None:
        return self.store.find_by_client_key(self.site)

    @property
    def secret(self) -> str | None:
        return self.store.secret_of(self.tenant) if self.tenant else None

    def install(self, token: LifecycleToken, secret: str) -> bool:
        """Whether the install was accepted, as the tenant shows."""
        installation = Installation(self.site, "https://acme.atlassian.net", secret)
        try:
            self.store.install(installation, replace(token, seen_at=self.now))
        except Conflict:
            return False
        return True

    def uninstall(self, token: LifecycleToken) -> bool:
        try:
            self.store.uninstall(self.site, replace(token, seen_at=self.now))
        except Conflict:
            return False
        return True

    def new_token(self, ahead: int) -> LifecycleToken:
        return LifecycleToken(self.now + ahead, f"token-{next(_numbers)}", self.now)

    def step(self, act: str, number: int) -> None:
        """Make one call, and check what must hold after any history."""
        before = self.tenant
        if act == "wait":
            self.now += number
        elif act == "install":
            token, secret = self.new_token(number), f"secret-{next(_numbers)}"
            assert self.install(token, secret), "an install issued now is taken"
            assert self.secret == secret
            self.installs.append((token, secret))
        elif act == "uninstall":
            token = self.new_token(number)
            assert self.uninstall(token), "an uninstall issued now is obeyed"
            assert before is None or self.secret is None
            if before:
                self.uninstalls.append(token)
        elif act == "another secret":
            self._reuse_with_another_secret(number)
        elif act == "again" and self.installs:
            token, secret = self.installs[number % len(self.installs)]
            assert not self.install(token, secret) or self.secret == secret
            assert self.tenant == before, "a call that comes again changes nothing"
        elif act == "uninstall again" and self.uninstalls:
            self.uninstall(self.uninstalls[number % len(self.uninstalls)])
            assert self.tenant == before, "a call that comes again changes nothing"
        if found := self.tenant:
            assert found.tokens.at <= self.now
            assert len(found.tokens.used) <= TOKENS_MAX

    def _reuse_with_another_secret(self, number: int) -> None:
        if not self.installs:
            return
        token, _ = self.installs[number % len(self.installs)]
        before = self.tenant
        assert before is not None
        secret = f"secret-{next(_numbers)}"
        is_fresh = self.now - token.seen_at <= 5
        if self.install(token, secret):
            assert before.state is TenantState.ACTIVE, "a used token revives no site"
            assert is_fresh, "five seconds after its first use a token is good for nothing else"
            assert token == self.installs[-1][0], "a used token undoes no later call"
            assert not before.is_forge_installed
            assert self.secret == secret
            self.installs[-1] = (token, secret)
        else:
            assert self.tenant == before


@pytest.fixture
def play(aws: Aws) -> Callable[[], Play]:
    secrets = Secrets(aws.kms, aws.environment["SECRETS_KEY"])
    store = TenantStore(aws.dynamodb, aws.environment["TENANTS_TABLE"], secrets)
    return lambda: Play(store)


_AHEAD = st.integers(0, LEEWAY)
_ACTS = st.one_of(
    st.tuples(st.just("install"), _AHEAD),
    st.tuples(st.just("uninstall"), _AHEAD),
    st.tuples(st.just("wait"), st.integers(1, 40)),
    st.tuples(st.sampled_from(["another secret", "again", "uninstall again"]), st.integers(0, 9)),
)


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(acts=st.lists(_ACTS, max_size=9))
def test_in_any_order_genuine_calls_count_and_used_tokens_do_not(
    play: Callable[[], Play], acts: list[tuple[str, int]]
) -> None:
    site = play()
    for act, number in acts:
        site.step(act, number)


@pytest.mark.parametrize("ahead", [0, 1, LEEWAY])
@pytest.mark.parametrize("uninstall_ahead", [0, 1, LEEWAY])
@pytest.mark.parametrize("pause", [0, 1, 4, 6, 40])
def test_an_uninstall_after_an_install_ends_it_for_good(
    play: Callable[[], Play], ahead: int, uninstall_ahead: int, pause: int
) -> None:
    site = play()
    for act, number in (
        ("install", ahead),
        ("wait", pause),
        ("uninstall", uninstall_ahead),
        ("another secret", 0),
        ("again", 0),
        ("wait", pause),
        ("another secret", 0),
        ("uninstall again", 0),
    ):
        site.step(act, number)
    assert site.tenant
    assert site.tenant.state is TenantState.UNINSTALLED
    site.step("install", 0)
    site.step("uninstall again", 0)
    assert site.secret is not None


@pytest.mark.parametrize("ahead", [0, LEEWAY])
@pytest.mark.parametrize(("pause", "is_taken"), [(0, True), (5, True), (6, False)])
def test_a_used_token_may_carry_another_secret_for_five_seconds(
    play: Callable[[], Play], ahead: int, pause: int, is_taken: bool
) -> None:
    site = play()
    token = site.new_token(ahead)
    assert site.install(token, "first")
    site.now += pause
    assert site.install(token, "second") is is_taken
    site.now += 6
    assert not site.install(token, "third")
    assert site.secret == ("second" if is_taken else "first")


@pytest.mark.parametrize("ahead", [0, 1, LEEWAY])
def test_forges_uninstall_counts_although_an_earlier_token_has_a_later_iat(
    play: Callable[[], Play], ahead: int
) -> None:
    site = play()
    installation = ForgeInstallation(site.site, f"cloud-{site.site}", "https://api.example.com")
    used = site.new_token(ahead)
    site.store.install_forge(installation, used)
    site.now += 1
    gone = site.store.uninstall_forge(site.site, site.new_token(0))
    assert gone
    assert not gone.is_forge_installed
    site.now += 1
    assert site.store.install_forge(installation, replace(used, seen_at=site.now)) == gone


def test_a_history_forgets_only_outdated_calls() -> None:
    history = TokenHistory()
    tokens = [LifecycleToken(second + LEEWAY, str(second), second) for second in range(100, 200)]
    for token in tokens:
        history = history.including(token)
        assert history.at == token.seen_at
        for each in tokens[: tokens.index(token) + 1]:
            assert history.is_outdated(each) or history.first_use(each)
    assert len(history.used) <= LEEWAY + 1
