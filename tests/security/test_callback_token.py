"""A site's own calls: HS256 with the secret that it shares with Relay."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.security import forgery
from tests.security.answers import refused
from tests.support.aws_calls import aws_calls
from tests.support.lambdas import APP_KEY, BASE_URL, Answer, call
from tests.support.lifecycle import ACME, DISABLED, ENABLED, GLOBEX, Jira, Site
from tests.support.tokens import claims, signed_install

BOTH = (ENABLED, DISABLED)
HS256 = {"alg": "HS256", "typ": "JWT"}
UNKNOWN = Site(client_key="nobody-knows-this-site")


@pytest.fixture
def jira(jira: Jira) -> Jira:
    """Both sites installed the app, and one has uninstalled it."""
    for site in (ACME, GLOBEX, GONE):
        assert jira.installed(site).status == 204
    assert jira.uninstalled(GONE, iat=int(time.time()) + 1).status == 204
    return jira


GONE = Site(client_key="a-site-that-has-uninstalled", base_url="https://gone.atlassian.net")


def payload(site: Site = ACME, path: str = ENABLED, **others: Any) -> dict[str, Any]:
    return claims(site.client_key, "POST", path, **others)


def signed(content: Any, secret: str = ACME.secret) -> str:
    return forgery.hs256(HS256, content, secret.encode())


@pytest.mark.parametrize("path", BOTH)
def test_a_call_with_the_sites_secret_is_accepted(jira: Jira, path: str) -> None:
    assert jira.enabled(ACME, path=path).status == 204
    assert jira.enabled(GLOBEX, path=path).status == 204
    assert jira.enabled(ACME, path=path, aud=[BASE_URL], sub="557058:a-person").status == 204


def test_any_other_algorithm_or_key_is_refused(jira: Jira, subtests: pytest.Subtests) -> None:
    for path in BOTH:
        content, secret = payload(path=path), ACME.secret.encode()
        tokens = {
            "none": forgery.unsigned({"alg": "none"}, content),
            "none, signed": forgery.hs256({"alg": "none"}, content, secret),
            "no alg": forgery.hs256({"typ": "JWT"}, content, secret),
            "HS256, not signed": forgery.unsigned(HS256, content),
            "HS384": forgery.hs({"alg": "HS384"}, content, secret, "sha384"),
            "HS512": forgery.hs({"alg": "HS512"}, content, secret, "sha512"),
            "RS256 by Jira's install key": signed_install(jira.key, content),
            "RS256, said to be HS256": forgery.rs256(HS256, content, jira.key.private),
            "HS256 with the install key": signed(content, jira.key.public_pem.decode()),
            "another tenant's secret": signed(content, GLOBEX.secret),
            "the secret in other letters": signed(content, ACME.secret.lower()),
            "no secret": signed(content, ""),
            "the secret None": signed(content, "None"),
            "the app's key": signed(content, APP_KEY),
            "the tenant's clientKey": signed(content, ACME.client_key),
            "a changed payload": forgery.with_last_character_changed(signed(content)),
        }
        for name, token in tokens.items():
            with subtests.test(name, path=path):
                assert refused(jira.post(path, token, ACME.body()))


def test_the_claims_of_a_token_are_enforced(jira: Jira, subtests: pytest.Subtests) -> None:
    now = int(time.time())
    own = payload()["qsh"]
    for name, changes in {
        "a page's qsh": {"qsh": "context-qsh"},
        "qsh of another call": {"qsh": payload(path=DISABLED)["qsh"]},
        "qsh in capitals": {"qsh": own.upper()},
        "qsh a list": {"qsh": [own]},
        "qsh half of a surrogate pair": {"qsh": "\ud800"},
        "expired": {"iat": now - 300, "exp": now - 40},
        "of the future": {"iat": now + 45, "exp": now + 200},
        "lives too long": {"iat": now, "exp": now + 20 * 60 + 1},
        "not yet valid": {"nbf": now + 45},
        "no iat": {"iat": None},
        "no exp": {"exp": None},
        "no qsh": {"qsh": None},
        "no iss": {"iss": None},
        "exp no number": {"exp": "never"},
        "iat a list": {"iat": []},
        "iat beyond all numbers": {"iat": float("inf")},
    }.items():
        content = {key: value for key, value in (payload() | changes).items() if value is not None}
        with subtests.test(name):
            assert refused(jira.post(ENABLED, signed(content), ACME.body()))


def test_the_clocks_may_differ_by_thirty_seconds(jira: Jira) -> None:
    now = int(time.time())
    assert jira.enabled(ACME, iat=now - 100, exp=now - 15).status == 204
    assert jira.enabled(ACME, iat=now + 20, exp=now + 200).status == 204


def test_an_unknown_issuer_is_refused(jira: Jira, subtests: pytest.Subtests) -> None:
    for issuer in [
        APP_KEY,
        ACME.client_key.upper(),
        ACME.client_key + " ",
        " ",
        "tenant",
        "i" * 500,
        "\u65e5" * 500,
    ]:
        with subtests.test(issuer=issuer):
            assert refused(jira.post(ENABLED, signed(payload() | {"iss": issuer}), ACME.body()))


def test_an_invalid_issuer_is_not_looked_up(jira: Jira, subtests: pytest.Subtests) -> None:
    for issuer in [
        "",
        "i" * 501,
        "i" * 3000,
        "\ud800",
        "acme\x00",
        "acme\n",
        1,
        True,
        [ACME.client_key],
        {"clientKey": ACME.client_key},
    ]:
        with subtests.test(issuer=issuer), aws_calls() as calls:
            assert refused(jira.post(ENABLED, signed(payload() | {"iss": issuer}), ACME.body()))
            assert calls.names == []


def test_a_malformed_token_is_refused(jira: Jira, subtests: pytest.Subtests) -> None:
    for name, token in {
        "nothing": "",
        "two dots": "..",
        "not ASCII": "ü.ü.ü",
        "header too deep": forgery.hs256(b"[" * 3000, payload(), b"x"),
        "payload too deep": forgery.hs256(HS256, b"[" * 3000, b"x"),
        "payload no JSON": forgery.hs256(HS256, b"{", b"x"),
        "payload no UTF-8": forgery.hs256(HS256, b"\xff", b"x"),
        "payload a list": forgery.hs256(HS256, [payload()], b"x"),
        "payload null": forgery.hs256(HS256, None, b"x"),
        "payload a huge number": forgery.hs256(HS256, b"1" * 5000, b"x"),
        "longer than any token": signed(payload(filler="x" * 20_000)),
    }.items():
        with subtests.test(name):
            assert refused(jira.post(ENABLED, token, ACME.body()))
    with subtests.test("no header at all"):
        assert refused(jira.post(ENABLED, None, ACME.body()))


def test_the_token_may_be_in_the_query_and_the_header_takes_precedence(jira: Jira) -> None:
    good, bad = signed(payload()), signed(payload(), GLOBEX.secret)

    def post(query: str, **headers: str) -> int:
        return call(jira.function, "POST", ENABLED + query, "{}", headers).status

    assert post(f"?jwt={good}") == 204
    assert post(f"?jwt={bad}", Authorization=f"JWT {good}") == 204
    assert post(f"?jwt={good}", Authorization=f"JWT {bad}") == 401
    assert post("", Authorization=f"Bearer {good}") == 401


def test_a_bad_signature_an_unknown_and_an_uninstalled_site_get_the_same_answer(
    jira: Jira,
) -> None:
    answers = [
        jira.post(ENABLED, signed(payload(ACME), GLOBEX.secret), ACME.body()),
        jira.enabled(UNKNOWN),
        jira.enabled(GONE),
        jira.post(ENABLED, signed(payload(GONE), ""), GONE.body()),
        jira.post(ENABLED, None, ACME.body()),
    ]

    def seen(answer: Answer) -> Any:
        headers = {k: v for k, v in answer.headers.items() if k != "x-correlation-id"}
        return answer.status, answer.body, headers

    assert refused(answers[0])
    assert all(seen(answer) == seen(answers[0]) for answer in answers)


def test_every_refusal_makes_the_same_number_of_calls(jira: Jira) -> None:
    """Once a site has called; the calls to AWS are most of a response's time."""
    assert jira.enabled(ACME).status == 204
    work: list[Any] = []
    for token in (
        signed(payload(ACME), GLOBEX.secret),
        signed(payload(UNKNOWN)),
        signed(payload(GONE)),
    ):
        with aws_calls() as calls:
            assert refused(jira.post(ENABLED, token, ACME.body()))
        work.append(calls.names)
    assert work[0] == work[1] == work[2]


def test_no_call_is_stored(jira: Jira, stored: Callable[[], list[Any]]) -> None:
    before = stored()
    assert jira.enabled(ACME).status == 204
    assert jira.enabled(ACME, path=DISABLED).status == 204
    assert jira.enabled(UNKNOWN).status == 401
    assert stored() == before
