"""The admin area of the Jira simulator: which pages it shows, to whom, and with which tokens."""

import itertools
import re
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from relay.jira.canonical_request import query_string_hash
from tests.integration.simulator_stage import (
    FORGE_APP_ID,
    JiraSite,
    ProviderApp,
    Simulator,
    running_remote,
)

_numbers = itertools.count(1)
PERMISSIONS = "/rest/api/3"
PAGES = {
    "adminPages": [{"key": "admin", "name": {"value": "Relay"}, "url": "/page?of=app"}],
    "configurePage": {"key": "configure", "name": {"value": "Relay"}, "url": "/page"},
}


@pytest.fixture
def site(simulator: Simulator, app: ProviderApp) -> JiraSite:
    app.changes["modules"] = app.descriptor()["modules"] | PAGES
    name = f"area-{next(_numbers)}"
    simulator.create(name)
    return JiraSite(simulator, simulator.install(name, app).json()["site"])


def area(site: JiraSite, **query: str) -> httpx.Response:
    url = f"{site.document['baseUrl']}/admin"
    return site.simulator.http.get(url, params=query).raise_for_status()


def frame_of(answer: httpx.Response) -> str:
    [source] = re.findall(r'<iframe[^>]* src="([^"]+)"', answer.text)
    return unescape(source)


def ask(site: JiraSite, what: str, body: Any = None, **query: str) -> httpx.Response:
    url = f"{site.document['baseUrl']}/admin/{what}"
    return site.simulator.http.post(url, json=body, params=query)


def claims_of(site: JiraSite, token: str, **options: Any) -> dict[str, Any]:
    return dict(jwt.decode(token, site.document["sharedSecret"], ["HS256"], **options))


def account(site: JiraSite, who: str) -> str:
    return str(site.document["admin"]["accountIds"][who])


def may_administer(site: JiraSite, account_id: str) -> bool:
    question = {"accountId": account_id, "globalPermissions": ["ADMINISTER"]}
    answer = site.call("POST", "/permissions/check", api=PERMISSIONS, json=question)
    assert answer.status_code == 200
    granted = answer.json()["globalPermissions"]
    assert answer.json() == {"globalPermissions": granted, "projectPermissions": []}
    return bool(granted == ["ADMINISTER"])


def test_a_page_is_loaded_with_a_token_for_this_url(site: JiraSite, app: ProviderApp) -> None:
    source = frame_of(area(site))

    parts = urlsplit(source)
    query = parse_qs(parts.query, keep_blank_values=True)
    base_path = urlsplit(app.url).path
    claims = claims_of(site, query["jwt"][0])
    assert source.startswith(f"{app.url}/page?of=app&")
    assert query["xdm_e"] == [site.document["baseUrl"]]
    assert {"lic", "cv"} < query.keys()
    assert claims["qsh"] == query_string_hash("GET", parts.path, parts.query, base_path)
    assert claims["iss"] == site.document["clientKey"]
    assert claims["sub"] == account(site, "admin")
    assert claims["exp"] - claims["iat"] == 180


def test_the_area_lists_the_pages_and_frames_the_chosen_one(
    site: JiraSite, app: ProviderApp
) -> None:
    listed = area(site, page="configure")

    assert [listed.text.count(f">{name}</a>") for name in ("Relay", "Configure")] == [1, 1]
    assert frame_of(listed).startswith(f"{app.url}/page?xdm_e=")
    policy = listed.headers["Content-Security-Policy"]
    assert f"frame-src {app.url.removesuffix('/app')}" in policy
    assert "frame-ancestors 'none'" in policy


def test_without_a_page_the_area_says_so(simulator: Simulator, app: ProviderApp) -> None:
    name = f"area-{next(_numbers)}"
    simulator.create(name)
    site = JiraSite(simulator, simulator.install(name, app).json()["site"])

    assert "No app has a page here" in area(site).text


def test_a_context_token_is_for_any_call_of_the_visitor(site: JiraSite) -> None:
    token = ask(site, "token", **{"as": "user"}).json()["token"]

    claims = claims_of(site, token)
    assert claims["qsh"] == "context-qsh"
    assert claims["sub"] == account(site, "user") != account(site, "admin")


def test_a_control_call_changes_visits_unless_their_url_says_more(site: JiraSite) -> None:
    changed = site.simulator.control(
        "PUT", f"/sites/{site.name}/admin", {"theme": "dark", "tokens": "expired"}
    )

    assert changed.json()["theme"] == "dark"
    assert 'data-color-mode="dark"' in area(site).text
    assert 'data-color-mode="light"' in area(site, theme="light").text
    with pytest.raises(jwt.ExpiredSignatureError):
        claims_of(site, ask(site, "token").json()["token"])
    claims_of(site, ask(site, "token", tokens="valid").json()["token"])


@pytest.mark.parametrize("change", [{"theme": "blue"}, {"visitor": "admin"}])
def test_an_unknown_change_is_refused(site: JiraSite, change: dict[str, str]) -> None:
    answer = site.simulator.control("PUT", f"/sites/{site.name}/admin", change)
    assert answer.status_code == 400


def test_only_the_admin_may_administer(site: JiraSite) -> None:
    assert may_administer(site, account(site, "admin"))
    assert not may_administer(site, account(site, "user"))
    assert not may_administer(site, "unknown")


def test_another_origin_gets_neither_page_nor_token(site: JiraSite) -> None:
    url = f"{site.document['baseUrl']}/admin"
    http = site.simulator.http
    foreign = {"Origin": "https://other.example"}
    rebound = {"Host": "other.example"}

    assert http.post(f"{url}/token", headers=foreign).status_code == 403
    assert http.post(f"{url}/token", headers=rebound).status_code == 403
    assert http.get(url, headers=rebound).status_code == 403


def test_a_forge_page_is_served_and_calls_the_remote_for_the_visitor(
    simulator: Simulator, tmp_path: Path
) -> None:
    # GIVEN a Forge app with a page
    files = tmp_path / "static"
    files.mkdir()
    (files / "index.html").write_text('<script src="{{all_js}}"></script>')
    (tmp_path / "secret.txt").write_text("not of the page")
    name = f"area-{next(_numbers)}"
    simulator.create(name)
    with running_remote() as remote:
        installed = simulator.forge_install(
            name, remote, adminPage={"title": "Relay", "resource": str(files)}
        )
        site = JiraSite(simulator, installed.json()["site"])

        # WHEN it is loaded, and makes a call
        source = frame_of(area(site))
        loaded = simulator.http.get(source)
        call = {"method": "PUT", "path": "/page/x?a=b", "headers": {"x-d": "e"}, "body": {"c": 1}}
        answer = ask(site, "request", call, **{"as": "user"}).json()

        # THEN it has the bridge, and the remote knows who calls
        assert loaded.text == '<script src="/assets/forge_bridge.js"></script>'
        assert f"frame-ancestors {simulator.url}" in loaded.headers["Content-Security-Policy"]
        assert answer == {"status": 200, "body": {"heard": "x"}}
        received = remote.received[-1]
        assert (received.method, received.query, received.body) == ("PUT", "a=b", {"c": 1})
        assert received.headers["x-d"] == "e"
        claims = received.claims(simulator.forge_key_set())
        assert (claims["principal"], claims["aud"]) == (account(site, "user"), FORGE_APP_ID)
        assert "x-forge-oauth-system" not in received.headers

        # AND no other file is served
        outside = f"{source.removesuffix('index.html')}..%2fsecret.txt"
        assert simulator.http.get(outside).status_code == 404
