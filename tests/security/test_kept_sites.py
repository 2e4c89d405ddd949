"""A site whose call was proven is kept for a few seconds; what that may change, and what not."""

import time
from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from relay.errors import Unauthenticated
from relay.identity.callback import KEPT_SECONDS, CallbackVerifier
from relay.identity.caller import Request
from relay.secrets import Secrets
from relay.tenants import Installation, LifecycleToken, TenantStore
from tests.integration.conftest import Aws
from tests.support.aws_calls import aws_calls
from tests.support.lifecycle import ACME, GLOBEX, Site
from tests.support.tokens import claims, signed_callback

PATH = "/workspaces/fetch"
RENEWED = ACME.with_secret("ATCO-acme-second-secret-that-only-jira-and-relay-share")


@dataclass
class Verifying:
    tenants: TenantStore
    now: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        self.verifier = CallbackVerifier(self.tenants, lambda: self.now)

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

    def reads(self, site: Site, secret: str = "") -> int:
        """How many times the tables are read for a call."""
        with aws_calls() as calls:
            self.passes(site, secret)
        return calls.names.count("GetItem")


@pytest.fixture
def verifying(aws: Aws) -> Verifying:
    secrets = Secrets(aws.kms, aws.environment["SECRETS_KEY"])
    verifying = Verifying(TenantStore(aws.dynamodb, aws.environment["TENANTS_TABLE"], secrets))
    for site in (ACME, GLOBEX):
        verifying.install(site)
    return verifying


def test_calls_in_a_burst_read_nothing_after_the_first(verifying: Verifying) -> None:
    assert verifying.reads(ACME) == 2
    assert verifying.reads(ACME) == 0
    verifying.now += KEPT_SECONDS
    assert verifying.reads(ACME) == 2


def test_a_new_secret_is_good_at_once_and_the_old_one_no_more(verifying: Verifying) -> None:
    assert verifying.passes(ACME)
    verifying.install(RENEWED)
    assert verifying.passes(RENEWED)
    assert not verifying.passes(ACME)


def test_a_site_that_has_left_is_refused_after_a_few_seconds(verifying: Verifying) -> None:
    assert verifying.passes(ACME)
    verifying.uninstall(ACME)
    verifying.now += KEPT_SECONDS
    assert not verifying.passes(ACME)
    verifying.install(ACME)
    assert verifying.passes(ACME)


def test_a_clock_that_goes_back_keeps_nobody(verifying: Verifying) -> None:
    assert verifying.passes(ACME)
    verifying.uninstall(ACME)
    verifying.now -= 3600
    assert not verifying.passes(ACME)


def test_a_forged_call_is_refused_and_reads_as_much_as_an_unknown_sites(
    verifying: Verifying,
) -> None:
    assert verifying.passes(ACME)
    assert not verifying.passes(ACME, GLOBEX.secret)
    assert verifying.passes(ACME)
    unknown = Site(client_key="nobody-knows-this-site")
    assert verifying.reads(ACME, GLOBEX.secret) == verifying.reads(unknown)
    assert not verifying.passes(unknown, ACME.secret)
