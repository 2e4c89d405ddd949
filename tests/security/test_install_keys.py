"""The key that a signed install names: which names are requested, and which responses are
accepted.
"""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from relay.errors import Unauthenticated
from relay.identity.install_keys import InstallKeys
from relay.identity.key_servers import key_server_client
from tests.security import forgery
from tests.security.answers import is_error, refused
from tests.support.key_server import KeyServer, Reply
from tests.support.lifecycle import ACME, INSTALLED, UNINSTALLED, Jira, Site
from tests.support.tokens import InstallKey, signed_install

Stored = Callable[[], list[Any]]
BOTH = (INSTALLED, UNINSTALLED)
WITHOUT_KID = "without"
# The algorithm's object identifier is 1.2.3.4.
UNKNOWN_KIND_OF_KEY = (
    b"-----BEGIN PUBLIC KEY-----\nMAwwBQYDKgMEAwMAAAE=\n-----END PUBLIC KEY-----\n"
)


def test_an_invalid_kid_is_never_requested(
    jira: Jira, keys: KeyServer, stored: Stored, subtests: pytest.Subtests
) -> None:
    kids: list[Any] = [
        "",
        " ",
        ".",
        "..",
        "../keys/" + jira.key.kid,
        "a/b",
        "/etc/passwd",
        "a\\b",
        "%2e%2e%2fkey",
        "key?x=1",
        "key#x",
        "key.pem",
        "key\n",
        "key\x00",
        "http://evil.example/key",
        "@evil.example",
        "schlüssel",
        "k" * 129,
        None,
        42,
        True,
        [jira.key.kid],
        {"kid": jira.key.kid},
        WITHOUT_KID,
    ]
    for path, kid in itertools.product(BOTH, kids):
        header = {"alg": "RS256"} | ({} if kid is WITHOUT_KID else {"kid": kid})
        with subtests.test(path=path, kid=kid):
            token = forgery.rs256(header, jira.claims(ACME, path), jira.key.private)
            assert refused(jira.post(path, token, ACME.body()))
    assert keys.requests == []
    assert stored() == []


def test_an_unknown_kid_is_requested_and_refused(
    jira: Jira, keys: KeyServer, stored: Stored
) -> None:
    kids = ["fake-kid", "k", "k" * 128, "0d49562f-EA77_4469"]
    for kid in kids:
        assert refused(jira.installed(ACME, signed_install(jira.key, jira.claims(ACME), kid=kid)))
    assert keys.requests == [f"/keys/{kid}" for kid in kids]
    assert stored() == []


def pem_of(key: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_a_key_server_failure_is_a_503_and_not_the_callers_fault(
    jira: Jira, keys: KeyServer, stored: Stored, subtests: pytest.Subtests
) -> None:
    pem = jira.key.public_pem
    private_pem = jira.key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    elsewhere = (("Location", f"{keys.url}/elsewhere"),)
    for name, trouble in {
        "an error": Reply(500),
        "an error, the key beside it": Reply(500, pem),
        "busy": Reply(503),
        "too many requests": Reply(429),
        "forbidden": Reply(403),
        "no content": Reply(204),
        "part of it": Reply(206, pem),
        "moved": Reply(301, pem, elsewhere),
        "found elsewhere": Reply(302, pem, elsewhere),
        "see elsewhere": Reply(307, pem, elsewhere),
        "empty": Reply(200),
        "a page": Reply(200, b"<html>Not now</html>"),
        "a broken key": Reply(200, pem.replace(b"MIIB", b"MIIC")),
        "half a key": Reply(200, pem[: len(pem) // 2]),
        "a private key": Reply(200, private_pem),
        "an elliptic key": Reply(200, pem_of(ec.generate_private_key(ec.SECP256R1()).public_key())),
        "an Edwards key": Reply(200, pem_of(ed25519.Ed25519PrivateKey.generate().public_key())),
        "a key of an unknown kind": Reply(200, UNKNOWN_KIND_OF_KEY),
        "a key, and far more": Reply(200, pem + b"\n" * 1_000_000),
        "a lie about its encoding": Reply(200, pem, (("Content-Encoding", "gzip"),)),
        "cut off": Reply(cut_off=True),
    }.items():
        keys.trouble = trouble
        for path in BOTH:
            with subtests.test(name, path=path):
                answer = jira.post(path, jira.token(ACME, path), ACME.body())
                assert is_error(answer, 503, "unavailable")
    assert set(keys.requests) == {f"/keys/{jira.key.kid}"}
    assert stored() == []
    keys.trouble = None
    assert jira.installed(ACME).status == 204, "what failed must not be remembered"


def test_a_silent_key_server_is_given_up_at_the_deadline(
    jira: Jira, keys: KeyServer, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relay.identity.key_servers._SECONDS", 0.1)
    keys.trouble = Reply(silent=True)
    assert is_error(jira.installed(ACME), 503, "unavailable")
    assert stored() == []


def test_a_key_server_that_is_down_is_a_503(
    function: Callable[..., Any], install_key: InstallKey, stored: Stored
) -> None:
    nowhere = Jira(function("lifecycle", INSTALL_KEYS_URL="http://127.0.0.1:1/keys"), install_key)
    assert is_error(nowhere.installed(ACME), 503, "unavailable")
    assert is_error(nowhere.uninstalled(ACME), 503, "unavailable")
    assert stored() == []


def test_each_key_is_requested_once_and_a_new_kid_again(jira: Jira, keys: KeyServer) -> None:
    rotated = keys.serve(InstallKey(kid="rotated"))
    for _ in range(3):
        assert jira.installed(ACME).status == 204
        assert jira.installed(ACME, signed_install(rotated, jira.claims(ACME))).status == 204
    assert keys.requests == [f"/keys/{jira.key.kid}", "/keys/rotated"]


def test_a_key_verifies_only_its_own_kid(jira: Jira, keys: KeyServer, stored: Stored) -> None:
    other = keys.serve(InstallKey(kid="other"))
    assert refused(jira.installed(ACME, signed_install(other, jira.claims(ACME), kid=jira.key.kid)))
    assert refused(jira.installed(ACME, signed_install(jira.key, jira.claims(ACME), kid="other")))
    assert stored() == []


# --- Noise: unauthenticated calls, each with its own kid ---


def test_a_token_that_fails_without_a_key_requests_none(
    jira: Jira, keys: KeyServer, stored: Stored, subtests: pytest.Subtests
) -> None:
    now = int(time.time())
    others = Site(client_key="another-site")
    for path in BOTH:
        own = jira.claims(ACME, path)
        cases: dict[str, tuple[dict[str, Any], Any]] = {
            "expired": (own | {"iat": now - 300, "exp": now - 60}, ACME.body()),
            "issued later": (own | {"iat": now + 60, "exp": now + 180}, ACME.body()),
            "not valid yet": (own | {"nbf": now + 60}, ACME.body()),
            "of a long life": (own | {"exp": now + 86400}, ACME.body()),
            "of another audience": (own | {"aud": "https://elsewhere.example"}, ACME.body()),
            "of a page": (own | {"qsh": "context-qsh"}, ACME.body()),
            "of another request": (own | {"qsh": "0" * 64}, ACME.body()),
            "another site's": (own, others.body()),
            "another app's": (own, ACME.body(key="another-app")),
            **{
                f"without {name}": (
                    {other: value for other, value in own.items() if other != name},
                    ACME.body(),
                )
                for name in ("iss", "iat", "exp", "qsh", "aud")
            },
        }
        for name, (payload, body) in cases.items():
            with subtests.test(name, path=path):
                token = signed_install(InstallKey(kid="new-" + uuid4().hex), payload)
                assert refused(jira.post(path, token, body))
        with subtests.test("no lifecycle call", path=path):
            token = signed_install(InstallKey(kid="new-" + uuid4().hex), own)
            assert is_error(jira.post(path, token, b"{}"), 400, "bad_request")
    assert keys.requests == []
    assert stored() == []


def test_an_unknown_kid_is_not_requested_again_for_a_minute(jira: Jira, keys: KeyServer) -> None:
    token = signed_install(jira.key, jira.claims(ACME), kid="fake-kid")
    for _ in range(3):
        assert refused(jira.installed(ACME, token))
    assert keys.requests == ["/keys/fake-kid"]


@dataclass
class Clock:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def asking(keys: KeyServer, clock: Clock) -> Iterator[InstallKeys]:
    with key_server_client() as http:
        yield InstallKeys(http, keys.url, clock)


def test_a_new_key_is_accepted_within_a_minute_of_its_refusal(
    asking: InstallKeys, keys: KeyServer, clock: Clock
) -> None:
    rotated = InstallKey(kid="rotated")
    with pytest.raises(Unauthenticated):
        asking.get("rotated")
    keys.serve(rotated)
    clock.now += 59
    with pytest.raises(Unauthenticated):
        asking.get("rotated")
    clock.now += 1
    assert asking.get("rotated").public_numbers() == rotated.private.public_key().public_numbers()
    clock.now -= 3600
    assert asking.get("rotated")


def test_many_unknown_kids_block_no_key_and_use_bounded_memory(
    asking: InstallKeys, keys: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relay.identity.install_keys._REFUSED_MAX", 3)
    (served,) = keys.keys
    asking.get(served)
    for number in range(5):
        with pytest.raises(Unauthenticated):
            asking.get(f"noise-{number}")
    assert len(asking._refused) == 3
    keys.serve(InstallKey(kid="rotated"))
    assert asking.get("rotated")
    asked = len(keys.requests)
    assert asking.get(served)
    with pytest.raises(Unauthenticated):
        asking.get("noise-4")
    assert len(keys.requests) == asked


def test_a_clock_that_jumps_back_extends_no_refusal(
    asking: InstallKeys, keys: KeyServer, clock: Clock
) -> None:
    with pytest.raises(Unauthenticated):
        asking.get("rotated")
    keys.serve(InstallKey(kid="rotated"))
    clock.now -= 3600
    assert asking.get("rotated")
