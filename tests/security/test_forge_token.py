"""Forge Invocation Tokens: the rules for a token, one by one."""

import itertools
import json
import re
import time
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from relay.errors import Unauthenticated, Unavailable
from relay.identity.caller import ForgeCaller
from relay.identity.connect_token import digest_of
from relay.identity.forge_keys import ForgeKeys
from relay.identity.forge_modules import CALLERS
from relay.identity.forge_token import ForgeTokenVerifier
from relay.identity.key_servers import key_server_client
from relay.outbound.client import OutboundClient
from relay_cli.manifest import Deployment, manifest_of
from tests.security import forgery
from tests.support.forge import (
    ABSENT,
    API_BASE_URL,
    APP_ID,
    CLOUD_ID,
    INSTALLATION_ID,
    OTHER_APP_ID,
    ForgeKey,
    KeySetServer,
    key_set_server,
    payload,
    request,
    signed,
)
from tests.support.key_server import Reply
from tests.support.template import ROOT, routes

PERSON = "557058:f1e2d3c4-a-person"
SYSTEM_TOKEN = "eyJhbGciOi.the-system-token_that~is+opaque/to=us"
OTHER_CLOUD_ID = "866c3a03-ec62-4717-91c4-1ad078bfcc60"
OTHER_INSTALLATION_ID = "ari:cloud:ecosystem::installation/0a3a7799-53ae-4a5b-9e7e-03338980abb5"
# A module's server and keys last for all of hypothesis's examples.
given_much = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def key() -> ForgeKey:
    return ForgeKey()


@pytest.fixture(scope="module")
def stranger(key: ForgeKey) -> ForgeKey:
    """Another key under the same kid."""
    return ForgeKey(kid=key.kid)


@pytest.fixture
def server(key: ForgeKey) -> Iterator[KeySetServer]:
    with key_set_server() as served:
        served.publish(key.jwk())
        yield served


@pytest.fixture
def http() -> Iterator[OutboundClient]:
    with key_server_client() as client:
        yield client


@pytest.fixture
def verifier(http: OutboundClient, server: KeySetServer) -> ForgeTokenVerifier:
    return ForgeTokenVerifier(ForgeKeys(http, server.url), APP_ID)


def verify(verifier: ForgeTokenVerifier, token: str, **headers: str) -> ForgeCaller:
    return verifier.verify(request(f"Bearer {token}", **headers))


def refusal(verifier: ForgeTokenVerifier, token: str, **headers: str) -> str:
    """The reason in the log, which must not contain the token."""
    with pytest.raises(Unauthenticated) as caught:
        verify(verifier, token, **headers)
    for part in token.split("."):
        assert len(part) < 8 or part not in caught.value.reason
    assert caught.value.message == "This call needs a valid token, API key or signature."
    return caught.value.reason


# --- Accepted calls ---


def test_a_token_signed_by_forge_is_accepted(
    verifier: ForgeTokenVerifier, server: KeySetServer, key: ForgeKey
) -> None:
    content = payload()
    token = signed(key, content)
    caller = verify(verifier, token, x_forge_oauth_system=SYSTEM_TOKEN)
    assert caller.installation_id == INSTALLATION_ID
    assert caller.cloud_id == CLOUD_ID
    assert caller.api_base_url == API_BASE_URL
    assert caller.app_version == "2.4.0"
    assert caller.token.issued_at == content["iat"]
    assert caller.token.digest == digest_of(token)
    assert caller.system_token == SYSTEM_TOKEN
    assert server.requests == ["/keys/jwks.json"]


@pytest.mark.parametrize(
    "changes",
    [
        {"context": ABSENT},
        {"context": None},
        {"context": {}},
        {"context.cloudId": ABSENT},
        {"context.siteUrl": "https://acme.atlassian.net"},
        {"icLabel": None},
        {"app.installation": ABSENT},
        {"app.version": ABSENT},
        {"app.license": {"isActive": True, "type": "commercial"}},
        {"app.more": ["of", {"it": 1}]},
        {"more": {"of": "it"}},
    ],
    ids=str,
)
def test_optional_and_additional_claims_are_accepted(
    verifier: ForgeTokenVerifier, key: ForgeKey, changes: dict[str, Any]
) -> None:
    caller = verify(verifier, signed(key, payload(changes)))
    assert caller.cloud_id == CLOUD_ID
    assert caller.system_token is None


def test_the_user_of_a_token_is_not_stored(verifier: ForgeTokenVerifier, key: ForgeKey) -> None:
    person = {"principal": PERSON, "sub": PERSON, "context.accountId": PERSON}
    token = signed(key, payload(person))
    caller = verifier.verify(
        request(f"Bearer {token}", "/workspaces/fetch", x_forge_oauth_user="the-users-token")
    )
    kept = " ".join(str(getattr(caller, each.name)) for each in fields(caller))
    assert INSTALLATION_ID in kept
    assert PERSON not in kept
    assert "the-users-token" not in kept


def test_the_system_token_is_in_no_representation(
    verifier: ForgeTokenVerifier, key: ForgeKey
) -> None:
    caller = verify(verifier, signed(key), x_forge_oauth_system=SYSTEM_TOKEN)
    assert SYSTEM_TOKEN not in repr(caller)
    assert SYSTEM_TOKEN not in str(caller)


# --- Environment, module and user ---


@pytest.mark.parametrize(
    ("accepted", "passing"),
    [
        (["PRODUCTION"], ["PRODUCTION"]),
        (["STAGING", "DEVELOPMENT"], ["STAGING", "DEVELOPMENT"]),
        ([], []),
    ],
)
def test_only_the_configured_environments_are_accepted(
    http: OutboundClient,
    server: KeySetServer,
    key: ForgeKey,
    accepted: list[str],
    passing: list[str],
) -> None:
    """All environments of an app share one id and one audience."""
    verifier = ForgeTokenVerifier(ForgeKeys(http, server.url), APP_ID, accepted)
    for environment in ("PRODUCTION", "STAGING", "DEVELOPMENT", "production", "PRODUCTION "):
        token = signed(key, payload({"app.environment.type": environment}))
        if environment in passing:
            assert verify(verifier, token).installation_id == INSTALLATION_ID
        else:
            refusal(verifier, token)


def test_only_production_is_accepted_by_default(
    verifier: ForgeTokenVerifier, server: KeySetServer, key: ForgeKey
) -> None:
    reason = refusal(verifier, signed(key, payload({"app.environment.type": "STAGING"})))
    assert reason == "the app's environment is not accepted"
    assert server.requests == [], "no key is needed to know that"


def test_a_forge_route_accepts_its_own_module_only(
    verifier: ForgeTokenVerifier, key: ForgeKey, subtests: pytest.Subtests
) -> None:
    for path, own in CALLERS.items():
        for other, caller in CALLERS.items():
            for kind, name in itertools.product(caller.types, caller.keys):
                token = signed(key, payload({"app.module": {"type": kind, "key": name}}))
                sent = request(f"Bearer {token}", path)
                with subtests.test(path=path, other=other, module=f"{kind} {name}"):
                    if kind in own.types and name in own.keys:
                        assert verifier.verify(sent).installation_id == INSTALLATION_ID
                    else:
                        with pytest.raises(Unauthenticated) as caught:
                            verifier.verify(sent)
                        assert caught.value.reason == "the token is for another module"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"principal": PERSON}, "the token is for a user's call"),
        ({"principal": ""}, "the token is for a user's call"),
        ({"app.module.type": "xen:macro"}, "the token is for another module"),
        ({"app.module.type": "jira:adminPage"}, "the token is for another module"),
        ({"app.module.key": "forge-tic"}, "the token is for another module"),
        ({"app.module.key": "FORGE-TICK"}, "the token is for another module"),
    ],
)
def test_a_pages_or_users_token_opens_no_forge_route(
    verifier: ForgeTokenVerifier,
    server: KeySetServer,
    key: ForgeKey,
    changes: dict[str, Any],
    reason: str,
) -> None:
    token = signed(key, payload(changes))
    assert refusal(verifier, token) == reason
    assert server.requests == [], "no key is needed to know that"
    assert verifier.verify(request(f"Bearer {token}", "/workspaces/fetch"))


def test_a_forge_route_without_a_module_accepts_no_token(
    verifier: ForgeTokenVerifier, key: ForgeKey
) -> None:
    with pytest.raises(Unauthenticated):
        verifier.verify(request(f"Bearer {signed(key)}", "/forge/new"))


def test_every_forge_route_has_the_module_that_the_manifest_names() -> None:
    descriptor = json.loads((ROOT / "atlassian-connect.json").read_text())
    modules = manifest_of(descriptor, Deployment(APP_ID, "https://relay.example.com")).document[
        "modules"
    ]
    leading = {
        module["endpoint"]: module["key"]
        for kind in ("trigger", "preUninstall", "scheduledTrigger")
        for module in modules[kind]
    }
    (residency,) = modules["migration:dataResidency"]
    named = {
        endpoint["route"]["path"]: {endpoint["key"], leading[endpoint["key"]]}
        for endpoint in modules["endpoint"]
        # The page's own endpoint has none: the page names the path of each call.
        if "route" in endpoint
    } | {
        path: {residency["key"]}
        for _, path in routes("forge")
        if path.startswith(f"{residency['path']}/")
    }
    assert named == {path: caller.keys for path, caller in CALLERS.items()}
    assert set(CALLERS) == {path for _, path in routes("forge")}


# --- Algorithm, key and signature ---


def test_any_other_algorithm_is_refused_before_a_key_is_requested(
    verifier: ForgeTokenVerifier, server: KeySetServer, key: ForgeKey, subtests: pytest.Subtests
) -> None:
    content, private = payload(), key.private
    good = {"alg": "RS256", "typ": "JWT", "kid": key.kid}
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    modulus = key.jwk()["n"].encode()
    elliptic = ec.generate_private_key(ec.SECP256R1())
    for name, token in {
        "none": forgery.unsigned(good | {"alg": "none"}, content),
        "None": forgery.unsigned(good | {"alg": "None"}, content),
        "empty": forgery.rs256(good | {"alg": ""}, content, private),
        "absent": forgery.rs256({"typ": "JWT", "kid": key.kid}, content, private),
        "null": forgery.rs256(good | {"alg": None}, content, private),
        "a list": forgery.rs256(good | {"alg": ["RS256"]}, content, private),
        "small letters": forgery.rs256(good | {"alg": "rs256"}, content, private),
        "HS256, the public key its secret": forgery.hs256(good | {"alg": "HS256"}, content, pem),
        "HS256, the modulus its secret": forgery.hs256(good | {"alg": "HS256"}, content, modulus),
        "HS256, no secret": forgery.hs256(good | {"alg": "HS256"}, content, b""),
        "ES256": jwt.encode(content, elliptic, "ES256", headers={"kid": key.kid}),
        "PS256": jwt.encode(content, private, "PS256", headers={"kid": key.kid}),
        "RS384": forgery.rs(good | {"alg": "RS384"}, content, private, hashes.SHA384()),
        "RS512": forgery.rs(good | {"alg": "RS512"}, content, private, hashes.SHA512()),
    }.items():
        with subtests.test(name):
            assert refusal(verifier, token) == "a Forge Invocation Token must be signed with RS256"
    assert server.requests == []


def test_an_algorithm_chosen_by_the_header_is_refused(
    verifier: ForgeTokenVerifier, key: ForgeKey, subtests: pytest.Subtests
) -> None:
    good, content = {"alg": "RS256", "kid": key.kid}, payload()
    pem = key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for name, token in {
        "HS256 by the public key": forgery.hs256(good, content, pem),
        "another hash": forgery.rs(good, content, key.private, hashes.SHA512()),
        "no signature": forgery.unsigned(good, content),
    }.items():
        with subtests.test(name):
            assert refusal(verifier, token) == "the token is refused: InvalidSignatureError"


def test_a_signature_by_another_key_is_refused(
    verifier: ForgeTokenVerifier, key: ForgeKey, stranger: ForgeKey, subtests: pytest.Subtests
) -> None:
    jwk = {"alg": "RS256", "kid": key.kid, "jwk": stranger.jwk(), "jku": "https://evil.example"}
    for name, token in {
        "another key under the same kid": signed(stranger),
        "the signature cut off": forgery.without_signature(signed(key)),
        "payload changed": forgery.with_last_character_changed(signed(key)),
        "the key that the token itself brings": forgery.rs256(jwk, payload(), stranger.private),
    }.items():
        with subtests.test(name):
            assert refusal(verifier, token) == "the token is refused: InvalidSignatureError"


def test_a_secret_in_the_key_set_proves_nothing(
    verifier: ForgeTokenVerifier, server: KeySetServer, key: ForgeKey
) -> None:
    secret = b"s" * 32
    server.publish({"kty": "oct", "k": forgery.segment(secret), "kid": "oct"}, key.jwk())
    for algorithm in ("HS256", "RS256"):
        refusal(verifier, forgery.hs256({"alg": algorithm, "kid": "oct"}, payload(), secret))
    verify(verifier, signed(key))


def test_an_unknown_kid_is_refused_and_a_key_verifies_only_its_own_kid(
    verifier: ForgeTokenVerifier, server: KeySetServer, key: ForgeKey
) -> None:
    other = ForgeKey(kid="other")
    server.publish(key.jwk(), other.jwk())
    for kid in ("unknown", "k", "k" * 128):
        assert refusal(verifier, signed(key, kid=kid)) == "the kid is unknown"
    assert "Signature" in refusal(verifier, signed(key, kid="other"))
    assert "Signature" in refusal(verifier, signed(other, kid=key.kid))
    assert len(server.requests) == 1


def test_a_rotated_key_is_found_by_its_new_kid(
    http: OutboundClient, server: KeySetServer, key: ForgeKey
) -> None:
    now = [1_800_000_000.0]
    verifier = ForgeTokenVerifier(ForgeKeys(http, server.url, lambda: now[0]), APP_ID)
    rotated = ForgeKey(kid="forge/invocation-token/wf-rotated")
    verify(verifier, signed(key))
    server.publish(rotated.jwk())
    now[0] += 10
    verify(verifier, signed(rotated))
    assert refusal(verifier, signed(key)) == "the kid is unknown"


def test_a_key_server_failure_is_a_503_and_no_refusal(
    http: OutboundClient, server: KeySetServer, key: ForgeKey, subtests: pytest.Subtests
) -> None:
    for name, reply in {
        "down": Reply(cut_off=True),
        "garbage": Reply(body=b"<html>"),
        "huge": Reply(body=b" " * 1_000_000),
        "elsewhere": Reply(302, b"", (("Location", server.url),)),
    }.items():
        with subtests.test(name):
            server.answer(reply)
            verifier = ForgeTokenVerifier(ForgeKeys(http, server.url), APP_ID)
            with pytest.raises(Unavailable):
                verify(verifier, signed(key))


# --- Malformed tokens ---


def test_a_malformed_token_is_refused_before_a_key_is_requested(
    verifier: ForgeTokenVerifier, server: KeySetServer, key: ForgeKey, subtests: pytest.Subtests
) -> None:
    header, content, private = {"alg": "RS256", "kid": key.kid}, payload(), key.private
    for name, token in {
        "nothing": "",
        "a word": "token",
        "two dots": "..",
        "two segments": f"{forgery.segment(header)}.{forgery.segment(content)}",
        "four segments": signed(key) + ".x",
        "no base64": "!!!.???.***",
        "header no JSON": forgery.rs256(b"{", content, private),
        "header no UTF-8": forgery.rs256(b"\xff\xfe", content, private),
        "header a list": forgery.rs256([header], content, private),
        "header too deep": forgery.rs256(b"[" * 3000, content, private),
        "payload no JSON": forgery.rs256(header, b"{", private),
        "payload no UTF-8": forgery.rs256(header, b"\xff\xfe", private),
        "payload a list": forgery.rs256(header, [content], private),
        "payload null": forgery.rs256(header, None, private),
        "payload too deep": forgery.rs256(header, b"[" * 3000, private),
        "payload detached": forgery.rs256(header | {"b64": False, "crit": ["b64"]}, b"", private),
        "an unknown critical header": forgery.rs256(
            header | {"crit": ["leaked-to-the-log"], "leaked-to-the-log": 1}, content, private
        ),
        "not ASCII": "ü.ü.ü",
        "longer than any token": signed(key, payload({"filler": "x" * 20_000})),
    }.items():
        with subtests.test(name):
            assert "leaked" not in refusal(verifier, token)
    assert server.requests == []


@pytest.mark.parametrize(
    "kid",
    [ABSENT, None, "", 1, ["k"], "a b", "a\n", "a?b", "../a#", "%2e", "https://x", "ü", "k" * 129],
    ids=str,
)
def test_an_invalid_kid_is_refused_before_a_key_is_requested(
    verifier: ForgeTokenVerifier, server: KeySetServer, key: ForgeKey, kid: Any
) -> None:
    header = {"alg": "RS256"} | ({} if kid is ABSENT else {"kid": kid})
    refusal(verifier, forgery.rs256(header, payload(), key.private))
    assert server.requests == []


def test_the_token_is_accepted_as_a_bearer_only(
    verifier: ForgeTokenVerifier, server: KeySetServer, key: ForgeKey, subtests: pytest.Subtests
) -> None:
    token = signed(key)
    for authorization in [None, "", "Bearer", "Bearer ", token, f"JWT {token}", f"Basic {token}"]:
        with subtests.test(authorization=authorization), pytest.raises(Unauthenticated):
            verifier.verify(request(authorization))
    assert server.requests == []
    for authorization in [f"Bearer {token}", f"bearer {token}", f"BEARER  {token} "]:
        with subtests.test(authorization=authorization):
            assert verifier.verify(request(authorization)).cloud_id == CLOUD_ID


# --- Claims ---


def wrong_claims(now: int) -> dict[str, dict[str, Any]]:
    alone = {"app.installation": ABSENT}  # otherwise the two ids would differ, too
    return {
        # issuer and audience
        "another issuer": {"iss": "forge/web-trigger-token"},
        "the issuer with a slash": {"iss": "forge/invocation-token/"},
        "the issuer in capitals": {"iss": "FORGE/INVOCATION-TOKEN"},
        "issuer a list": {"iss": ["forge/invocation-token"]},
        "another app's audience": {"aud": OTHER_APP_ID},
        "the app's id without its kind": {"aud": APP_ID.rpartition("/")[2]},
        "the audience in capitals": {"aud": APP_ID.upper()},
        "the audience and more": {"aud": APP_ID + "0"},
        "a list of audiences": {"aud": [APP_ID]},
        "audiences of two apps": {"aud": [OTHER_APP_ID, APP_ID]},
        "audience an object": {"aud": {APP_ID: APP_ID}},
        "audience empty": {"aud": ""},
        "another app's id": {"app.id": OTHER_APP_ID},
        "another app's token": {"app.id": OTHER_APP_ID, "aud": OTHER_APP_ID},
        "app.id without its kind": {"app.id": APP_ID.rpartition("/")[2]},
        # times
        "expired": {"iat": now - 100, "nbf": now - 100, "exp": now - 75},
        "long expired": {"iat": now - 7200, "nbf": now - 7200, "exp": now - 7175},
        "issued in the future": {"iat": now + 3600, "exp": now + 3625},
        "not yet valid": {"nbf": now + 3600},
        "lives over five minutes": {"exp": now + 3600},
        "lives since long ago": {"iat": now - 3600},
        "expires before it was issued": {"iat": now + 20, "exp": now + 10},
        "iat a text": {"iat": str(now)},
        "iat a fraction": {"iat": now + 0.5},
        "iat true": {"iat": True},
        "iat a list": {"iat": [now]},
        "iat beyond all numbers": {"iat": float("inf")},
        "nbf a text": {"nbf": str(now)},
        "nbf an object": {"nbf": {}},
        "nbf no number": {"nbf": float("nan")},
        "exp a text": {"exp": str(now + 25)},
        "exp never": {"exp": "never"},
        "exp beyond all numbers": {"exp": float("inf")},
        "exp too long a number": {"exp": 10**400},
        # ids and names
        "jti empty": {"jti": ""},
        "jti a number": {"jti": 1},
        "app a text": {"app": APP_ID},
        "app a list": {"app": [payload()["app"]]},
        "installationId empty": {"app.installationId": "", **alone},
        "installationId a number": {"app.installationId": 1, **alone},
        "installationId with a space": {"app.installationId": "a b", **alone},
        "installationId with a line": {"app.installationId": INSTALLATION_ID + "\n", **alone},
        "installationId not ASCII": {"app.installationId": "ü", **alone},
        "installationId half a character": {"app.installationId": "\ud800", **alone},
        "installationId without end": {"app.installationId": "i" * 256, **alone},
        "another installation's id": {"app.installation.id": OTHER_INSTALLATION_ID},
        "installation a list": {"app.installation": [INSTALLATION_ID]},
        "installation without an id": {"app.installation.id": ABSENT},
        "appVersion a number": {"app.appVersion": 2},
        "environment a text": {"app.environment": "PRODUCTION"},
        "environment type null": {"app.environment.type": None},
        "environment id a list": {"app.environment.id": []},
        "module a text": {"app.module": "hourly-token"},
        "module type false": {"app.module.type": False},
        "module key a number": {"app.module.key": 7},
        "context a text": {"context": CLOUD_ID},
        "context a list": {"context": [CLOUD_ID]},
        "cloudId a number": {"context.cloudId": 1},
        "another site's cloudId": {"context.cloudId": OTHER_CLOUD_ID},
        "the cloudId in capitals": {"context.cloudId": CLOUD_ID.upper()},
        "the cloudId empty": {"context.cloudId": ""},
    }


@pytest.mark.parametrize("name", wrong_claims(0))
def test_an_invalid_claim_is_refused_before_a_key_is_requested(
    verifier: ForgeTokenVerifier, server: KeySetServer, key: ForgeKey, name: str
) -> None:
    header = {"alg": "RS256", "kid": key.kid}
    changes = wrong_claims(int(time.time()))[name]
    refusal(verifier, forgery.rs256(header, payload(changes), key.private))
    assert server.requests == []


@pytest.mark.parametrize(
    "claim",
    [
        "iss",
        "aud",
        "iat",
        "nbf",
        "exp",
        "jti",
        "app",
        "app.id",
        "app.installationId",
        "app.apiBaseUrl",
        "app.appVersion",
        "app.environment",
        "app.environment.type",
        "app.environment.id",
        "app.module",
        "app.module.type",
        "app.module.key",
    ],
)
@pytest.mark.parametrize("value", [ABSENT, None, "", {}, []], ids=str)
def test_a_token_without_a_required_claim_is_refused(
    verifier: ForgeTokenVerifier, server: KeySetServer, key: ForgeKey, claim: str, value: Any
) -> None:
    header = {"alg": "RS256", "kid": key.kid}
    refusal(verifier, forgery.rs256(header, payload({claim: value}), key.private))
    assert server.requests == []


def test_clocks_may_differ_by_thirty_seconds(
    verifier: ForgeTokenVerifier, key: ForgeKey, subtests: pytest.Subtests
) -> None:
    now = int(time.time())
    for name, times in {
        "expired just now": {"iat": now - 40, "nbf": now - 40, "exp": now - 15},
        "issued in the next moment": {"iat": now + 20, "nbf": now + 20, "exp": now + 45},
        "lives for just five minutes": {"exp": now + 300, "iat": now},
    }.items():
        with subtests.test(name):
            assert verify(verifier, signed(key, payload(times))).token.issued_at == times["iat"]
    for name, times in {
        "expired a moment too long ago": {"iat": now - 60, "nbf": now - 60, "exp": now - 35},
        "of too far a future": {"iat": now + 90, "exp": now + 115},
        "lives for a second more": {"exp": now + 301, "iat": now},
    }.items():
        with subtests.test(name):
            refusal(verifier, signed(key, payload(times)))


def test_an_app_without_an_id_accepts_no_token(
    http: OutboundClient, server: KeySetServer, key: ForgeKey
) -> None:
    verifier = ForgeTokenVerifier(ForgeKeys(http, server.url), "")
    for app_id in (APP_ID, ""):
        refusal(verifier, signed(key, payload({"aud": app_id, "app.id": app_id})))
    assert server.requests == []


def test_the_reason_names_the_broken_rule(
    verifier: ForgeTokenVerifier, key: ForgeKey, subtests: pytest.Subtests
) -> None:
    now = int(time.time())
    cases: list[tuple[dict[str, Any], str]] = [
        ({"iss": "x"}, "the token is refused: InvalidIssuerError"),
        ({"aud": OTHER_APP_ID}, "the token is refused: InvalidAudienceError"),
        ({"exp": now - 3600}, "the token is refused: ExpiredSignatureError"),
        ({"nbf": now + 3600}, "the token is refused: ImmatureSignatureError"),
        ({"exp": now + 3600}, "the token's lifetime is too long"),
        ({"iat": now - 3600}, "the token's lifetime is too long"),
        ({"iat": now + 20, "exp": now + 10}, "the token's lifetime is too long"),
        ({"app.id": OTHER_APP_ID}, "app.id names another app"),
        ({"app.installation.id": "other"}, "the token names two installations"),
        ({"context.cloudId": OTHER_CLOUD_ID}, "the token names two sites"),
        ({"app.apiBaseUrl": "https://x"}, "app.apiBaseUrl is not one that Relay calls"),
        ({"app.module.key": 1}, "wrong claims: app.module.key: string_type"),
        (
            {"app.appVersion": "leaked to the log", "icLabel": "Leaked"},
            "wrong claims: app.appVersion: string_pattern_mismatch; "
            "icLabel: string_pattern_mismatch",
        ),
    ]
    for changes, reason in cases:
        with subtests.test(changes=changes):
            assert refusal(verifier, signed(key, payload(changes))) == reason


# --- Isolated Cloud ---

IC_LABEL = re.compile(r"[a-z0-9_-]{1,50}", re.ASCII)


@given(label=st.one_of(st.text(max_size=60), st.from_regex(IC_LABEL, fullmatch=True)))
@example("acme")
@example("acme\n")
@example("a" * 50)
@example("a" * 51)
@example("evil.example/")
@example("ACME")
@example("٣")
@given_much
def test_a_token_of_an_isolated_cloud_is_refused_whatever_its_label(
    verifier: ForgeTokenVerifier, server: KeySetServer, key: ForgeKey, label: str
) -> None:
    reason = refusal(verifier, signed(key, payload({"icLabel": label})))
    if IC_LABEL.fullmatch(label):
        assert reason == "the token is from an Isolated Cloud, which is not configured"
    else:
        assert reason == "wrong claims: icLabel: string_pattern_mismatch"
    assert server.requests == []


@pytest.mark.parametrize("label", [1, True, ["acme"], {"acme": 1}, "\ud800"], ids=repr)
def test_a_label_that_is_not_a_string_is_refused(
    verifier: ForgeTokenVerifier, key: ForgeKey, label: Any
) -> None:
    assert "icLabel" in refusal(verifier, signed(key, payload({"icLabel": label})))


# --- Jira's URL ---

CLOUD_IDS = st.uuids().map(str)
EVIL_URLS = [
    "",
    "https://api.atlassian.com",
    "https://api.atlassian.com/ex/jira",
    "https://api.atlassian.com/ex/jira/",
    f"http://api.atlassian.com/ex/jira/{CLOUD_ID}",
    f"HTTPS://api.atlassian.com/ex/jira/{CLOUD_ID}",
    f"https://API.atlassian.com/ex/jira/{CLOUD_ID}",
    f"//api.atlassian.com/ex/jira/{CLOUD_ID}",
    f"https://api.atlassian.com:443/ex/jira/{CLOUD_ID}",
    f"https://api.atlassian.com:/ex/jira/{CLOUD_ID}",
    f"https://api.atlassian.com./ex/jira/{CLOUD_ID}",
    f"https://api-atlassian.com/ex/jira/{CLOUD_ID}",
    f"https://apiXatlassian.com/ex/jira/{CLOUD_ID}",
    f"https://api.stg.atlassian.com/ex/jira/{CLOUD_ID}",
    f"https://evil.example/ex/jira/{CLOUD_ID}",
    f"https://api.atlassian.com.evil.example/ex/jira/{CLOUD_ID}",
    f"https://evil.example?https://api.atlassian.com/ex/jira/{CLOUD_ID}",
    f"https://api.atlassian.com@evil.example/ex/jira/{CLOUD_ID}",
    f"https://user@api.atlassian.com/ex/jira/{CLOUD_ID}",
    f"https://user:word@api.atlassian.com/ex/jira/{CLOUD_ID}",
    f"https://api.atlassian.com\\@evil.example/ex/jira/{CLOUD_ID}",
    f"https://127.0.0.1/ex/jira/{CLOUD_ID}",
    f"http://127.0.0.1:8080/ex/jira/{CLOUD_ID}",
    f"https://api.atlassian.com/ex/confluence/{CLOUD_ID}",
    f"https://api.atlassian.com/ex/jira/{CLOUD_ID}/",
    f"https://api.atlassian.com/ex/jira/{CLOUD_ID}/..",
    f"https://api.atlassian.com/ex/jira/../jira/{CLOUD_ID}",
    f"https://api.atlassian.com//ex/jira/{CLOUD_ID}",
    f"https://api.atlassian.com/ex/jira/{CLOUD_ID}?a=b",
    f"https://api.atlassian.com/ex/jira/{CLOUD_ID}?",
    f"https://api.atlassian.com/ex/jira/{CLOUD_ID}#a",
    f"https://api.atlassian.com/ex/jira/{CLOUD_ID}\n",
    f" https://api.atlassian.com/ex/jira/{CLOUD_ID}",
    f"https://api.atlassian.com/ex/jira/{CLOUD_ID}0",
    f"https://api.atlassian.com/ex/jira/{CLOUD_ID[:-1]}",
    f"https://api.atlassian.com/ex/jira/{CLOUD_ID[:-1]}g",
    f"https://api.atlassian.com/ex/jira/{CLOUD_ID[:-1]}٣",
    f"https://api.atlassian.com/ex/jira/{CLOUD_ID.upper()}",
    f"https://api.atlassian.com/ex/jira/{CLOUD_ID.replace('-', '')}",
    f"https://api.atlassian.com/ex/jira/{{{CLOUD_ID}}}",
]


@pytest.mark.parametrize("url", [*EVIL_URLS, 1, None, [API_BASE_URL], {"url": API_BASE_URL}])
def test_another_api_base_url_is_refused(
    verifier: ForgeTokenVerifier, server: KeySetServer, key: ForgeKey, url: Any
) -> None:
    changes = {"app.apiBaseUrl": url, "context.cloudId": ABSENT}
    assert "apiBaseUrl" in refusal(verifier, signed(key, payload(changes)))
    assert server.requests == []


@given(cloud_id=CLOUD_IDS, names_site=st.booleans())
@given_much
def test_the_cloud_id_is_read_from_the_api_base_url(
    verifier: ForgeTokenVerifier, key: ForgeKey, cloud_id: str, names_site: bool
) -> None:
    url = f"https://api.atlassian.com/ex/jira/{cloud_id}"
    site = cloud_id if names_site else ABSENT
    caller = verify(
        verifier, signed(key, payload({"app.apiBaseUrl": url, "context.cloudId": site}))
    )
    assert (caller.api_base_url, caller.cloud_id) == (url, cloud_id)


@given(at=st.integers(0, len(API_BASE_URL)), put=st.text(max_size=5), cut=st.integers(0, 5))
@example(len(API_BASE_URL), "\n", 0)
@example(len("https://api.atlassian.com"), ":443", 0)
@example(len("https://"), "a@", 0)
@given_much
def test_an_api_base_url_that_is_changed_anywhere_is_refused_or_names_another_site(
    verifier: ForgeTokenVerifier, key: ForgeKey, at: int, put: str, cut: int
) -> None:
    url = API_BASE_URL[:at] + put + API_BASE_URL[at + cut :]
    token = signed(key, payload({"app.apiBaseUrl": url, "context.cloudId": ABSENT}))
    shape = r"https://api\.atlassian\.com/ex/jira/([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    match = re.fullmatch(shape, url)
    if match is None:
        refusal(verifier, token)
    else:
        assert verify(verifier, token).cloud_id == match[1]


TEST_ORIGINS = {
    # setting: (what it accepts, what it refuses)
    "http://127.0.0.1:*": (
        ["http://127.0.0.1:8080", "http://127.0.0.1:1", "http://127.0.0.1:65535"],
        [
            "http://127.0.0.1",
            "http://127.0.0.1:",
            "http://127.0.0.1:x",
            "http://127.0.0.1:٣",
            "http://127.0.0.1:123456",
            "http://127.0.0.1:80@evil.example",
            "http://127.0.0.1:80/more",
            "http://user@127.0.0.1:80",
            "http://127.0.0.2:80",
            "http://127x0.0.1:80",
            "https://127.0.0.1:80",
        ],
    ),
    "http://jira.test:8080": (
        ["http://jira.test:8080"],
        ["http://jira.test", "http://jira.test:80801", "http://x.test:8080"],
    ),
}


@pytest.mark.parametrize("setting", TEST_ORIGINS)
def test_other_origins_are_accepted_only_if_configured(
    http: OutboundClient,
    server: KeySetServer,
    key: ForgeKey,
    subtests: pytest.Subtests,
    setting: str,
) -> None:
    verifier = ForgeTokenVerifier(ForgeKeys(http, server.url), APP_ID, test_api_origins=[setting])
    let_in, refused = TEST_ORIGINS[setting]
    for origin in refused:
        with subtests.test(refused=origin):
            url = f"{origin}/ex/jira/{CLOUD_ID}"
            refusal(verifier, signed(key, payload({"app.apiBaseUrl": url})))
    for origin in ["https://api.atlassian.com", *let_in]:
        with subtests.test(taken=origin):
            url = f"{origin}/ex/jira/{CLOUD_ID}"
            caller = verify(verifier, signed(key, payload({"app.apiBaseUrl": url})))
            assert (caller.api_base_url, caller.cloud_id) == (url, CLOUD_ID)


# --- The system token ---


@pytest.mark.parametrize(
    "system_token",
    ["", " ", "a b", "a\n", "a\x00", "\x7f", "ü", pytest.param("t" * 8193, id="too long")],
)
def test_a_system_token_that_is_no_valid_header_is_refused(
    verifier: ForgeTokenVerifier, server: KeySetServer, key: ForgeKey, system_token: str
) -> None:
    reason = refusal(verifier, signed(key), x_forge_oauth_system=system_token)
    assert reason == "the system token is malformed"
    assert server.requests == []


@given(system_token=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1))
@example("t" * 8192)
@given_much
def test_a_system_token_is_opaque(
    verifier: ForgeTokenVerifier, key: ForgeKey, system_token: str
) -> None:
    caller = verify(verifier, signed(key), x_forge_oauth_system=system_token)
    assert caller.system_token == system_token
