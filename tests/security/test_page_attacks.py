"""Attacks on the page inside Jira: none shows or changes anything, and none is told why."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from relay.edge.envelope import ENVELOPE_HEADER
from relay.telemetry import logger
from tests.integration.page_stage import ADMIN, MEMBER, Page, context_token, page_at
from tests.integration.relay_stage import JSON, JiraSite, Relay, Start, install_from
from tests.integration.simulator_stage import Simulator
from tests.security import forgery
from tests.security.answers import is_error, refused
from tests.security.forge_stage import Forge, ForgeCalls, ForgeSite, running_forge
from tests.support.entities import incident
from tests.support.lambdas import Answer
from tests.support.lifecycle import Site
from tests.support.template import routes
from tests.support.tokens import InstallKey, claims, signed_callback, signed_install

OURS, THEIRS, OFFERED, UNOFFERED = "ours", "theirs", "offered", "unoffered"
ALL_JS = "https://connect-cdn.atl-paas.net"
API = sorted(
    (
        (method, path)
        for method, path in routes("page")
        if path.startswith("/page/") and not path.endswith((".js", ".css", ".html"))
    ),
    # What ends the link comes last.
    key=lambda route: (route[0] == "DELETE", route[1].endswith("/link"), route),
)


@pytest.fixture
def relay(start: Start, simulator: Simulator) -> Relay:
    return start(OURS, THEIRS, OFFERED, UNOFFERED, simulator=simulator)


@pytest.fixture
def page(relay: Relay, simulator: Simulator) -> Page:
    """The page at a site that has a workspace and is offered another."""
    page = page_at(relay, install_from(relay, simulator))
    link(relay, page.site, OURS)
    assert relay.provider("PUT", f"/v1/sites/{page.site.id}/offers/{OFFERED}").status == 200
    return page


@pytest.fixture
def others(relay: Relay, simulator: Simulator) -> Page:
    """The page at another site, whose admin has the same account."""
    page = page_at(relay, install_from(relay, simulator))
    link(relay, page.site, THEIRS)
    return page


def link(relay: Relay, site: JiraSite, workspace: str) -> None:
    assert relay.provider("PUT", f"/v1/sites/{site.id}/workspaces/{workspace}").status == 200
    relay.submit(workspace, incidents=[incident(f"incident-of-{workspace}")])
    relay.run_replays()


def attempts(page: Page, token: str, scheme: str = "JWT", workspace: str = OURS) -> list[Answer]:
    """Every call of the page's API with this token."""
    headers = {"authorization": f"{scheme} {token}"} | JSON
    body = {"what": "all"}
    return [
        page.relay.call(method, url_of(path, workspace), body, headers)
        for method, path in API
        if method != "HEAD"
    ]


def url_of(path: str, workspace: str = OURS) -> str:
    url = path.replace("{workspaceId}", workspace)
    return f"{url}?state=owed" if url.endswith("/entities") else url


@contextmanager
def unchanged(page: Page) -> Iterator[None]:
    """Nothing is stored, and Jira is asked to change nothing."""
    before, calls = page.relay.stored(), changes(page)
    yield
    assert (page.relay.stored(), changes(page)) == (before, calls)


def changes(page: Page) -> list[tuple[str, str]]:
    return [
        (method, path)
        for method, path in page.site.calls()
        if method != "GET" and not path.endswith("/permissions/check")
    ]


def test_the_admins_own_token_opens_the_api(page: Page) -> None:
    """Otherwise the tests below could not fail."""
    answers = attempts(page, context_token(page.site.site))
    assert sorted(answer.status for answer in answers) == [200, 200, 202, 202, 202, 204, 204]


# --- Tokens ---


def test_a_context_token_opens_no_other_route(page: Page) -> None:
    headers = {"authorization": f"JWT {context_token(page.site.site)}"} | JSON
    functions = ("fetch_workspaces", "search_containers", "entity_associated", "lifecycle")
    others = [route for name in functions for route in routes(name)]
    others += [("POST", "/post-incident-reviews/new"), ("GET", "/page"), ("GET", "/v1/sites")]
    with unchanged(page):
        for method, path in others:
            answer = page.relay.call(method, path, {"ids": [OURS]}, headers)
            assert answer.status == 401, (method, path)


def test_a_token_for_a_request_does_not_open_the_api(page: Page) -> None:
    """Jira's own, valid for exactly this call, even with the user's account."""
    site = page.site.site
    with unchanged(page):
        for method, path in API:
            url = url_of(path)
            own = claims(site.client_key, method, url, sub=ADMIN)
            headers = {"authorization": f"JWT {signed_callback(site.secret, own)}"} | JSON
            assert page.relay.call(method, url, {"what": "all"}, headers).status == 401


def tokens(page: Page, other: Site, key: InstallKey) -> dict[str, str]:
    site, now = page.site.site, int(time.time())
    payload = {
        "iss": site.client_key,
        "sub": ADMIN,
        "qsh": "context-qsh",
        "iat": now,
        "exp": now + 900,
    }
    header = {"typ": "JWT"}
    return {
        "no sub": context_token(site, None),
        "empty sub": context_token(site, ""),
        "a sub with a line": context_token(site, f"{ADMIN}\nx"),
        "a long sub": context_token(site, "x" * 256),
        "expired": context_token(site, iat=now - 900, exp=now - 31),
        "valid for too long": context_token(site, exp=now + 20 * 60 + 1),
        "not valid yet": context_token(site, iat=now + 60),
        "no expiry": context_token(site, exp=None),
        "no qsh": context_token(site, qsh=None),
        "qsh in another case": context_token(site, qsh="Context-QSH"),
        "a number as qsh": context_token(site, qsh=1),
        "half of a surrogate pair as qsh": context_token(site, qsh="\ud800"),
        "an unknown site's": context_token(Site("unknown", site.base_url, site.secret)),
        "another site's secret": context_token(Site(site.client_key, site.base_url, other.secret)),
        "none": forgery.unsigned(header | {"alg": "none"}, payload),
        "None": forgery.unsigned(header | {"alg": "None"}, payload),
        "HS256 without a secret": forgery.hs256(header | {"alg": "HS256"}, payload, b""),
        "RS256 by the secret": forgery.hs256(
            header | {"alg": "RS256"}, payload, site.secret.encode()
        ),
        "RS256 by a key": signed_install(key, payload),
        "empty": "",
        "nonsense": "a.b.c",
    }


def test_a_token_that_proves_no_user_of_the_site_opens_nothing(
    page: Page,
    others: Page,
    install_key: InstallKey,
    subtests: pytest.Subtests,
) -> None:
    for name, token in tokens(page, others.site.site, install_key).items():
        with subtests.test(name), unchanged(page):
            assert all(map(refused, attempts(page, token)))
            assert all(map(refused, attempts(page, token, "Bearer")))


def test_a_token_in_the_url_does_not_open_the_api(page: Page) -> None:
    token = context_token(page.site.site)
    assert refused(page.relay.call("GET", f"/page/site?jwt={token}"))


def test_a_site_that_has_uninstalled_the_app_is_refused_at_once(page: Page) -> None:
    token = context_token(page.site.site)
    page.shown()
    path = f"/sites/{page.site.name}/uninstall"
    page.site.simulator.control("POST", path).raise_for_status()
    assert all(map(refused, attempts(page, token)))


# --- People ---


@pytest.mark.parametrize("account", [MEMBER, "nobody-knows-this-account"])
def test_who_is_no_admin_sees_and_changes_nothing(page: Page, account: str) -> None:
    with unchanged(page):
        for answer in attempts(page, context_token(page.site.site, account)):
            assert is_error(answer, 403, "not_an_admin")


@pytest.mark.usefixtures("debug")
def test_no_account_is_stored_or_logged(page: Page, written: Callable[[], str]) -> None:
    for account in (ADMIN, MEMBER):
        attempts(page, context_token(page.site.site, account))
    page.site.simulator.fail(page.site.name, {"kind": "error", "status": 500})
    attempts(page, context_token(page.site.site, "another-account-of-a-person"))
    for account in (ADMIN, MEMBER, "another-account-of-a-person"):
        assert account not in page.relay.stored()
        assert account not in written()
    assert "Jira did not say who is an admin" in written()


# --- Other tenants ---


def refusals(answers: list[Answer]) -> list[tuple[int, str]]:
    """Of every call but that for the admin's own site."""
    return [(one.status, one.body) for one in answers if one.status != 200]


def test_an_admin_learns_and_changes_nothing_of_other_workspaces(
    page: Page, others: Page, subtests: pytest.Subtests
) -> None:
    before, calls = page.relay.stored(), changes(others)
    token = context_token(page.site.site)
    nobodys = refusals(attempts(page, token, workspace="nobodys"))
    assert [status for status, _ in nobodys] == [404] * 6
    for of in (THEIRS, UNOFFERED):
        with subtests.test(of=of):
            assert refusals(attempts(page, token, workspace=of)) == nobodys
    # An offer may be linked, and nothing else.
    assert page.call("GET", f"/workspaces/{OFFERED}/entities?state=owed").status == 404
    assert page.call("POST", f"/workspaces/{OFFERED}/replay", {"what": "all"}).status == 404
    assert page.call("PUT", f"/workspaces/{OFFERED}/test-incident").status == 404
    assert (page.relay.stored(), changes(others)) == (before, calls)
    assert THEIRS not in page.call("GET", "/site").body


@pytest.mark.parametrize("workspace", ["a,b", "a%20b", "%C3%BC", "x" * 129])
def test_an_id_that_no_workspace_can_have_is_refused(page: Page, workspace: str) -> None:
    answer = page.call("PUT", f"/workspaces/{workspace}/link")
    assert is_error(answer, 400, "bad_request")


# --- The first load ---


def first_load(page: Page, **others: Any) -> Answer:
    url = "/page?lic=none&xdm_e=https%3A%2F%2Fevil.example&cp=&cv=1001.0.0"
    own = claims(page.site.site.client_key, "GET", url, sub=ADMIN, **others)
    return page.relay.call("GET", f"{url}&jwt={signed_callback(page.site.site.secret, own)}")


def policy(answer: Answer) -> dict[str, str]:
    parts = answer.headers["Content-Security-Policy"].split("; ")
    return dict(part.split(" ", 1) for part in parts)


def test_the_page_may_be_framed_by_the_sites_own_jira_alone(page: Page) -> None:
    answer = first_load(page)
    assert answer.status == 200
    host = page.site.site.base_url.removesuffix(f"/sites/{page.site.name}")
    assert policy(answer) == {
        "default-src": "'none'",
        "script-src": f"'self' {ALL_JS}",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "frame-ancestors": host,
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert "x-frame-options" not in {name.lower() for name in answer.headers}


def test_every_answer_has_the_headers_that_keep_it_private(page: Page) -> None:
    token = context_token(page.site.site)
    answers = [first_load(page), first_load(page, exp=1, iat=1)]
    answers += attempts(page, token) + attempts(page, "x")
    answers += [page.relay.call("GET", f"/page/{name}") for name in ("page.js", "theme.css")]
    assert {answer.status for answer in answers} >= {200, 202, 204, 401}
    for answer in answers:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        assert headers["cache-control"] == "no-cache, no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["strict-transport-security"].startswith("max-age=31536000")
        assert "set-cookie" not in headers
        assert "access-control-allow-origin" not in headers
        if answer is not answers[0]:
            alone = "default-src 'none'; frame-ancestors 'none'"
            assert headers["content-security-policy"] == alone


def test_the_first_load_needs_jiras_token_for_it(page: Page, others: Page) -> None:
    site = page.site.site
    assert refused(page.relay.call("GET", "/page"))
    assert refused(page.relay.call("GET", f"/page?jwt={context_token(site)}"))
    elsewhere = signed_callback(
        site.secret, claims(site.client_key, "GET", "/page/site", sub=ADMIN)
    )
    assert refused(page.relay.call("GET", f"/page?jwt={elsewhere}"))
    foreign = signed_callback(others.site.site.secret, claims(site.client_key, "GET", "/page"))
    assert refused(page.relay.call("GET", f"/page?jwt={foreign}"))


def test_a_replayed_first_load_shows_no_data_and_opens_nothing(page: Page) -> None:
    """Whoever has the URL gets what everyone may know; its token opens no route of the API."""
    own = claims(page.site.site.client_key, "GET", "/page", sub=ADMIN)
    token = signed_callback(page.site.site.secret, own)
    bodies = {page.relay.call("GET", f"/page?jwt={token}").body for _ in range(2)}
    [html] = bodies
    for word in (OURS, OFFERED, page.site.name, page.site.site.client_key, ADMIN, token):
        assert word not in html
    assert all(map(refused, attempts(page, token)))


@pytest.fixture
def debug() -> Iterator[None]:
    """Everything that any code logs, at any level."""
    root = logging.getLogger()
    levels = root.level, logger.log_level
    root.setLevel(logging.DEBUG)
    logger.setLevel(logging.DEBUG)
    yield
    root.setLevel(levels[0])
    logger.setLevel(levels[1])


@pytest.mark.usefixtures("debug")
def test_the_token_of_the_first_load_reaches_no_log(page: Page, written: Callable[[], str]) -> None:
    url = "/page?xdm_e=https%3A%2F%2Facme.atlassian.net"
    own = claims(page.site.site.client_key, "GET", url)
    token = signed_callback(page.site.site.secret, own)
    broken = token[:-4] + "AAAA"
    assert page.relay.call("GET", f"{url}&jwt={token}").status == 200
    assert page.relay.call("GET", f"{url}&jwt={broken}").status == 401
    log = written()
    assert "GET /page" in log
    for secret in (token, broken, *token.split(".")[1:]):
        assert secret not in log


# --- What others wrote ---


def test_html_in_a_summary_stays_text_in_json(page: Page) -> None:
    html = "</script><img src=x onerror=alert(1)>"
    fault = {"kind": "refuse entity", "pattern": r"\.bad$", "message": html}
    page.site.simulator.fail(page.site.name, fault)
    page.relay.submit(OURS, incidents=[incident("bad", summary=html)])
    answer = page.call("GET", f"/workspaces/{OURS}/entities?state=refused")
    assert answer.headers["Content-Type"] == "application/json"
    [found] = answer.json()["entities"]
    assert found["summary"] == html
    assert html in found["messages"][0]


# --- Forge ---


@pytest.fixture
def forge() -> Iterator[Forge]:
    with running_forge() as forge:
        yield forge


def test_forges_token_must_be_of_the_page_and_name_a_user(
    start: Start, forge: Forge, subtests: pytest.Subtests
) -> None:
    relay = start(OURS, FORGE_KEYS_URL=forge.keys_url)
    site = ForgeSite("acme")
    calls = ForgeCalls(relay, forge)
    tenant = calls.install(site)
    own = {"app__module": {"type": "core:endpoint", "key": "relay-page"}, "principal": ADMIN}

    def status(path: str = "/page/site", method: str = "GET", **changes: Any) -> int:
        token = forge.token(site, path, **(own | changes))
        return calls.call(path, token, None, method).status

    forge.says_admin(site, "ADMINISTER")
    assert status() == 200
    assert status(app__module={"type": "jira:adminPage", "key": "relay-admin-page"}) == 200
    wrong: dict[str, Any] = {
        "no user": {"principal": None},
        "no text": {"principal": {"accountId": ADMIN}},
        "a trigger": {"app__module": {"type": "core:endpoint", "key": "forge-tick"}},
        "another page": {"app__module": {"type": "jira:issuePanel", "key": "relay-page"}},
        "expired": {"iat": int(time.time()) - 600},
        "another installation": {"app__installationId": "ari:cloud:ecosystem::installation/x"},
    }
    for name, changes in wrong.items():
        with subtests.test(name):
            assert status(**changes) == 401
    assert tenant.id in relay.stored()


@pytest.mark.parametrize(
    "module",
    [
        {"type": "core:endpoint", "key": "relay-page"},
        {"type": "jira:adminPage", "key": "relay-admin-page"},
    ],
    ids=lambda module: module["key"],
)
def test_forges_token_of_the_page_opens_no_other_route(
    start: Start, forge: Forge, module: dict[str, str]
) -> None:
    """A user may let the page send its token to any path of the remote, and with any header."""
    relay = start(OURS, FORGE_KEYS_URL=forge.keys_url)
    site = ForgeSite("acme")
    calls = ForgeCalls(relay, forge)
    calls.install(site)
    forge.says_admin(site, "ADMINISTER")
    functions = ("fetch_workspaces", "search_containers", "entity_associated", "lifecycle", "forge")
    others = [route for name in functions for route in routes(name)]
    others += [("POST", "/post-incident-reviews/new"), ("GET", "/page"), ("GET", "/v1/sites")]
    before = relay.stored()
    for principal in (ADMIN, None):
        for method, path in others:
            token = forge.token(site, path, app__module=module, principal=principal)
            headers = {"authorization": f"Bearer {token}", "x-forge-oauth-system": "s" * 60}
            answer = relay.call(method, path, {}, headers | JSON | {ENVELOPE_HEADER: "1"})
            assert answer.status == 401, (method, path)
    assert relay.stored() == before
