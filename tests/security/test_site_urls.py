"""Which base URL a site may have: Relay calls it with the site's own credential."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from tests.security.answers import is_error
from tests.support.key_server import KeyServer
from tests.support.lifecycle import ACME, Jira
from tests.support.tokens import InstallKey

Stored = Callable[[], list[Any]]

EVIL = [
    "",
    " ",
    "https://",
    "acme.atlassian.net",
    "//acme.atlassian.net",
    # another scheme
    "http://acme.atlassian.net",
    "ftp://acme.atlassian.net",
    "file:///etc/passwd",
    "javascript:alert(1)//acme.atlassian.net",
    "https:acme.atlassian.net",
    "https:/acme.atlassian.net",
    "https:///acme.atlassian.net",
    "https:\\\\acme.atlassian.net",
    # a user
    "https://user@acme.atlassian.net",
    "https://user:password@acme.atlassian.net",
    "https://acme.atlassian.net@evil.example",
    "https://acme.atlassian.net:443@evil.example",
    "https://acme.atlassian.net%40evil.example",
    # a port
    "https://acme.atlassian.net:443",
    "https://acme.atlassian.net:8443",
    "https://acme.atlassian.net:",
    # an address
    "https://127.0.0.1",
    "https://169.254.169.254",
    "https://2130706433",
    "https://0x7f000001",
    "https://[::1]",
    "https://[::ffff:127.0.0.1]",
    "https://[fd00:ec2::254]",
    "https://localhost",
    "https://169.254.169.254/.atlassian.net",
    # a host that only looks like Atlassian's
    "https://evilatlassian.net",
    "https://acme-atlassian.net",
    "https://atlassian.net.evil.com",
    "https://acme.atlassian.net.evil.com",
    "https://acme.atlassian.com",
    "https://acme.atlassian.net.",
    "https://acme.atlassian.network",
    "https://acme.jira.com.evil.example",
    "https://evil-jira.com",
    "https://xjira.com",
    "https://acme.atlassian-us-gov-mod.net.evil.example",
    "https://acme.xatlassian-us-gov-mod.net",
    "https://acme.atlassianXnet",
    # not a site
    "https://atlassian.net",
    "https://jira.com",
    "https://.atlassian.net",
    "https://acme..atlassian.net",
    "https://-acme.atlassian.net",
    "https://acme-.atlassian.net",
    "https://a_b.atlassian.net",
    "https://*.atlassian.net",
    f"https://{'a' * 64}.atlassian.net",
    # what a parser may drop, or read as another character
    "https://evil.example\\.atlassian.net",
    "https://evil.example\\@acme.atlassian.net",
    "https://evil.example/\\acme.atlassian.net",
    "https://acme.atlassian.net\\evil.example",
    "https://evil.example\t.atlassian.net",
    "https://acme.atlassian.net\t",
    "https://acme.atlassian.net\n",
    "https://acme.atlassian.net\r\nHost: evil.example",
    "\nhttps://acme.atlassian.net",
    " https://acme.atlassian.net",
    "https://acme.atlassian.net ",
    "https://acme.atlassian.net\x00",
    "https://acme.atlassian.net\x00.evil.example",
    "https://acme .atlassian.net",
    "https://acme%2eatlassian.net",
    "https://evil.example%23.atlassian.net",
    "https://\u0430cme.atlassian.net",
    "https://acme.\u0430tlassian.net",
    "https://acme.atla\u017f\u017fian.net",
    "https://acme.atlassian\u3002net",
    "https://acme\u3002atlassian.net",
    "https://acme.\u200batlassian.net",
    "https://acme.atlassian.net/\u202e",
    # more than an origin
    "https://acme.atlassian.net/wiki",
    "https://acme.atlassian.net//",
    "https://acme.atlassian.net/.",
    "https://acme.atlassian.net/../evil",
    "https://acme.atlassian.net#",
    "https://evil.example#.atlassian.net",
    "https://evil.example#@acme.atlassian.net",
    "https://acme.atlassian.net?",
    "https://evil.example?.atlassian.net",
    "https://evil.example/?x=.atlassian.net",
    "https://evil.example/.atlassian.net",
    "https://evil.example;.atlassian.net",
    "https://evil.example,acme.atlassian.net",
    "https://acme.atlassian.net https://evil.example",
    "https://" + "a." * 300 + "atlassian.net",
    # not a string
    42,
    ["https://acme.atlassian.net"],
    {"https": "acme.atlassian.net"},
]

GOOD = {
    # as Jira sends it: stored unchanged
    "https://acme.atlassian.net": "https://acme.atlassian.net",
    "https://acme.atlassian.net/": "https://acme.atlassian.net",
    "https://a.atlassian.net": "https://a.atlassian.net",
    "https://acme-2.atlassian.net": "https://acme-2.atlassian.net",
    "https://one.jira.com": "https://one.jira.com",
    "https://agency.atlassian-us-gov-mod.net": "https://agency.atlassian-us-gov-mod.net",
    "https://deep.er.atlassian.net": "https://deep.er.atlassian.net",
}

TEST_ORIGINS = {
    # setting: (what it accepts, what it refuses)
    "http://127.0.0.1:*": (
        [
            "http://127.0.0.1:8080",
            "http://127.0.0.1:1/sites/acme",
            "http://127.0.0.1:65535/a/b-c~d",
        ],
        [
            "http://127.0.0.1",
            "http://127.0.0.1:",
            "http://127.0.0.1:x",
            "http://127.0.0.1:80@evil.example",
            "http://127.0.0.1:8080.evil.example",
            "http://127.0.0.1:8080/../x",
            "http://127.0.0.1:8080/a//b",
            "http://127.0.0.1:8080/a?b",
            "http://127.0.0.1:8080/a#b",
            "http://127.0.0.1:8080/a%2fb",
            "http://127.0.0.1:8080\n",
            "http://127.0.0.2:8080",
            "http://127x0.0.1:8080",
            "https://127.0.0.1:8080",
            "http://user@127.0.0.1:8080",
        ],
    ),
    "http://jira.test:8080, https://other.test": (
        ["http://jira.test:8080", "http://jira.test:8080/sites/acme", "https://other.test/"],
        ["http://jira.test", "http://jira.test:80801", "https://other.test:443", "http://x.test"],
    ),
    "": (
        ["https://acme.atlassian.net"],
        ["http://127.0.0.1:8080", "http://localhost:8080", "http:"],
    ),
}


def test_a_base_url_elsewhere_is_refused_and_nothing_is_stored(
    function: Callable[..., ModuleType],
    install_key: InstallKey,
    keys: KeyServer,
    stored: Stored,
    subtests: pytest.Subtests,
) -> None:
    module = function("lifecycle", INSTALL_KEYS_URL=keys.url, TEST_SITE_ORIGINS="")
    jira = Jira(module, install_key)
    for url in EVIL:
        with subtests.test(url=url):
            answer = jira.installed(ACME, body=ACME.body(baseUrl=url))
            assert is_error(answer, 400, "bad_request")
            assert [detail["path"] for detail in answer.json()["error"]["details"]] == ["baseUrl"]
    assert stored() == []


def test_a_base_url_at_atlassian_is_accepted(jira: Jira, subtests: pytest.Subtests) -> None:
    for number, (url, kept) in enumerate(GOOD.items()):
        with subtests.test(url=url):
            site = type(ACME)(client_key=f"site-{number}", base_url=url)
            assert jira.installed(site).status == 204
            tenant = jira.function.tenants.find_by_client_key(site.client_key)
            assert tenant.base_url == kept


@pytest.mark.parametrize("setting", TEST_ORIGINS)
def test_other_origins_are_accepted_only_if_configured(
    function: Callable[..., ModuleType],
    install_key: InstallKey,
    keys: KeyServer,
    subtests: pytest.Subtests,
    setting: str,
) -> None:
    module = function("lifecycle", INSTALL_KEYS_URL=keys.url, TEST_SITE_ORIGINS=setting)
    jira = Jira(module, install_key)
    let_in, refused = TEST_ORIGINS[setting]
    for url in refused:
        with subtests.test(refused=url):
            assert jira.installed(ACME, body=ACME.body(baseUrl=url)).status == 400
            assert module.tenants.all() == []
    for url in let_in:
        with subtests.test(taken=url):
            assert jira.installed(ACME, body=ACME.body(baseUrl=url)).status == 204
