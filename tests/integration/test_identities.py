"""A site has the app under Connect, Forge or both, and is always one tenant."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay.secrets import Secrets
from relay.tenants.lifecycle import LifecycleToken
from relay.tenants.replay import ReplayScope
from relay.tenants.store import TenantStore
from relay.tenants.tenant import ForgeInstallation, Installation, Tenant, TenantState
from tests.integration.catching_up_stage import progress, resume, sequences
from tests.integration.identities_stage import TwofoldSite, new_site, relay_on_both
from tests.integration.relay_stage import Relay, Start
from tests.integration.simulator_stage import Simulator
from tests.support.aws import Aws
from tests.support.aws_calls import AwsCalls
from tests.support.entities import incident, review


@pytest.fixture
def relay(start: Start, simulator: Simulator) -> Relay:
    return relay_on_both(start, simulator)


@pytest.fixture
def site(relay: Relay, simulator: Simulator) -> TwofoldSite:
    return new_site(relay, simulator)


@pytest.fixture
def store(aws: Aws) -> TenantStore:
    environment = aws.environment
    secrets = Secrets(aws.kms, environment["SECRETS_KEY"])
    return TenantStore(aws.dynamodb, environment["TENANTS_TABLE"], secrets)


def is_twofold(document: dict[str, Any], site: TwofoldSite) -> bool:
    return (
        document.get("clientKey") == site.client_key
        and document.get("installationId") == site.installation_id
        and document["state"] == "active"
    )


def merged(relay: Relay) -> list[Tenant]:
    return [tenant for tenant in relay.tenants.all() if tenant.merged_into]


# --- Connect first ---


def test_the_site_itself_names_its_connect_identity_to_forge(site: TwofoldSite) -> None:
    site.install_by_connect()
    before = site.document()
    site.link()
    site.forget_calls()
    site.move_to_forge()
    after = site.document()
    assert is_twofold(after, site)
    assert after["id"] == before["id"]
    assert after["cloudId"] == site.facts["cloudId"]
    assert after["installedAt"] == before["installedAt"]
    assert site.calls() == [("getAddonProperty", "forge", 200)]


def test_a_move_to_forge_restarts_nothing(site: TwofoldSite, relay: Relay) -> None:
    site.install_by_connect()
    site.link()
    relay.submit("payments", incidents=[incident("i")], reviews=[review("r")])
    site.forget_calls()
    site.move_to_forge()
    resume(relay)
    assert [operation for operation, _, _ in site.calls()] == ["getAddonProperty"]
    assert sequences(site.jira()) == {"i": 1, "r": 1}
    assert progress(relay, site.jira())["why"] == "linked"


def test_an_unanswered_client_key_is_requested_again_with_the_next_token(
    site: TwofoldSite, relay: Relay
) -> None:
    """Permissions take some minutes to settle after an install."""
    site.install_by_connect()
    before = site.document()
    site.switch(forge=403)
    site.move_to_forge()
    assert len(site.documents()) == 2
    site.tick()
    assert len(site.documents()) == 2
    site.switch(forge="on")
    site.tick()
    assert is_twofold(site.document(), site)
    assert site.document()["id"] == before["id"]
    assert [tenant.merged_into for tenant in merged(relay)] == [before["id"]]


def test_a_later_lifecycle_call_of_connect_names_the_installation(
    site: TwofoldSite, relay: Relay
) -> None:
    site.install_by_connect()
    before = site.document()
    site.switch(clientKeyProperty="off")
    site.move_to_forge()
    assert len(site.documents()) == 2
    site.upgrade_by_forge()
    assert is_twofold(site.document(), site)
    assert site.document()["id"] == before["id"]
    assert [tenant.merged_into for tenant in merged(relay)] == [before["id"]]


def test_connect_on_forge_from_the_start_is_one_tenant(site: TwofoldSite, relay: Relay) -> None:
    site.install_by_forge(True, descriptorUrl=site.descriptor_url)
    assert is_twofold(site.document(), site)
    assert merged(relay) == []


# --- Forge first ---


def test_connect_names_the_existing_forge_installation(site: TwofoldSite, relay: Relay) -> None:
    site.install_by_forge()
    before = site.document()
    assert "clientKey" not in before
    site.upgrade_by_forge(connect=True, descriptorUrl=site.descriptor_url)
    after = site.document()
    assert is_twofold(after, site)
    assert after["id"] == before["id"]
    assert after["baseUrl"] == site.facts["baseUrl"]
    assert merged(relay) == []


def test_a_tick_of_an_unknown_installation_installs_it(site: TwofoldSite, relay: Relay) -> None:
    site.install_by_forge()
    unheard = site.installation_id + "-unheard-of"
    claims = {"app.installationId": unheard, "app.installation.id": unheard}
    other = new_site(relay, site.simulator)
    other.install_by_forge()
    other.forge_calls("/forge/tick", claims=claims)
    assert other.document()["installationId"] == unheard
    found = relay.tenants.find_by_installation_id(unheard)
    assert found is not None
    assert relay.tenants.system_token_of(found) in _tokens(other)


def _tokens(site: TwofoldSite) -> list[str]:
    """The valid system tokens, the newest last."""
    return [one["token"] for one in site.facts["forge"]["systemTokens"]]


def test_a_tick_stores_the_newest_token(site: TwofoldSite, relay: Relay) -> None:
    site.install_by_forge()
    first = relay.tenants.system_token_of(site.tenant)
    site.tick()
    second = relay.tenants.system_token_of(site.tenant)
    assert [first, second] == _tokens(site)


# --- The same site, reinstalled ---


def test_a_reinstalled_forge_app_is_found_by_its_cloud_id(site: TwofoldSite, relay: Relay) -> None:
    site.install_by_forge()
    site.link()
    relay.submit("payments", incidents=[incident("i")])
    before = site.document()
    site.uninstall_by_forge()
    gone = site.document()
    assert gone["state"] == "uninstalled"
    assert "installationId" not in gone
    site.install_by_forge()
    relay.run_replays()
    after = site.document()
    assert after["id"] == before["id"]
    assert after["installationId"] == site.installation_id != before["installationId"]
    assert after["state"] == "active"
    assert sequences(site.jira()) == {"i": 2}


def test_a_missed_uninstall_is_detected_by_the_next_installation(
    site: TwofoldSite, relay: Relay
) -> None:
    """Like a new secret under Connect: Jira may have deleted everything it was sent."""
    site.install_by_forge()
    site.link()
    relay.submit("payments", incidents=[incident("i")])
    before = site.tenant
    new = f"{site.installation_id}-anew"
    site.simulator.control("POST", f"/sites/{site.name}/forget", {}).raise_for_status()
    site.forge_calls(
        "/forge/installed", claims={"app.installationId": new, "app.installation.id": new}
    )
    relay.run_replays()
    assert site.tenant.id == before.id
    assert site.document()["installationId"] == new
    assert sequences(site.jira()) == {"i": 2}


def test_both_identities_survive_a_reinstall_of_both(site: TwofoldSite, relay: Relay) -> None:
    site.install_by_forge(True, descriptorUrl=site.descriptor_url)
    site.link()
    relay.submit("payments", incidents=[incident("i")])
    before = site.document()
    site.uninstall_by_forge()
    assert site.document()["state"] == "uninstalled"
    site.install_by_forge(True, descriptorUrl=site.descriptor_url)
    relay.run_replays()
    assert is_twofold(site.document(), site)
    assert site.document()["id"] == before["id"]
    assert sequences(site.jira())["i"] > 1


def test_a_forge_tenant_unknown_to_connect_is_joined_by_its_cloud_id(
    site: TwofoldSite, relay: Relay
) -> None:
    """Forge's installation is gone, Connect's is created, and a new one of Forge names both."""
    site.install_by_forge()
    site.link()
    relay.submit("payments", incidents=[incident("i")])
    forge_alone = site.tenant
    site.uninstall_by_forge()
    site.install_by_connect()
    assert len(site.documents()) == 2
    site.move_to_forge()
    relay.sweep()
    assert is_twofold(site.document(), site)
    assert [tenant.id for tenant in merged(relay)] == [forge_alone.id]
    assert relay.links.workspaces_of(site.document()["id"]) == ["payments"]
    assert sequences(site.jira()).keys() == {"i"}


# --- Merging two tenants ---


@pytest.fixture
def apart(site: TwofoldSite, relay: Relay) -> tuple[Tenant, Tenant]:
    """Connect's tenant and Forge's, each with its links, before Relay knows that they are one. Each
    was sent the same incident.
    """
    site.switch(clientKeyProperty="off")
    site.install_by_connect()
    site.move_to_forge()
    connect = relay.tenants.find_by_client_key(site.client_key)
    forge = relay.tenants.find_by_installation_id(site.installation_id)
    assert connect is not None
    assert forge is not None
    assert connect.id != forge.id
    for tenant, workspaces in ((connect, ["payments"]), (forge, ["payments", "search"])):
        for workspace in workspaces:
            url = f"/v1/sites/{tenant.id}/workspaces/{workspace}"
            assert relay.provider("PUT", url).status == 200
    relay.run_replays()
    relay.submit("payments", incidents=[incident("i")])
    relay.submit("search", incidents=[incident("s", 7)])
    # Forge's tenant has started over more often.
    for _ in range(3):
        assert relay.provider("POST", f"/v1/sites/{forge.id}/replay", {"what": "all"}).status == 202
        relay.run_replays()
    return connect, forge


def generation(relay: Relay, tenant: Tenant, workspace: str = "payments") -> int:
    return int(relay.gateway.functions["replayer"].parts.sites.generation(tenant.id, workspace))


def test_merged_tenants_share_their_links(
    site: TwofoldSite, relay: Relay, apart: tuple[Tenant, Tenant]
) -> None:
    connect, forge = apart
    before = [generation(relay, tenant) for tenant in apart]
    site.switch(clientKeyProperty="on")
    site.tick()
    assert is_twofold(site.document(), site)
    assert site.document()["id"] == connect.id
    relay.sweep()
    assert relay.links.workspaces_of(connect.id) == ["payments", "search"]
    assert relay.links.workspaces_of(forge.id) == []
    for workspace in ("payments", "search"):
        assert [link.tenant_id for link in relay.links.of_workspace(workspace)] == [connect.id]
    assert generation(relay, connect) > max(before)
    held = sequences(site.jira())
    assert held == {
        "i": 1 + generation(relay, connect),
        "s": 7 + generation(relay, connect, "search"),
    }
    # The next state gets a higher sequence than either tenant sent.
    relay.submit("payments", incidents=[incident("i", 2)])
    assert sequences(site.jira())["i"] == 2 + generation(relay, connect)


def test_a_moved_link_keeps_its_ids(
    site: TwofoldSite, relay: Relay, apart: tuple[Tenant, Tenant]
) -> None:
    """They are in Jira already, whatever `PlainIds` is now."""
    connect, forge = apart
    for tenant in apart:
        for workspace in relay.links.workspaces_of(tenant.id):
            relay.links.unlink(tenant.id, workspace)
    relay.links.link(forge.id, "search", plain=True)
    site.switch(clientKeyProperty="on")
    site.tick()
    relay.sweep()
    assert [link.ids.plain for link in relay.links.of_tenant(connect.id)] == [True]


def test_moving_the_links_again_changes_nothing(
    site: TwofoldSite, relay: Relay, apart: tuple[Tenant, Tenant]
) -> None:
    site.switch(clientKeyProperty="on")
    site.tick()
    relay.sweep()
    held, before = sequences(site.jira()), generation(relay, apart[0])
    site.forget_calls()
    resume(relay)
    site.tick()
    resume(relay)
    assert (sequences(site.jira()), generation(relay, apart[0])) == (held, before)
    assert site.calls() == []


def test_a_merged_tenant_is_no_longer_a_site(
    site: TwofoldSite, relay: Relay, apart: tuple[Tenant, Tenant]
) -> None:
    connect, forge = apart
    listed = {document["id"] for document in relay.provider("GET", "/v1/sites").json()["sites"]}
    assert listed == {connect.id, forge.id}
    site.switch(clientKeyProperty="on")
    site.tick()
    listed = {document["id"] for document in relay.provider("GET", "/v1/sites").json()["sites"]}
    assert listed == {connect.id}
    # A caller with the old id is referred to the new one, and cannot use the old.
    asked = relay.provider("GET", f"/v1/sites/{forge.id}").json()
    assert (asked["state"], asked["supersededBy"]) == ("uninstalled", connect.id)
    answer = relay.provider("PUT", f"/v1/sites/{forge.id}/workspaces/search")
    assert (answer.status, answer.error_code) == (409, "uninstalled")
    left = relay.tenants.existing(forge.id)
    assert (left.secret, left.forge) == (None, None)


def test_nothing_is_sent_for_a_merged_tenant(
    site: TwofoldSite, relay: Relay, apart: tuple[Tenant, Tenant]
) -> None:
    """Its links exist until the sweeper moves them after the merge."""
    site.switch(clientKeyProperty="on")
    site.tick()
    site.forget_calls()
    relay.submit("search", incidents=[incident("s", 8)])
    assert site.calls() == []
    resume(relay)
    connect = apart[0]
    assert sequences(site.jira())["s"] == 8 + generation(relay, connect, "search")


# --- Calls that join nothing ---


def test_a_shared_base_url_alone_never_merges_two_sites(store: TenantStore) -> None:
    forge = store.install_forge(_forge(), _token())
    connect = store.install(replace(_connect(), base_url=forge.base_url), _token())
    again = store.install_forge(_forge(), _token(2))
    assert connect.id != forge.id == again.id
    assert {found.id for found in store.find_by_base_url(forge.base_url)} == {connect.id, forge.id}


@pytest.mark.parametrize("is_there_by_forge", [True, False])
def test_a_client_key_from_jira_joins_no_tenant_with_another_proven_cloud_id(
    store: TenantStore, is_there_by_forge: bool
) -> None:
    """A property copied with a restored backup does not merge two sites."""
    told = replace(_forge(), client_key="client")
    store.install(_connect(), _token(1))
    first = store.install_forge(told, _token(2))
    assert first.client_key == "client"
    other = replace(
        told, installation_id="another", cloud_id="0" * 8 + _forge().cloud_id[8:], system_token="b"
    )
    if is_there_by_forge:
        store.install_forge(replace(other, client_key=None), _token(3))
    second = store.install_forge(other, _token(4))
    assert second.id != first.id
    assert (second.client_key, second.merged_into) == (None, None)
    assert store.system_token_of(second) == "b"
    assert store.find_by_client_key("client") == first
    assert store.find_by_installation_id("another") == second
    # Nor after the first one has removed the app from Forge: the proof stays.
    gone = store.uninstall_forge(told.installation_id, _token(5))
    assert store.install_forge(replace(other, system_token="c"), _token(6)).id == second.id
    assert store.find_by_client_key("client") == gone


def test_another_connect_identity_cannot_claim_an_installation(store: TenantStore) -> None:
    """A site import may make another clientKey name the same installation."""
    both = store.install_forge(replace(_forge(), client_key="client"), _token())
    both = store.install(_connect(), _token(1))
    other = store.install(replace(_connect(), client_key="imported"), _token(2))
    assert both.id != other.id
    told = store.install_forge(replace(_forge(), client_key="imported"), _token(3))
    assert told.id == both.id
    assert told.client_key == "client"
    found = store.existing(other.id)
    assert (found.forge, found.state, found.merged_into) == (None, TenantState.ACTIVE, None)


# --- Outdated calls ---


def test_an_old_token_changes_nothing(site: TwofoldSite) -> None:
    site.install_by_forge()
    site.tick()
    before = site.tenant
    now = int(time.time())
    for path in ("/forge/installed", "/forge/upgraded", "/forge/tick", "/forge/uninstalled"):
        site.forge_calls(
            path,
            claims={"iat": now - 30, "nbf": now - 30},
            headers={"x-forge-oauth-system": "an-old-token"},
        )
    assert site.tenant == before


def test_a_repeated_token_changes_nothing(store: TenantStore) -> None:
    first = store.install_forge(_forge("first"), _token(1))
    store.install_forge(_forge("second"), _token(1))
    again = store.install_forge(_forge("first"), _token(1, first))
    assert store.system_token_of(again) == "second"


def test_a_repeated_install_does_not_undo_an_uninstall_in_the_same_second(
    store: TenantStore,
) -> None:
    installed = store.install_forge(_forge(), _token(1))
    store.uninstall_forge(_forge().installation_id, _token(1))
    again = store.install_forge(_forge(), _token(1, installed))
    assert again.state is TenantState.UNINSTALLED
    assert store.system_token_of(again) is None


def test_joining_an_old_installation_restores_no_old_token(
    store: TenantStore,
) -> None:
    """The join is accepted; the old token in the same call is not."""
    connect = store.install(_connect(), _token(1))
    forge = store.install_forge(_forge("newest"), _token(5))
    joined = store.install_forge(replace(_forge("old"), client_key="client"), _token(3))
    assert joined.id == connect.id != forge.id
    assert store.system_token_of(joined) == "newest"
    assert joined.forge is not None
    assert joined.forge.tokens.at == _at(5)


def test_a_call_of_an_earlier_installation_finds_the_tenant_that_took_over(
    store: TenantStore,
) -> None:
    earlier = _forge()
    store.install_forge(earlier, _token(1))
    later = replace(earlier, installation_id="installation-later")
    store.install_forge(later, _token(2))
    connect = store.install(_connect(), _token(3))
    store.install_forge(replace(later, client_key="client"), _token(4))
    found = store.find_by_installation_id(earlier.installation_id)
    assert found is not None
    assert found.id == connect.id
    assert store.uninstall_forge(earlier.installation_id, _token(5)) is None
    assert store.existing(connect.id).is_forge_installed


# --- One of the two is removed ---


def test_forges_pre_uninstall_removes_its_token_and_keeps_connect(
    site: TwofoldSite, relay: Relay
) -> None:
    site.install_by_connect()
    site.move_to_forge()
    before = site.tenant
    site.forge_calls("/forge/uninstalled")
    after = site.tenant
    assert (after.id, after.state, after.installs) == (before.id, before.state, before.installs)
    assert relay.tenants.system_token_of(after) is None
    assert after.forge is not None
    assert (after.forge.cloud_id, after.is_forge_installed) == (site.facts["cloudId"], False)
    assert site.document()["credential"] == {"inUse": "connect"}
    # Repeated, and for an unknown site.
    site.forge_calls("/forge/uninstalled")
    assert site.tenant == after


def test_an_uninstalled_forge_only_site_is_without_the_app(site: TwofoldSite, relay: Relay) -> None:
    site.install_by_forge()
    token = relay.tenants.system_token_of(site.tenant)
    site.forge_calls("/forge/uninstalled")
    assert site.document()["state"] == "uninstalled"
    assert "credential" not in site.document()
    assert token is not None
    assert token not in relay.stored()


def test_a_site_that_loses_connect_continues_under_forge_and_starts_over(
    site: TwofoldSite, relay: Relay, store: TenantStore
) -> None:
    """Jira may have deleted all that Connect had sent."""
    site.install_by_connect()
    site.link()
    site.move_to_forge()
    relay.submit("payments", incidents=[incident("i")])
    before = site.tenant
    site.simulator.control("POST", f"/sites/{site.name}/forget", {}).raise_for_status()
    now = int(time.time())
    store.uninstall(site.client_key, LifecycleToken(now + 1, "told"))
    after = site.tenant
    assert (after.id, after.state, after.secret) == (before.id, TenantState.ACTIVE, None)
    assert site.document()["credential"] == {"inUse": "forge"}
    resume(relay)
    assert sequences(site.jira()) == {"i": 2}
    # It is called again with another token: nothing is left to delete.
    store.uninstall(site.client_key, LifecycleToken(now + 2, "told again"))
    assert site.tenant.installs == after.installs


# --- Concurrent writes ---


def test_a_concurrent_write_is_detected(store: TenantStore, calls: AwsCalls) -> None:
    """Whichever call is overtaken at its write, the changes of both are stored."""
    rivals: dict[str, Callable[[], object]] = {
        "token": lambda: store.install_forge(_forge("rival"), _token(4)),
        "connect": lambda: store.install(replace(_connect(), shared_secret="rival"), _token(4)),
        "url": lambda: store.install(replace(_connect(), base_url="https://b.jira.com"), _token(5)),
    }
    connect = store.install(_connect(), _token(1))
    told = replace(_forge("mine"), client_key="client")
    for number, rival in enumerate(rivals.values()):
        calls.race("TransactWriteItems", rival)
        mine = store.install_forge(told, _token(5 + number))
        calls.no_more_trouble()
        found = store.existing(mine.id)
        assert mine == found
        assert store.system_token_of(found) == "mine"
    (found,) = _living(store)
    assert found.id == connect.id
    assert found.base_url == "https://b.jira.com"


def test_two_concurrent_first_calls_end_as_one_tenant(store: TenantStore, calls: AwsCalls) -> None:
    named = replace(_connect(), installation_id=_forge().installation_id)
    told = replace(_forge(), client_key="client")
    calls.race("TransactWriteItems", lambda: store.install(named, _token(1)))
    store.install_forge(told, _token(1))
    calls.no_more_trouble()
    (found,) = _living(store)
    assert found.secret
    assert found.is_forge_installed


def test_a_merge_uses_the_newest_state_of_both_tenants(store: TenantStore, calls: AwsCalls) -> None:
    connect = store.install(_connect(), _token(1))
    forge = store.install_forge(_forge("old"), _token(1))
    calls.race(
        "TransactWriteItems",
        lambda: store.install_forge(_forge("newer"), _token(2)),
        lambda: store.install(replace(_connect(), shared_secret="newer"), _token(2)),
    )
    named = replace(
        _connect(),
        shared_secret="newest",
        installation_id=forge.installation_id,
    )
    store.install(named, _token(3))
    calls.no_more_trouble()
    (found,) = _living(store)
    assert found.id == connect.id
    assert store.system_token_of(found) == "newer"
    assert store.secret_of(found) == "newest"


# --- Any order, with repetitions ---


@dataclass
class Play:
    """The calls of one site in some order, and the links of its tenants meanwhile."""

    parts: Any
    seconds: int = 0
    generations: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def tenants(self) -> TenantStore:
        store: TenantStore = self.parts.tenants
        return store

    def all(self) -> list[Tenant]:
        return self.tenants.all()

    def living(self) -> list[Tenant]:
        return [tenant for tenant in self.all() if tenant.merged_into is None]

    def act(self, act: str, times: int) -> None:
        self.seconds += 1
        token = _token(self.seconds)
        for _ in range(times):
            getattr(self, act.replace(" ", "_"))(token)
        self._note()

    def connect(self, token: LifecycleToken, named: str | None = None) -> None:
        self.tenants.install(replace(_connect(), installation_id=named), token)

    def connect_named(self, token: LifecycleToken) -> None:
        self.connect(token, _forge().installation_id)

    def forge(self, token: LifecycleToken, told: str | None = None) -> None:
        self.tenants.install_forge(
            replace(_forge(f"token of {token.issued_at}"), client_key=told), token
        )

    def forge_reported(self, token: LifecycleToken) -> None:
        self.forge(token, _connect().client_key)

    def late_forge(self, _: LifecycleToken) -> None:
        self.forge(_token(-1))

    def link(self, token: LifecycleToken) -> None:
        for tenant in self.living():
            self.parts.starter.link(tenant, f"workspace-{token.issued_at % 3}", "")

    def reset(self, _: LifecycleToken) -> None:
        for tenant in self.living():
            self.parts.starter.request(tenant, ReplayScope.ALL, None, None)

    def take_over(self, _: LifecycleToken) -> None:
        for tenant in self.all():
            self.parts.starter.take_over(tenant)

    def links(self) -> dict[str, set[str]]:
        return {tenant.id: set(self.parts.links.workspaces_of(tenant.id)) for tenant in self.all()}

    def _note(self) -> None:
        """Record the generations of the active tenants, which must never decrease."""
        for tenant in self.living():
            for workspace in self.parts.links.workspaces_of(tenant.id):
                now = self.parts.sites.generation(tenant.id, workspace)
                assert now >= self.generations.get((tenant.id, workspace), 0)
                self.generations[tenant.id, workspace] = now


_ACTS = (
    "connect",
    "connect named",
    "forge",
    "forge reported",
    "late forge",
    "link",
    "reset",
    "take over",
)


@pytest.fixture
def play(function: Callable[..., ModuleType], aws: Aws) -> Callable[[], Play]:
    """A new play on an empty table."""
    parts = function("sweeper").parts

    def begin() -> Play:
        for item in aws.dynamodb.scan(TableName="TenantsTable")["Items"]:
            key = {"pk": item["pk"], "sk": item["sk"]}
            aws.dynamodb.delete_item(TableName="TenantsTable", Key=key)
        return Play(parts)

    return begin


@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    acts=st.lists(st.tuples(st.sampled_from(_ACTS), st.integers(1, 2)), max_size=6),
    last=st.permutations(["connect", "forge", "link"]),
    join=st.sampled_from(["connect named", "forge reported"]),
)
def test_any_order_of_calls_ends_in_one_tenant_with_both_identities(
    play: Callable[[], Play], acts: list[tuple[str, int]], last: list[str], join: str
) -> None:
    site = play()
    every = [*acts, *((one, 1) for one in last), (join, 2)]
    for act, times in every:
        site.act(act, times)
    linked = {workspace for found in site.links().values() for workspace in found}
    site.act("take over", 2)

    (one,) = site.living()
    assert (one.client_key, one.state) == (_connect().client_key, TenantState.ACTIVE)
    assert one.is_forge_installed
    assert site.tenants.secret_of(one) == _connect().shared_secret
    newest = max(second for second, (act, _) in enumerate(every, 1) if act.startswith("forge"))
    assert site.tenants.system_token_of(one) == f"token of {_at(newest)}"
    assert site.tenants.find_by_client_key(_connect().client_key) == one
    assert site.tenants.find_by_installation_id(_forge().installation_id) == one
    assert all(tenant.merged_into == one.id for tenant in site.all() if tenant != one)

    assert {workspace for found in site.links().values() for workspace in found} == linked
    assert site.links()[one.id] == linked
    for workspace in linked:
        now = site.parts.sites.generation(one.id, workspace)
        others = {
            before
            for (tenant, at), before in site.generations.items()
            if at == workspace and tenant != one.id
        }
        assert now > max(others, default=-1)
        assert now >= site.generations[one.id, workspace]


@settings(
    deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(acts=st.lists(st.tuples(st.sampled_from(_ACTS), st.integers(1, 2)), max_size=5))
def test_a_tenant_created_by_connect_keeps_its_id(
    play: Callable[[], Play], acts: list[tuple[str, int]]
) -> None:
    site = play()
    site.act("connect", 1)
    (first,) = site.living()
    for act, times in (*acts, ("forge reported", 1)):
        site.act(act, times)
    (one,) = site.living()
    assert one.id == first.id


# --- Installs in the store ---

_BEGIN = int(time.time()) - 1000


def _at(second: int) -> int:
    return _BEGIN + second


def _token(second: int = 0, of: object = None) -> LifecycleToken:
    """A token issued now; or the one that created this tenant, if given."""
    if isinstance(of, Tenant) and of.forge:
        (used,) = of.forge.tokens.used
        return LifecycleToken(_at(second), used.digest)
    return LifecycleToken(_at(second), uuid4().hex)


def _connect() -> Installation:
    return Installation("client", "https://acme.atlassian.net", "a secret")


def _forge(sent: str = "a-token") -> ForgeInstallation:
    cloud_id = "4c822e2f-510f-48b9-b8d2-8419d0932949"
    url = f"https://api.atlassian.com/ex/jira/{cloud_id}"
    return ForgeInstallation("installation", cloud_id, url, sent)


def _living(store: TenantStore) -> list[Tenant]:
    return [tenant for tenant in store.all() if tenant.merged_into is None]
