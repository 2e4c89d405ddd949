"""The app's base URL is a token's audience, and paths are relative to it."""

import json
import re
from collections.abc import Callable
from types import ModuleType
from urllib.parse import urljoin

import pytest

from tests.security.answers import refused
from tests.support.key_server import KeyServer
from tests.support.lambdas import BASE_URL, Answer, call
from tests.support.lifecycle import ACME, ENABLED, INSTALLED, Jira
from tests.support.template import routes
from tests.support.tokens import InstallKey, claims, signed_callback

GATEWAY = "https://abcdef12.execute-api.eu-west-1.amazonaws.com"

CASES = {
    # BASE_URL, stage, the custom domain's mapping, the app's base URL to Jira
    "a domain of one's own": ("https://relay.example.com", "$default", "", None),
    "API Gateway's own domain": ("", "$default", "", GATEWAY),
    "API Gateway's own domain and a stage": ("", "prod", "", f"{GATEWAY}/prod"),
    "a stage named like a path": ("", "lifecycle", "", f"{GATEWAY}/lifecycle"),
    "a domain in front of a stage": ("https://relay.example.com", "prod", "", None),
    "a path that a proxy takes away": ("https://example.com/relay", "$default", "", None),
    "a path of a custom domain": ("https://example.com/a/relay", "$default", "/a/relay", None),
}


@pytest.mark.parametrize("case", CASES)
def test_a_token_is_valid_for_the_base_url_and_its_relative_path(
    function: Callable[..., ModuleType],
    keys: KeyServer,
    install_key: InstallKey,
    monkeypatch: pytest.MonkeyPatch,
    case: str,
) -> None:
    setting, stage, base_path, public = CASES[case]
    base_url = public or setting
    monkeypatch.setenv("BASE_URL", setting)
    module = function("lifecycle", INSTALL_KEYS_URL=keys.url)
    jira = Jira(module, install_key, base_url)

    def post(path: str, token: str) -> Answer:
        headers = {"Authorization": f"JWT {token}"}
        body = json.dumps(ACME.body())
        return call(module, "POST", path, body, headers, stage, base_path=base_path)

    elsewhere = Jira(module, install_key, "https://elsewhere.example.com")
    assert refused(post(INSTALLED, elsewhere.token(ACME)))
    assert post(INSTALLED, jira.token(ACME)).status == 204
    own = claims(ACME.client_key, "POST", ENABLED)
    assert post(ENABLED, signed_callback(ACME.secret, own)).status == 204
    other = claims(ACME.client_key, "POST", "/other" + ENABLED)
    assert refused(post(ENABLED, signed_callback(ACME.secret, other)))


@pytest.mark.parametrize("case", CASES)
def test_the_page_inside_jira_and_its_files_are_below_the_base_url(
    function: Callable[..., ModuleType],
    keys: KeyServer,
    install_key: InstallKey,
    monkeypatch: pytest.MonkeyPatch,
    case: str,
) -> None:
    setting, stage, base_path, public = CASES[case]
    base_url = public or setting
    monkeypatch.setenv("BASE_URL", BASE_URL)
    lifecycle = function("lifecycle", INSTALL_KEYS_URL=keys.url)
    assert Jira(lifecycle, install_key).installed(ACME).status == 204
    monkeypatch.setenv("BASE_URL", setting)
    token = signed_callback(ACME.secret, claims(ACME.client_key, "GET", "/page"))
    url = f"/page?jwt={token}"
    answer = call(function("page"), "GET", url, stage=stage, base_path=base_path)
    assert answer.status == 200
    assert f"frame-ancestors {ACME.base_url};" in answer.headers["Content-Security-Policy"]
    files = re.findall(r'(?:src|href)="(?!https:|data:)([^"]+)"', answer.body)
    assert files
    for file in files:
        path = urljoin(f"{base_url}{url}", file).removeprefix(base_url)
        assert ("GET", path) in routes("page")
