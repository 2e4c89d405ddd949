"""A function caches only what cannot change between a site's calls: an uninstalled site is refused
immediately, and a new secret counts immediately.
"""

import time
from dataclasses import dataclass
from uuid import uuid4

import pytest

from relay.errors import Unauthenticated
from relay.identity.callback import CallbackVerifier
from relay.identity.caller import Request
from relay.secrets import Secrets
from relay.tenants.lifecycle import LifecycleToken
from relay.tenants.store import TenantStore
from relay.tenants.tenant import Installation
from tests.support.aws import Aws
from tests.support.aws_calls import aws_calls
from tests.support.lifecycle import ACME, GLOBEX, Site
from tests.support.tokens import claims, signed_callback

PATH = "/workspaces/fetch"
RENEWED = ACME.with_secret("ATCO-acme-second-secret-that-only-jira-and-relay-share")
UNKNOWN = Site(client_key="nobody-knows-this-site")


@dataclass
class VerifierStage:
    tenants: TenantStore

    def __post_init__(self) -> None:
        self.verifier = CallbackVerifier(self.tenants)

    def install(self, site: Site) -> None:
        installation = Installation(site.client_key, site.base_url, site.secret)
        self.tenants.install(installation, LifecycleToken(int(time.time()), uuid4().hex))

    def uninstall(self, site: Site) -> None:
        self.tenants.uninstall(site.client_key, LifecycleToken(int(time.time()), uuid4().hex))

    def passes(self, site: Site, secret: str = "") -> bool:
        token = signed_callback(secret or site.secret, claims(site.client_key, "POST", PATH))
        request = Request("POST", PATH, "", {"authorization": f"JWT {token}"}, "")
        try:
            caller = self.verifier.verify(request)
        except Unauthenticated:
            return False
        assert caller.tenant.client_key == site.client_key
        return True

    def calls(self, site: Site, secret: str = "") -> list[str]:
        """The calls to AWS that one call of Jira makes."""
        with aws_calls() as calls:
            self.passes(site, secret)
        return calls.names


@pytest.fixture
def stage(aws: Aws) -> VerifierStage:
    secrets = Secrets(aws.kms, aws.environment["SECRETS_KEY"])
    stage = VerifierStage(TenantStore(aws.dynamodb, aws.environment["TENANTS_TABLE"], secrets))
    for site in (ACME, GLOBEX):
        stage.install(site)
    return stage


def test_only_the_tenant_is_read_after_the_first_call(stage: VerifierStage) -> None:
    assert stage.calls(ACME) == ["GetItem", "GetItem", "Decrypt"]
    assert stage.calls(ACME) == ["GetItem"]


def test_a_new_secret_is_valid_immediately_and_the_old_one_is_not(stage: VerifierStage) -> None:
    assert stage.passes(ACME)
    stage.install(RENEWED)
    assert not stage.passes(ACME)
    assert stage.passes(RENEWED)
    assert not stage.passes(ACME)


def test_a_site_that_has_uninstalled_the_app_is_refused_immediately(stage: VerifierStage) -> None:
    assert stage.passes(ACME)
    stage.uninstall(ACME)
    assert not stage.passes(ACME)
    assert stage.passes(GLOBEX)
    stage.install(ACME)
    assert stage.passes(ACME)


def test_every_refusal_makes_the_same_calls(stage: VerifierStage) -> None:
    """Otherwise the response time would reveal which sites exist."""
    of_an_unknown_site = stage.calls(UNKNOWN, ACME.secret)
    assert of_an_unknown_site == ["GetItem", "GetItem"]
    assert stage.passes(ACME)
    assert stage.calls(ACME, GLOBEX.secret) == of_an_unknown_site
    stage.uninstall(ACME)
    assert stage.calls(ACME) == of_an_unknown_site
    stage.verifier = CallbackVerifier(stage.tenants)
    assert stage.calls(ACME) == of_an_unknown_site
    assert stage.calls(GLOBEX, ACME.secret)[:2] == of_an_unknown_site


def test_the_cache_of_sites_is_bounded(
    stage: VerifierStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relay.identity.callback.IDS_MAX", 1)
    monkeypatch.setattr("relay.secrets._CACHED_MAX", 1)
    for site in (ACME, GLOBEX):
        assert stage.passes(site)
        assert stage.calls(site) == ["GetItem"]
    assert stage.calls(ACME) == ["GetItem", "GetItem", "Decrypt"]


def test_unknown_callers_are_not_cached(
    stage: VerifierStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relay.identity.callback.IDS_MAX", 1)
    assert stage.passes(ACME)
    assert not stage.passes(UNKNOWN, ACME.secret)
    assert not stage.passes(GLOBEX, ACME.secret)
    assert "Decrypt" not in stage.calls(ACME)
