"""The key set that verifies Forge's tokens: when it is requested, and which responses are
accepted.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from relay.errors import Unauthenticated, Unavailable
from relay.identity.forge_keys import FORGE_KEYS_URL, ForgeKeys
from relay.identity.key_servers import key_server_client
from relay.outbound.client import OutboundClient
from tests.security import forgery
from tests.support.forge import ABSENT, ForgeKey, KeySetServer, key_set_server, signed
from tests.support.key_server import Reply

PAUSE = 10
HOUR = 3600


@dataclass
class Clock:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def key() -> ForgeKey:
    return ForgeKey()


@pytest.fixture(scope="module")
def rotated() -> ForgeKey:
    return ForgeKey(kid="forge/invocation-token/wf-rotated")


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
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(server: KeySetServer, http: OutboundClient, clock: Clock) -> ForgeKeys:
    return ForgeKeys(http, server.url, clock)


def verifies(found: RSAPublicKey, key: ForgeKey) -> bool:
    return found.public_numbers() == key.private.public_key().public_numbers()


def test_the_default_key_set_is_atlassians() -> None:
    assert FORGE_KEYS_URL == "https://forge.cdn.prod.atlassian-dev.net/.well-known/jwks.json"


# --- Requests for a kid ---


@pytest.mark.parametrize(
    "kid",
    [
        "",
        " ",
        "a b",
        "a\n",
        "a\x00",
        "a\\b",
        "a?b",
        "a#b",
        "a%2fb",
        "http://evil.example/key",
        "@evil.example",
        "schlüssel",
        "k" * 129,
        None,
        42,
        True,
        ["k"],
        {"kid": "k"},
    ],
)
def test_an_invalid_kid_is_never_requested(keys: ForgeKeys, server: KeySetServer, kid: Any) -> None:
    with pytest.raises(Unauthenticated):
        keys.get(kid)
    assert server.requests == []


def test_a_known_key_is_requested_once(
    keys: ForgeKeys, server: KeySetServer, key: ForgeKey, clock: Clock
) -> None:
    for _ in range(5):
        assert verifies(keys.get(key.kid), key)
        clock.now += PAUSE
    assert server.requests == ["/keys/jwks.json"]


@given(kids=st.lists(st.from_regex(r"[A-Za-z0-9._/-]{1,128}", fullmatch=True), max_size=50))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_number_of_unknown_kids_requests_the_set_once(
    server: KeySetServer, http: OutboundClient, key: ForgeKey, kids: list[str]
) -> None:
    server.requests.clear()
    clock = Clock()
    keys = ForgeKeys(http, server.url, clock)
    for kid in ["unknown", *kids]:
        with pytest.raises(Unauthenticated):
            keys.get(kid)
        clock.now += (PAUSE - 1) / 51
    assert verifies(keys.get(key.kid), key)
    assert len(server.requests) == 1


def test_an_unknown_kid_is_requested_again_after_the_pause(
    keys: ForgeKeys, server: KeySetServer, clock: Clock
) -> None:
    for seconds, asked in [(0, 1), (PAUSE - 1, 1), (1, 2), (PAUSE - 1, 2), (1, 3)]:
        clock.now += seconds
        with pytest.raises(Unauthenticated):
            keys.get("unknown")
        assert len(server.requests) == asked


def test_a_rotated_key_is_found_by_its_new_kid(
    keys: ForgeKeys, server: KeySetServer, key: ForgeKey, rotated: ForgeKey, clock: Clock
) -> None:
    assert verifies(keys.get(key.kid), key)
    server.publish(key.jwk(), rotated.jwk())
    clock.now += PAUSE
    assert verifies(keys.get(rotated.kid), rotated)
    assert verifies(keys.get(key.kid), key)
    assert len(server.requests) == 2


def test_a_withdrawn_key_expires_within_the_hour(
    keys: ForgeKeys, server: KeySetServer, key: ForgeKey, rotated: ForgeKey, clock: Clock
) -> None:
    keys.get(key.kid)
    server.publish(rotated.jwk())
    clock.now += HOUR - 1
    assert verifies(keys.get(key.kid), key)
    clock.now += 1
    with pytest.raises(Unauthenticated):
        keys.get(key.kid)
    assert verifies(keys.get(rotated.kid), rotated)
    assert len(server.requests) == 2


def test_a_withdrawn_key_is_dropped_when_the_set_is_next_read(
    keys: ForgeKeys, server: KeySetServer, key: ForgeKey, rotated: ForgeKey, clock: Clock
) -> None:
    keys.get(key.kid)
    server.publish(rotated.jwk())
    clock.now += PAUSE
    keys.get(rotated.kid)
    with pytest.raises(Unauthenticated):
        keys.get(key.kid)


# --- Trouble ---


def jwks(*members: Any) -> bytes:
    return json.dumps({"keys": members}).encode()


TROUBLES: dict[str, Callable[[ForgeKey, str], Reply]] = {
    "an error": lambda _, __: Reply(500),
    "an error, the set beside it": lambda key, _: Reply(500, jwks(key.jwk())),
    "busy": lambda _, __: Reply(503),
    "not found": lambda _, __: Reply(404),
    "forbidden": lambda _, __: Reply(403),
    "no content": lambda _, __: Reply(204),
    "part of it": lambda key, _: Reply(206, jwks(key.jwk())),
    "moved": lambda key, url: Reply(301, jwks(key.jwk()), (("Location", f"{url}/elsewhere"),)),
    "found elsewhere": lambda _, url: Reply(302, b"", (("Location", f"{url}/elsewhere"),)),
    "see elsewhere": lambda _, url: Reply(307, b"", (("Location", f"{url}/elsewhere"),)),
    "empty": lambda _, __: Reply(),
    "a page": lambda _, __: Reply(body=b"<html>Not now</html>"),
    "half a set": lambda key, _: Reply(body=jwks(key.jwk())[:100]),
    "no UTF-8": lambda _, __: Reply(body=b"\xff\xfe"),
    "too deep": lambda _, __: Reply(body=b"[" * 60_000),
    "a number": lambda _, __: Reply(body=b"1"),
    "null": lambda _, __: Reply(body=b"null"),
    "a list of keys": lambda key, _: Reply(body=json.dumps([key.jwk()]).encode()),
    "one key": lambda key, _: Reply(body=json.dumps(key.jwk()).encode()),
    "keys an object": lambda key, _: Reply(body=json.dumps({"keys": key.jwk()}).encode()),
    "keys by kid": lambda key, _: Reply(body=json.dumps({"keys": {key.kid: key.jwk()}}).encode()),
    "no keys": lambda _, __: Reply(body=b"{}"),
    "keys null": lambda _, __: Reply(body=b'{"keys": null}'),
    "an empty set": lambda _, __: Reply(body=jwks()),
    "members of every kind": lambda _, __: Reply(body=jwks(1, "key", None, [], {}, True)),
    "the set, and far more": lambda key, _: Reply(body=jwks(key.jwk()) + b" " * 1_000_000),
    "a lie about its encoding": lambda key, _: Reply(
        200, jwks(key.jwk()), (("Content-Encoding", "gzip"),)
    ),
    "cut off": lambda _, __: Reply(cut_off=True),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_a_key_server_failure_is_a_503_and_retried_soon(
    keys: ForgeKeys, server: KeySetServer, key: ForgeKey, clock: Clock, name: str
) -> None:
    server.answer(TROUBLES[name](key, server.url))
    for _ in range(3):
        with pytest.raises(Unavailable):
            keys.get(key.kid)
    assert server.requests == ["/keys/jwks.json"], "asked once, and nowhere else"
    server.publish(key.jwk())
    clock.now += PAUSE
    assert verifies(keys.get(key.kid), key)


def test_a_silent_key_server_is_given_up_at_the_deadline(
    server: KeySetServer, key: ForgeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relay.identity.key_servers._SECONDS", 0.1)
    server.answer(Reply(silent=True))
    with key_server_client() as http, pytest.raises(Unavailable):
        ForgeKeys(http, server.url).get(key.kid)


def test_a_key_server_that_is_down_is_a_503(http: OutboundClient, key: ForgeKey) -> None:
    with pytest.raises(Unavailable):
        ForgeKeys(http, "http://127.0.0.1:1/jwks.json").get(key.kid)


def test_known_keys_stay_valid_while_the_key_server_fails(
    keys: ForgeKeys, server: KeySetServer, key: ForgeKey, rotated: ForgeKey, clock: Clock
) -> None:
    keys.get(key.kid)
    server.answer(Reply(500))
    clock.now += HOUR
    assert verifies(keys.get(key.kid), key)
    with pytest.raises(Unavailable):
        keys.get(rotated.kid)  # it may well exist, so this is not the caller's fault
    assert len(server.requests) == 2
    server.publish(rotated.jwk())
    clock.now += PAUSE
    with pytest.raises(Unauthenticated):
        keys.get(key.kid)
    assert verifies(keys.get(rotated.kid), rotated)


# --- Accepted keys ---


def of(kid: str, jwk: dict[str, Any]) -> dict[str, Any]:
    return {**jwk, "kid": kid}


def unusable(key: ForgeKey) -> dict[str, Any]:
    """Entries with a key's kid that must not be accepted as that key."""
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    edwards = ed25519.Ed25519PrivateKey.generate().public_key()
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()  # noqa: S505
    private = RSAAlgorithm.to_jwk(key.private, as_dict=True)
    secret = {"kty": "oct", "k": forgery.segment(b"s" * 32), "alg": "HS256", "use": "sig"}
    return {
        "a secret": of(key.kid, secret),
        "a secret that says RS256": of(key.kid, secret | {"alg": "RS256"}),
        "an elliptic key": of(key.kid, ECAlgorithm.to_jwk(curve, as_dict=True)),
        "an Edwards key": of(key.kid, OKPAlgorithm.to_jwk(edwards, as_dict=True)),
        "a small key": of(key.kid, RSAAlgorithm.to_jwk(small, as_dict=True) | {"use": "sig"}),
        "a private key": key.jwk(d=private["d"]),
        "a whole private key": of(key.kid, private),
        "a key to encrypt with": key.jwk(use="enc"),
        "a key for RS512": key.jwk(alg="RS512"),
        "a key for PS256": key.jwk(alg="PS256"),
        "a key for HS256": key.jwk(alg="HS256"),
        "a list of algorithms": key.jwk(alg=["RS256"]),
        "kty in small letters": key.jwk(kty="rsa"),
        "kty a list": key.jwk(kty=["RSA"]),
        "no kty": key.jwk(kty=ABSENT),
        "no n": key.jwk(n=ABSENT),
        "no e": key.jwk(e=ABSENT),
        "n a number": key.jwk(n=65537),
        "n empty": key.jwk(n=""),
        "n no base64": key.jwk(n="!!!"),
        "n not ASCII": key.jwk(n="ü"),
        "e even": key.jwk(e="AQAC"),
        "e far too large": key.jwk(e=key.jwk()["n"]),
        "no kid": key.jwk(kid=ABSENT),
        "kid a list": key.jwk(kid=[key.kid]),
    }


def test_only_a_public_rsa_signing_key_is_accepted(
    server: KeySetServer,
    http: OutboundClient,
    key: ForgeKey,
    rotated: ForgeKey,
    subtests: pytest.Subtests,
) -> None:
    for name, member in unusable(key).items():
        with subtests.test(name):
            server.publish(member)
            with pytest.raises(Unavailable):
                ForgeKeys(http, server.url).get(key.kid)
            server.publish(member, rotated.jwk())
            keys = ForgeKeys(http, server.url)
            with pytest.raises(Unauthenticated):
                keys.get(key.kid)
            assert verifies(keys.get(rotated.kid), rotated), "one bad member spoils no other"


@pytest.mark.parametrize(
    "changes", [{}, {"use": ABSENT}, {"alg": ABSENT}, {"x5c": ["MIIB"], "key_ops": ["verify"]}]
)
def test_a_keys_use_and_algorithm_are_optional(
    keys: ForgeKeys, server: KeySetServer, key: ForgeKey, changes: dict[str, Any]
) -> None:
    server.publish(key.jwk(**changes))
    assert verifies(keys.get(key.kid), key)
    jwt.decode(signed(key), keys.get(key.kid), algorithms=["RS256"], options={"verify_aud": False})
