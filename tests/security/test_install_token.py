"""`installed` and `uninstalled`: the rules for a token, one by one."""

import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes

from tests.security import forgery
from tests.security.answers import refused
from tests.support.key_server import KeyServer
from tests.support.lambdas import APP_KEY, BASE_URL, call
from tests.support.lifecycle import ACME, GLOBEX, INSTALLED, UNINSTALLED, Jira
from tests.support.tokens import InstallKey, signed_install

Stored = Callable[[], list[Any]]
BOTH = (INSTALLED, UNINSTALLED)


def signed(jira: Jira, payload: Any) -> str:
    """Sign any payload with Jira's own key."""
    header = {"alg": "RS256", "typ": "JWT", "kid": jira.key.kid}
    return forgery.rs256(header, payload, jira.key.private)


def test_a_token_signed_by_jira_is_accepted(jira: Jira, keys: KeyServer) -> None:
    assert jira.installed(ACME).status == 204
    assert jira.enabled(ACME).status == 204
    assert jira.uninstalled(ACME, iat=int(time.time()) + 1).status == 204
    assert keys.requests == [f"/keys/{jira.key.kid}"]


def test_any_other_algorithm_is_refused_before_a_key_is_requested(
    jira: Jira, keys: KeyServer, stored: Stored, subtests: pytest.Subtests
) -> None:
    private, kid = jira.key.private, jira.key.kid
    for path in BOTH:
        payload = jira.claims(ACME, path)
        good = {"alg": "RS256", "typ": "JWT", "kid": kid}
        tokens = {
            "none": forgery.unsigned(good | {"alg": "none"}, payload),
            "None": forgery.unsigned(good | {"alg": "None"}, payload),
            "empty": forgery.unsigned(good | {"alg": ""}, payload),
            "absent": forgery.rs256({"typ": "JWT", "kid": kid}, payload, private),
            "null": forgery.rs256(good | {"alg": None}, payload, private),
            "a list": forgery.rs256(good | {"alg": ["RS256"]}, payload, private),
            "lower case": forgery.rs256(good | {"alg": "rs256"}, payload, private),
            "HS256 with the public key as its secret": forgery.hs256(
                good | {"alg": "HS256"}, payload, jira.key.public_pem
            ),
            "HS256 with the tenant's secret": forgery.hs256(
                good | {"alg": "HS256"}, payload, ACME.secret.encode()
            ),
            "RS384": forgery.rs(good | {"alg": "RS384"}, payload, private, hashes.SHA384()),
            "RS512": forgery.rs(good | {"alg": "RS512"}, payload, private, hashes.SHA512()),
            "PS256": jwt.encode(payload, private, "PS256", headers={"kid": kid}),
        }
        for name, token in tokens.items():
            with subtests.test(path=path, alg=name):
                assert refused(jira.post(path, token, ACME.body()))
    assert keys.requests == []
    assert stored() == []


def test_a_signature_by_another_key_is_refused(
    jira: Jira, stored: Stored, subtests: pytest.Subtests
) -> None:
    stranger = InstallKey(kid=jira.key.kid)
    good = {"alg": "RS256", "typ": "JWT", "kid": jira.key.kid}
    for path in BOTH:
        payload = jira.claims(ACME, path)
        tokens = {
            "another key under the same kid": signed_install(stranger, payload),
            "no signature": forgery.without_signature(jira.token(ACME, path)),
            "payload changed": forgery.with_last_character_changed(jira.token(ACME, path)),
            "signed with another hash": forgery.rs(
                good, payload, jira.key.private, hashes.SHA512()
            ),
            "the key that the token itself brings": forgery.rs256(
                good | {"jwk": {"kty": "RSA"}, "x5u": "https://evil.example"},
                payload,
                stranger.private,
            ),
        }
        for name, token in tokens.items():
            with subtests.test(path=path, token=name):
                assert refused(jira.post(path, token, ACME.body()))
    assert stored() == []


def test_a_malformed_token_is_refused(
    jira: Jira, stored: Stored, subtests: pytest.Subtests
) -> None:
    header, payload = {"alg": "RS256", "kid": jira.key.kid}, jira.claims(ACME)
    tokens = {
        "nothing": "",
        "a word": "token",
        "two dots": "..",
        "two segments": f"{forgery.segment(header)}.{forgery.segment(payload)}",
        "four segments": jira.token(ACME) + ".x",
        "no base64": "!!!.???.***",
        "header no JSON": forgery.rs256(b"{", payload, jira.key.private),
        "header no UTF-8": forgery.rs256(b"\xff\xfe", payload, jira.key.private),
        "header a list": forgery.rs256([header], payload, jira.key.private),
        "header too deep": forgery.rs256(b"[" * 3000, payload, jira.key.private),
        "payload no JSON": forgery.rs256(header, b"{", jira.key.private),
        "payload no UTF-8": forgery.rs256(header, b"\xff\xfe", jira.key.private),
        "payload a list": forgery.rs256(header, [payload], jira.key.private),
        "payload too deep": forgery.rs256(header, b"[" * 3000, jira.key.private),
        "payload detached": forgery.rs256(
            header | {"b64": False, "crit": ["b64"]}, b"", jira.key.private
        ),
        "an unknown critical header": forgery.rs256(
            header | {"crit": ["x"], "x": 1}, payload, jira.key.private
        ),
        "not ASCII": "ü.ü.ü",
        "longer than any token": jira.token(ACME, filler="x" * 20_000),
    }
    for name, token in tokens.items():
        with subtests.test(name):
            assert refused(jira.post(INSTALLED, token, ACME.body()))
    with subtests.test("no header at all"):
        assert refused(jira.post(INSTALLED, None, ACME.body()))
    assert stored() == []


def test_the_times_of_a_token_are_enforced(
    jira: Jira, stored: Stored, subtests: pytest.Subtests
) -> None:
    now = int(time.time())
    hour = 3600
    cases: dict[str, dict[str, Any]] = {
        "expired": {"iat": now - 300, "exp": now - 40},
        "long expired": {"iat": now - 2 * hour, "exp": now - 2 * hour + 180},
        "issued in the future": {"iat": now + 45, "exp": now + 180},
        "lives over 20 minutes": {"iat": now, "exp": now + 20 * 60 + 1},
        "lives for a day": {"iat": now, "exp": now + 24 * hour},
        "expires before it was issued": {"iat": now + 20, "exp": now + 10},
        "not yet valid": {"nbf": now + 45},
        "iat no number": {"iat": "soon"},
        "iat a list": {"iat": []},
        "iat beyond all numbers": {"iat": float("inf")},
        "exp no number": {"exp": "never"},
        "exp an object": {"exp": {}},
        "exp beyond all numbers": {"exp": float("inf")},
        "exp too long a number": {"exp": 10**400},
    }
    for path in BOTH:
        for name, claims in cases.items():
            with subtests.test(path=path, token=name):
                assert refused(jira.post(path, jira.token(ACME, path, **claims), ACME.body()))
    assert stored() == []


def test_clocks_may_differ_by_thirty_seconds(jira: Jira, subtests: pytest.Subtests) -> None:
    now = int(time.time())
    cases: dict[str, dict[str, Any]] = {
        "expired just now": {"iat": now - 100, "exp": now - 15},
        "issued in the next moment": {"iat": now + 20, "exp": now + 200},
        "lives for just 20 minutes": {"iat": now + 21, "exp": now + 21 + 20 * 60},
    }
    for name, claims in cases.items():
        with subtests.test(name):
            assert jira.installed(ACME, **claims).status == 204


def test_a_token_without_a_required_claim_is_refused(
    jira: Jira, stored: Stored, subtests: pytest.Subtests
) -> None:
    for path, claim in itertools.product(BOTH, ("iss", "iat", "exp", "qsh", "aud")):
        payload = jira.claims(ACME, path)
        for name, changed in {
            "absent": {key: value for key, value in payload.items() if key != claim},
            "null": payload | {claim: None},
            "empty": payload | {claim: ""},
            "an object": payload | {claim: {}},
        }.items():
            with subtests.test(path=path, claim=claim, value=name):
                assert refused(jira.post(path, signed(jira, changed), ACME.body()))
    assert stored() == []


def test_a_token_is_valid_for_its_own_request_only(
    jira: Jira, stored: Stored, subtests: pytest.Subtests
) -> None:
    enabled = jira.claims(ACME, "/lifecycle/enabled")["qsh"]
    with_query = jira.claims(ACME, INSTALLED + "?admin=1")["qsh"]
    own = {path: jira.claims(ACME, path)["qsh"] for path in BOTH}
    for path, other in zip(BOTH, reversed(BOTH), strict=True):
        for name, qsh in {
            "a page's": "context-qsh",
            "the other lifecycle call's": own[other],
            "another call's": enabled,
            "one of another query": with_query,
            "in capitals": own[path].upper(),
            "cut short": own[path][:-1],
            "with more behind": own[path] + "0",
            "not ASCII": "ü" * 64,
            "half of a surrogate pair": "\ud800",
            "a number": 1,
            "a list": [own[path]],
        }.items():
            with subtests.test(path=path, qsh=name):
                token = signed(jira, jira.claims(ACME, path) | {"qsh": qsh})
                assert refused(jira.post(path, token, ACME.body()))
    assert stored() == []


def test_a_query_missing_from_the_tokens_hash_is_refused(jira: Jira, stored: Stored) -> None:
    token = jira.token(ACME)
    assert refused(jira.post(INSTALLED + "?force=true", token, ACME.body()))
    assert stored() == []


def test_a_token_for_another_audience_is_refused(
    jira: Jira, stored: Stored, subtests: pytest.Subtests
) -> None:
    for path in BOTH:
        for audience in [
            "https://other.example.com",
            "https://relay.example.com.evil.example",
            "https://relay.example.co",
            "http://relay.example.com",
            "https://relay.example.com//",
            "https://relay.example.com/lifecycle",
            "https://RELAY.example.com",
            " https://relay.example.com",
            APP_KEY,
            ["https://other.example.com"],
            [],
            [BASE_URL, 1],
            {BASE_URL: BASE_URL},
            1,
        ]:
            with subtests.test(path=path, audience=audience):
                token = jira.token(ACME, path, aud=audience)
                assert refused(jira.post(path, token, ACME.body()))
    assert stored() == []


def test_the_audience_is_the_base_url_with_or_without_a_trailing_slash(
    jira: Jira, subtests: pytest.Subtests
) -> None:
    for audience in [
        BASE_URL,
        BASE_URL + "/",
        [BASE_URL],
        ["https://other.example.com", BASE_URL + "/"],
    ]:
        with subtests.test(audience=audience):
            assert jira.installed(ACME, aud=audience).status == 204


def test_the_issuer_is_the_bodys_client_key(
    jira: Jira, stored: Stored, subtests: pytest.Subtests
) -> None:
    for path in BOTH:
        for issuer in [
            GLOBEX.client_key,
            ACME.client_key.upper(),
            ACME.client_key + " ",
            APP_KEY,
            [ACME.client_key],
            1,
        ]:
            with subtests.test(path=path, issuer=issuer):
                token = signed(jira, jira.claims(ACME, path) | {"iss": issuer})
                assert refused(jira.post(path, token, ACME.body()))
    assert stored() == []


def test_a_call_for_another_app_is_refused(
    jira: Jira, stored: Stored, subtests: pytest.Subtests
) -> None:
    for path in BOTH:
        for key in ["another-app", APP_KEY.upper(), APP_KEY + " ", ""]:
            with subtests.test(path=path, key=key):
                answer = jira.post(path, jira.token(ACME, path), ACME.body(key=key))
                assert refused(answer)
    assert stored() == []


def test_the_token_may_be_in_the_query_and_the_header_takes_precedence(
    jira: Jira, subtests: pytest.Subtests
) -> None:
    def post(authorization: str | None, query: str) -> int:
        headers = {} if authorization is None else {"Authorization": authorization}
        return call(jira.function, "POST", INSTALLED + query, body, headers).status

    body = json.dumps(ACME.body())
    token, stranger = jira.token(ACME), signed_install(InstallKey(), jira.claims(ACME))
    for name, authorization, query, status in [
        ("header", f"JWT {token}", "", 204),
        ("header, scheme in lower case", f"jwt {token}", "", 204),
        ("query", None, f"?jwt={token}", 204),
        ("query, beside another scheme", "Basic eDp5", f"?jwt={token}", 204),
        ("query, beside an empty header", "JWT ", f"?jwt={token}", 204),
        ("a good header wins", f"JWT {token}", f"?jwt={stranger}", 204),
        ("a bad header wins", f"JWT {stranger}", f"?jwt={token}", 401),
        ("the first of two in the query", None, f"?jwt={stranger}&jwt={token}", 401),
        ("as a bearer", f"Bearer {token}", "", 401),
        ("without a scheme", token, "", 401),
        ("under another name", None, f"?JWT={token}", 401),
    ]:
        with subtests.test(name):
            assert post(authorization, query) == status
