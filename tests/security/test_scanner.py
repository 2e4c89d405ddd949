"""What Atlassian's scanner does, at every route of the template: every unauthenticated call is
refused, and every response has the headers that its review requires.
"""

import re
import time
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from infra.lambdas.routing import DEFAULT, matched, owners
from tests.security import forgery
from tests.security.answers import refused
from tests.security.forge_stage import forge_key
from tests.support.aws_calls import aws_calls, unreachable
from tests.support.forge import INSTALLATION_ID, ForgeKey, key_set_server, payload, signed
from tests.support.key_server import KeyServer
from tests.support.lambdas import APP_KEY, Answer, call
from tests.support.lifecycle import ACME, Jira
from tests.support.template import functions, routes
from tests.support.tokens import claims, signed_callback, signed_install

PUBLIC_PATHS = (
    "/about",
    "/atlassian-connect.json",
    "/health",
    "/logo.svg",
    # The page inside Jira without its data.
    "/page/forge.html",
    "/page/page.css",
    "/page/page.js",
    "/page/theme.css",
    # A link in a browser, which reveals and changes nothing; nothing is configured here.
    "/post-incident-reviews/new",
)
PUBLIC = {(method, path) for method in ("GET", "HEAD") for path in PUBLIC_PATHS}
HTTP_FUNCTIONS = [name for name in functions() if routes(name)]
ROUTES = [(name, method, path) for name in HTTP_FUNCTIONS for method, path in routes(name)]
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")


def scanners_tokens() -> dict[str, str]:
    now = int(time.time())
    payload = {
        "iss": "00000000-fake-client-key",
        "iat": now,
        "exp": now + 180,
        "qsh": "context-qsh",
        "sub": "557058:fake",
    }
    header = {"typ": "JWT"}
    return {
        "HS256": forgery.hs256(
            header | {"alg": "HS256"}, payload, b"a secret of the scanner's own"
        ),
        "none": forgery.unsigned(header | {"alg": "none"}, payload),
        "RS256": forgery.hs256(header | {"alg": "RS256", "kid": "fake-kid"}, payload, b"no key"),
        "empty": "",
        "nonsense": "fake.fake.fake",
    }


def scanners_invocations() -> dict[str, str]:
    """Forge's tokens without a valid signature."""
    own = payload({"app.installationId": INSTALLATION_ID})
    known, fake = ({"typ": "JWT", "kid": kid} for kid in (forge_key().kid, "fake/kid"))
    return {
        "HS256, of Forge": forgery.hs256(known | {"alg": "HS256"}, own, b"a secret"),
        "none, of Forge": forgery.unsigned(known | {"alg": "none"}, own),
        "RS256, of Forge": signed(ForgeKey(), own),
        "RS256 and no key, of Forge": forgery.hs256(known | {"alg": "RS256"}, own, b"no key"),
        "RS256 by an unknown key, of Forge": signed(ForgeKey(kid="fake/kid"), own),
        "none by an unknown key, of Forge": forgery.unsigned(fake | {"alg": "none"}, own),
    }


def attempts() -> dict[str, tuple[str, dict[str, str]]]:
    """Query and headers of every unauthenticated call."""
    found: dict[str, tuple[str, dict[str, str]]] = {"no token": ("", {})}
    for name, token in (scanners_tokens() | scanners_invocations()).items():
        found[f"{name} as JWT"] = ("", {"Authorization": f"JWT {token}"})
        found[f"{name} as Bearer"] = ("", {"Authorization": f"Bearer {token}"})
        found[f"{name} in the query"] = (f"?jwt={token}", {})
    found["basic"] = ("", {"Authorization": "Basic YWRtaW46YWRtaW4="})
    found["a key that looks like one"] = (
        "",
        {"Authorization": f"Bearer relay_{'0' * 16}_{'A' * 43}"},
    )
    return found


def concrete(path: str) -> str:
    return "/nowhere" if path == "*" else re.sub(r"{[^}]+}", "x1", path)


def has_security_headers(answer: Answer) -> bool:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    max_age = re.search(r"max-age=(\d+)", headers["strict-transport-security"])
    return (
        max_age is not None
        and int(max_age[1]) >= 31_536_000
        and {"no-cache", "no-store"} <= set(re.split(r",\s*", headers["cache-control"]))
        and headers["referrer-policy"] not in ("", "unsafe-url")
    )


@pytest.fixture
def load(
    function: Callable[..., ModuleType], keys: KeyServer
) -> Iterator[Callable[[str], ModuleType]]:
    with key_set_server() as key_set:
        key_set.publish(forge_key().jwk())
        yield lambda name: function(name, INSTALL_KEYS_URL=keys.url, FORGE_KEYS_URL=key_set.url)


def expected(method: str, path: str) -> int:
    if (method, path) in PUBLIC:
        return 404 if path == "/post-incident-reviews/new" else 200
    return 404 if path == "*" else 401


def test_every_route_refuses_an_unauthenticated_call(
    load: Callable[[str], ModuleType], subtests: pytest.Subtests
) -> None:
    modules = {name: load(name) for name in HTTP_FUNCTIONS}
    proving_nothing = attempts()
    for name, method, path in ROUTES:
        with subtests.test(route=f"{method} {path}"):
            for attempt, (query, headers) in proving_nothing.items():
                url, called = concrete(path) + query, method.replace("ANY", "POST")
                answer = call(modules[name], called, url, b"{}", headers)
                assert answer.status == expected(method, path), attempt
                if method == "HEAD":
                    assert answer.body == "", attempt
                elif (method, path) not in PUBLIC:
                    assert set(answer.json()) == {"error"}, attempt
                assert has_security_headers(answer), attempt


def refusal_of(method: str, path: str) -> int:
    """The status for a caller without a token; 401 if a greedy route of the API matches."""
    route_key, _ = matched(owners(), method, path)
    return 404 if route_key == DEFAULT else 401


def test_every_other_method_is_refused(
    load: Callable[[str], ModuleType], subtests: pytest.Subtests
) -> None:
    """API Gateway would not route it; the function does not rely on that."""
    modules = {name: load(name) for name in HTTP_FUNCTIONS}
    for name, path in {(name, path) for name, _, path in ROUTES if path != "*"}:
        served = {method for method, other in routes(name) if other == path}
        with subtests.test(path=path):
            for method in set(METHODS) - served:
                answer = call(modules[name], method, concrete(path), b"{}")
                assert answer.status == refusal_of(method, concrete(path)), method
                assert has_security_headers(answer), method


def test_public_routes_reveal_nothing_about_tenants(
    load: Callable[[str], ModuleType], jira: Jira
) -> None:
    assert jira.installed(ACME).status == 204
    descriptor = call(load("descriptor"), "GET", "/atlassian-connect.json")
    assert descriptor.json()["key"] == APP_KEY
    assert descriptor.json()["authentication"] == {"type": "jwt"}
    assert descriptor.json()["apiMigrations"] == {"signed-install": True, "context-qsh": True}
    assert call(load("descriptor"), "GET", "/health").json() == {"status": "ok"}
    assert ACME.client_key not in descriptor.body


def test_every_lifecycle_call_of_the_descriptor_has_its_route(
    load: Callable[[str], ModuleType],
) -> None:
    descriptor = call(load("descriptor"), "GET", "/atlassian-connect.json").json()
    served = {("POST", path) for path in descriptor["lifecycle"].values()}
    assert served == set(routes("lifecycle"))


def test_successes_and_failures_carry_the_security_headers(jira: Jira) -> None:
    assert has_security_headers(jira.installed(ACME))
    bad = jira.installed(ACME, body=b"{")
    assert bad.status == 400
    assert has_security_headers(bad)
    with aws_calls() as calls:
        calls.fail(unreachable(), at=0)
        down = jira.enabled(ACME)
    assert down.status == 503
    assert has_security_headers(down)


def test_an_unexpected_error_is_a_500_that_reveals_nothing(jira: Jira) -> None:
    with aws_calls() as calls:
        calls.fail(RuntimeError("words of what nobody foresaw"), at=0)
        answer = jira.enabled(ACME)
    assert answer.status == 500
    assert answer.error_code == "internal_error"
    assert "foresaw" not in answer.body
    assert has_security_headers(answer)


def test_the_public_link_answers_alike_for_every_incident(
    load: Callable[[str], ModuleType],
) -> None:
    module = load("create_post_incident_review")
    answers = {
        call(module, "GET", "/post-incident-reviews/new" + query).body
        for query in ("", "?incident=inc-1", "?incident=%3Cscript%3E", "?incident-id=x&jwt=y")
    }
    assert len(answers) == 1


def test_a_token_of_another_call_opens_none_of_jiras_routes(
    load: Callable[[str], ModuleType], jira: Jira, subtests: pytest.Subtests
) -> None:
    """Signed with the site's own secret, or by Jira's install key, but not for this call."""
    assert jira.installed(ACME).status == 204
    of_jira = [one for one in ROUTES if one[1:] not in PUBLIC and one[2][:4] not in ("*", "/v1/")]
    assert len(of_jira) > 4
    modules = {name: load(name) for name, _, _ in of_jira}
    for name, method, path in of_jira:
        own = claims(ACME.client_key, method, path)
        tokens = {
            "a page's": signed_callback(ACME.secret, own | {"qsh": "context-qsh"}),
            "another path's": signed_callback(
                ACME.secret, claims(ACME.client_key, method, path + "/x")
            ),
            "another method's": signed_callback(
                ACME.secret, claims(ACME.client_key, "PATCH", path)
            ),
            "another query's": signed_callback(
                ACME.secret, claims(ACME.client_key, method, path + "?a=b")
            ),
            "the app's own": signed_callback(ACME.secret, own | {"iss": APP_KEY}),
            "of another audience": signed_install(jira.key, own | {"aud": "https://x.example"}),
            "expired": signed_callback(ACME.secret, own | {"iat": 1, "exp": 2}),
        }
        for kind, token in tokens.items():
            with subtests.test(kind, route=f"{method} {path}"):
                headers = {"Authorization": f"JWT {token}"}
                answer = call(modules[name], method, path, b"{}", headers)
                if method == "HEAD":
                    assert (answer.status, answer.body) == (401, "")
                else:
                    assert refused(answer)
