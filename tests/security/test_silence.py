"""No token, secret or user is logged or printed, whatever happens."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from relay.identity.api_keys import ApiKeys
from relay.telemetry import logger
from tests.security import forgery
from tests.security.forge_stage import INSTALLED as INSTALLED_BY_FORGE
from tests.security.forge_stage import (
    SCHEDULE,
    STATUS,
    TICK,
    Forge,
    ForgeSite,
    running_forge,
)
from tests.security.forge_stage import UNINSTALLED as UNINSTALLED_BY_FORGE
from tests.support.aws import Aws
from tests.support.aws_calls import aws_calls, client_error, unreachable
from tests.support.forge import OTHER_APP_ID
from tests.support.key_server import KeyServer, Reply
from tests.support.lambdas import call
from tests.support.lifecycle import ACME, DISABLED, ENABLED, GLOBEX, INSTALLED, Jira
from tests.support.template import routes
from tests.support.tokens import claims, signed_callback

PERSON = "557058:f1e2d3c4-a-person"
Written = Callable[[], str]


@pytest.fixture
def loud(written: Written) -> Iterator[Written]:
    """What is logged at the level that an operator sets for debugging."""
    before = logger.log_level
    logger.setLevel(logging.DEBUG)
    yield written
    logger.setLevel(before)


def parts(token: str) -> list[str]:
    """A token's revealing parts: the whole, its payload and its signature."""
    return [token, *(part for part in token.split(".")[1:] if part)]


def test_lifecycle_calls_leave_no_token_and_no_secret(
    jira: Jira, keys: KeyServer, loud: Written, subtests: pytest.Subtests
) -> None:
    now = int(time.time())
    person: dict[str, Any] = {"sub": PERSON, "context": {"user": {"accountId": PERSON}}}
    used: list[str] = [ACME.secret, GLOBEX.secret, PERSON]

    def signed(**others: Any) -> str:
        used.extend(parts(token := jira.token(ACME, **person | others)))
        return token

    def own(secret: str = ACME.secret, **others: Any) -> str:
        payload = claims(ACME.client_key, "POST", ENABLED, **person | others)
        used.extend(parts(token := signed_callback(secret, payload)))
        return token

    expected = [
        (jira.post(INSTALLED, signed(), ACME.body(userAccountId=PERSON)), 204),
        (jira.post(INSTALLED, signed(), b"{" + ACME.secret.encode()), 400),
        (jira.post(INSTALLED, signed(), ACME.body(sharedSecret=[ACME.secret])), 400),
        (jira.post(INSTALLED, signed(), ACME.body(baseUrl=f"https://x.{GLOBEX.secret}")), 400),
        (jira.post(INSTALLED, signed(), GLOBEX.body()), 401),
        (jira.post(INSTALLED, signed(aud="https://other.example"), ACME.body()), 401),
        (jira.post(INSTALLED, signed(exp=now - 99, iat=now - 200), ACME.body()), 401),
        (jira.post(INSTALLED, signed(qsh="context-qsh"), ACME.body()), 401),
        (jira.post(INSTALLED, signed(iat=now - 50), ACME.body()), 409),
        (jira.post(f"{INSTALLED}?jwt={signed()}", None, ACME.body()), 204),
        (jira.post(f"{INSTALLED}?jwt={signed()}x", None, ACME.body()), 401),
        (jira.post(ENABLED, own(), ACME.body()), 204),
        (jira.post(f"{ENABLED}?jwt={own()}", None, ACME.body()), 204),
        (jira.post(ENABLED, own(GLOBEX.secret), ACME.body()), 401),
        (jira.post(DISABLED, own(), ACME.body()), 401),
        (jira.post(f"/nowhere?jwt={own()}", own(), ACME.body()), 404),
    ]
    for error in (unreachable(), client_error("AccessDeniedException"), RuntimeError("unforeseen")):
        for at in range(3):
            with aws_calls() as calls:
                calls.fail(error, at)
                status = 500 if isinstance(error, RuntimeError) else 503
                expected.append((jira.post(INSTALLED, signed(), ACME.body()), status))
    keys.trouble = Reply(500, ACME.secret.encode())
    token = forgery.rs256({"alg": "RS256", "kid": "new"}, jira.claims(ACME), jira.key.private)
    used.extend(parts(token))
    expected.append((jira.post(INSTALLED, token, ACME.body()), 503))

    for number, (answer, status) in enumerate(expected):
        with subtests.test(call=number):
            assert answer.status == status
    text = loud()
    assert text.count('"Answered"') == len(expected), "else nothing is proven"
    assert [given_away for given_away in used if given_away in text] == []


@pytest.fixture
def forge() -> Iterator[Forge]:
    with running_forge() as forge:
        yield forge


def test_forges_calls_leave_no_token_and_no_system_token(
    function: Callable[..., ModuleType], forge: Forge, loud: Written, subtests: pytest.Subtests
) -> None:
    """Whatever their result, and whatever Jira answers to the system token."""
    now = int(time.time())
    site = ForgeSite("acme")
    modules = {
        name: function(name, FORGE_KEYS_URL=forge.keys_url)
        for name in ("forge", "fetch_workspaces", "entity_associated")
    }
    used = [site.system_token, PERSON]
    expected = []

    def sent(status: int, path: str, method: str = "POST", body: str = "{}", **others: Any) -> None:
        claims = {"sub": PERSON, "context__accountId": PERSON, **others}
        token = forge.token(site, path.partition("?")[0], **claims)
        used.extend(parts(token))
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "X-Forge-OAuth-System": site.system_token,
            "X-Forge-OAuth-User": f"{site.system_token}-of-{PERSON}",
        }
        [name] = [name for name in modules if (method, path.partition("?")[0]) in routes(name)]
        expected.append((call(modules[name], method, path, body, headers), status))

    echo = json.dumps({"errorMessages": [f"Bearer {site.system_token} is refused"]}).encode()
    for trouble in (
        Reply(401, echo),
        Reply(500, echo),
        Reply(200, echo),
        Reply(cut_off=True),
        None,
    ):
        forge.api.trouble = trouble
        sent(204, INSTALLED_BY_FORGE)
        sent(204, TICK)
    sent(401, TICK, iat=now - 100)
    sent(401, TICK, aud=OTHER_APP_ID)
    sent(401, TICK, principal=PERSON)
    sent(401, TICK, app__apiBaseUrl=f"https://{site.system_token}.example")
    sent(401, f"{STATUS}?migrationId=1", "GET", iat=now - 100)
    sent(400, STATUS, "GET")
    sent(400, SCHEDULE, body=f'{{"migrationId": ["{site.system_token}"]}}')
    sent(204, SCHEDULE, body='{"migrationId": 1}')
    sent(200, f"{STATUS}?migrationId=1", "GET")
    sent(200, "/workspaces/fetch", body='{"ids": []}')
    sent(400, "/entities/associated", "PUT", body=site.system_token)
    for error in (unreachable(), client_error("AccessDeniedException"), RuntimeError("unforeseen")):
        for at in range(3):
            with aws_calls() as calls:
                calls.fail(error, at)
                sent(500 if isinstance(error, RuntimeError) else 503, TICK)
    sent(204, UNINSTALLED_BY_FORGE)
    sent(401, "/workspaces/fetch", body='{"ids": []}')

    for number, (answer, status) in enumerate(expected):
        with subtests.test(call=number):
            assert answer.status == status
            assert site.system_token not in answer.body
    text = loud()
    assert text.count('"Answered"') == len(expected), "else nothing is proven"
    assert "Jira did not return the clientKey" in text
    assert [given_away for given_away in used if given_away in text] == []


def test_calls_with_an_api_key_leave_no_key(
    function: Callable[..., ModuleType], aws: Aws, loud: Written
) -> None:
    keys = ApiKeys(aws.dynamodb, aws.environment["API_KEYS_TABLE"])
    key, scoped = keys.issue(), keys.issue(["another"])
    unknown = "relay_" + "0" * 16 + "_" + "K" * 43
    module = function("links")
    statuses = []
    for token in (key, scoped, unknown, key + "x", ACME.secret):
        headers = {"Authorization": f"Bearer {token}"}
        statuses.append(call(module, "GET", "/v1/sites", None, headers).status)
        with aws_calls() as calls:
            calls.fail(unreachable(), at=0)
            call(module, "GET", "/v1/sites/none", None, headers)
    assert statuses == [200, 200, 401, 401, 401]
    text = loud()
    assert text.count('"Answered"') == 2 * len(statuses)
    for token in (key, scoped, unknown, ACME.secret):
        assert token not in text
        assert token.split("_", 2)[-1] not in text


def test_the_log_names_the_failed_rule_and_the_response_does_not(jira: Jira, loud: Written) -> None:
    bodies = set()
    now = int(time.time())
    rules: list[tuple[dict[str, Any], str]] = [
        ({"aud": "https://other.example"}, "InvalidAudienceError"),
        ({"exp": now - 100, "iat": now - 200}, "ExpiredSignatureError"),
        ({"iat": now + 100}, "ImmatureSignatureError"),
        ({"exp": now + 3600}, "the token's lifetime is too long"),
        ({"qsh": "context-qsh"}, "qsh does not match"),
        ({"iss": "another-site"}, "the token is another site's"),
    ]
    for others, reason in rules:
        answer = jira.installed(ACME, **others)
        bodies.add((answer.status, answer.body))
        assert reason in loud()
        assert reason not in answer.body
    assert len(bodies) == 1
