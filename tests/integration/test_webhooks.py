"""A workspace's webhook is called for associations, signed as Standard Webhooks requires."""

import base64
import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from standardwebhooks import Webhook, WebhookVerificationError

from infra.openapi.document import document
from relay.queues.notices import delay_after
from relay.tenants.tenant import Tenant
from tests.integration.relay_stage import Relay, Start
from tests.integration.webhook_stage import (
    NO_ANSWER,
    SILENCE,
    Hook,
    Received,
    https_hook,
    write_certificate,
)
from tests.support.aws import Aws
from tests.support.aws_calls import aws_calls, unreachable
from tests.support.entities import incident
from tests.support.lambdas import Context, sqs_event
from tests.support.lifecycle import ACME, GLOBEX, Site
from tests.support.raw_server import RawServer, raw_server
from tests.support.template import resources, template

SECRET = "whsec_" + base64.b64encode(b"the secret of payments' webhook!").decode()
OTHER_SECRET = "whsec_" + base64.b64encode(b"another secret, of another one..").decode()
ISSUE = {
    "ati": "ati:cloud:jira:issue",
    "ari": "ari:cloud:jira:0a1b2c3d:issue/10068",
    "cloudId": "0a1b2c3d",
    "id": "10068",
}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_certificate(tmp_path_factory.mktemp("tls") / "certificate.pem")


@pytest.fixture
def hook(certificate: Path) -> Iterator[Hook]:
    with https_hook(certificate) as hook:
        yield hook


@dataclass
class Stage:
    relay: Relay
    acme: Tenant
    load: Callable[..., ModuleType]

    def put(self, url: str, secret: str = SECRET, workspace: str = "payments") -> None:
        document = {"url": url, "secret": secret}
        path = f"/v1/workspaces/{workspace}/webhook"
        answer = self.relay.provider("PUT", path, document)
        assert (answer.status, answer.json()) == (200, {"url": url})

    def report(
        self,
        what: str = "associated",
        entity_id: str = "inc-1",
        site: Site = ACME,
        workspace: str = "payments",
    ) -> list[str]:
        """Let Jira report an association; return the queued notices."""
        named = {"associated": "associatedWith", "disassociated": "disassociatedFrom"}[what]
        at_site = self.relay.at_site(entity_id, workspace)
        ari = f"ari:cloud:jira:0a1b2c3d:incident/activation/4e5f6071/{at_site}"
        body = {
            "entity": {"ari": ari, "id": at_site},
            named: ISSUE | {"extra": "unnamed"},
            "user": {"id": "a-person"},
        }
        assert self.relay.jira(site, "PUT", f"/entities/{what}", body).status == 204
        return self.queued()

    def attempts(self, workspace: str = "payments") -> list[dict[str, Any]]:
        """The attempts shown to the operations tool."""
        shown = self.relay.provider("GET", f"/v1/workspaces/{workspace}/webhook").json()
        attempts: list[dict[str, Any]] = shown["attempts"]
        return attempts

    def test(self, workspace: str = "payments") -> dict[str, Any]:
        answer = self.relay.provider("POST", f"/v1/workspaces/{workspace}/webhook/test")
        assert answer.status == 200, answer.body
        attempt: dict[str, Any] = answer.json()
        return attempt

    def queued(self) -> list[str]:
        aws = self.relay.aws
        url = aws.environment["NOTICES_QUEUE"]
        found = aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in found]

    def hurry(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Give webhooks a quarter of a second to answer."""
        monkeypatch.setattr("relay.provider.webhooks._SECONDS", 0.25)
        self.relay.gateway.functions["webhooks"] = self.load("webhooks")

    def send(self, *notices: str) -> list[int]:
        """Send the notices; return the numbers of those that return."""
        return self.handle(sqs_event(*notices))

    def handle(self, event: dict[str, Any]) -> list[int]:
        answer = self.relay.gateway.functions["webhooks"].handler(event, Context())
        failed = [one["itemIdentifier"] for one in answer["batchItemFailures"]]
        return [int(one.removeprefix("message-")) for one in failed]


@pytest.fixture
def stage(
    function: Callable[..., ModuleType],
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
    certificate: Path,
) -> Stage:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    relay = start("payments", "search")
    relay.submit("payments", incidents=[incident("inc-1"), incident("shared")])
    relay.submit("search", incidents=[incident("shared")])
    acme = relay.install(ACME)
    for workspace in ("payments", "search"):
        relay.links.link(acme.id, workspace)
    return Stage(relay, acme, function)


def verified(received: Received, secret: str = SECRET) -> Any:
    """Verify as a receiver does, with the Standard Webhooks library."""
    return Webhook(secret).verify(received.body, received.headers)


# --- Output ---


@pytest.mark.parametrize("what", ["associated", "disassociated"])
def test_a_notice_is_signed_and_holds_only_documented_fields(
    stage: Stage, hook: Hook, what: str
) -> None:
    stage.put(hook.url)
    (notice,) = stage.report(what)
    assert stage.send(notice) == []
    (received,) = hook.received
    payload = verified(received)
    assert datetime.fromisoformat(payload["timestamp"]).tzinfo
    assert payload == {
        "type": f"entity.{what}",
        "timestamp": payload["timestamp"],
        "data": {
            "kind": "incident",
            "id": "inc-1",
            "site": {"id": stage.acme.id, "baseUrl": ACME.base_url},
            "target": ISSUE,
        },
    }
    assert received.path == "/hook"
    assert received.headers["content-type"] == "application/json"


@pytest.mark.parametrize("what", ["associated", "disassociated"])
def test_a_notice_conforms_to_the_openapi_document(stage: Stage, hook: Hook, what: str) -> None:
    stage.put(hook.url)
    stage.send(*stage.report(what))
    (received,) = hook.received
    described = document()
    operation = described["webhooks"][f"entity.{what}"]["post"]
    schema = described | operation["requestBody"]["content"]["application/json"]["schema"]
    Draft202012Validator(schema).validate(json.loads(received.body))
    parameters = operation["parameters"]
    assert {one["name"] for one in parameters} == {
        name for name in received.headers if name.startswith("webhook-")
    }
    for one in parameters:
        Draft202012Validator(one["schema"]).validate(received.headers[one["name"]])


def test_a_signature_fails_with_another_secret_or_body(stage: Stage, hook: Hook) -> None:
    stage.put(hook.url)
    stage.send(*stage.report())
    (received,) = hook.received
    with pytest.raises(WebhookVerificationError):
        verified(received, OTHER_SECRET)
    changed = Received(received.path, received.headers, received.body.replace("inc-1", "inc-2"))
    with pytest.raises(WebhookVerificationError):
        verified(changed)


def test_a_notice_keeps_its_id_however_often_it_is_sent(stage: Stage, hook: Hook) -> None:
    stage.put(hook.url)
    (first,), (second,) = stage.report(), stage.report()
    stage.send(first)
    stage.send(first)
    stage.send(second)
    sent = [received.headers["webhook-id"] for received in hook.received]
    assert sent[0] == sent[1] != sent[2]
    for received in hook.received:
        verified(received)


def test_only_webhooks_of_the_entitys_own_workspaces_are_called(stage: Stage, hook: Hook) -> None:
    assert stage.report() == []
    stage.put(hook.url, OTHER_SECRET, "search")
    assert stage.report() == []
    stage.put(hook.url)
    assert len(stage.report()) == 1
    assert stage.report(entity_id="never-submitted") == []
    assert stage.send(*stage.report(entity_id="shared")) == []
    assert stage.send(*stage.report(entity_id="shared", workspace="search")) == []
    first, second = hook.received
    both = {
        verified(first)["data"]["id"],
        verified(second, OTHER_SECRET)["data"]["id"],
    }
    assert both == {"shared"}


def test_an_unlinked_site_causes_no_notice(stage: Stage, hook: Hook) -> None:
    stage.put(hook.url)
    stage.relay.install(GLOBEX)
    assert stage.report(site=GLOBEX) == []


# --- Failures ---


def test_a_successful_notice_is_not_sent_again(stage: Stage, hook: Hook) -> None:
    stage.put(hook.url)
    for status in (200, 201, 202, 204):
        hook.status = status
        assert stage.send(*stage.report()) == []
    assert len(hook.received) == 4


def test_any_other_answer_is_retried_until_success(stage: Stage, hook: Hook) -> None:
    """A redirect is not followed: it would send the notice elsewhere, or turn it into a GET."""
    stage.put(hook.url)
    (notice,) = stage.report()
    for status in (301, 302, 307, 308, 400, 401, 404, 410, 429, 500, 503, NO_ANSWER):
        hook.status = status
        assert stage.send(notice) == [0], status
    assert [received.path for received in hook.received] == ["/hook"] * 12
    hook.status = 204
    assert stage.send(notice) == []


def test_a_webhook_that_does_not_answer_is_retried(
    stage: Stage, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.hurry(monkeypatch)
    stage.put(hook.url)
    hook.status = SILENCE
    assert stage.send(*stage.report()) == [0]
    assert len(hook.received) == 1


@pytest.mark.parametrize("part", [b"HTTP/1.1 103 Early Hints\r\n\r\n", b"\x16"])
def test_a_webhook_that_trickles_is_retried(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, part: bytes
) -> None:
    """Whatever it sends, with or without TLS, it has no more time than any other."""

    def script(server: RawServer, connection: socket.socket) -> None:
        connection.sendall(b"\x16\x03\x03\x40\x00")
        server.trickle(connection, part)

    stage.hurry(monkeypatch)
    with raw_server(script) as server:
        stage.put(server.url.replace("http:", "https:"))
        assert stage.send(*stage.report()) == [0]


def test_a_hanging_webhook_is_called_once_and_delays_no_other_workspace(
    stage: Stage, hook: Hook, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.hurry(monkeypatch)
    with https_hook(certificate) as hanging:
        hanging.status = SILENCE
        stage.put(hanging.url)
        stage.put(hook.url, OTHER_SECRET, "search")
        several = [notice for _ in range(5) for notice in stage.report()]
        both = [
            *stage.report(entity_id="shared"),
            *stage.report(entity_id="shared", workspace="search"),
        ]
        assert [json.loads(one)["workspace_id"] for one in several] == ["payments"] * 5
        failed = stage.send(*several, *both)
        assert {json.loads((several + both)[number])["workspace_id"] for number in failed} == {
            "payments"
        }
        assert len(failed) == 6
        assert len(hanging.received) == 1
    assert len(hook.received) == 1


def test_a_pause_ends_by_itself(stage: Stage, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.hurry(monkeypatch)
    stage.put(hook.url)
    hook.status = SILENCE
    (notice,) = stage.report()
    assert stage.send(notice) == [0]
    hook.status = 204
    assert stage.send(notice) == [0], "it hung a moment ago"
    later = time.time() + 60
    monkeypatch.setattr(time, "time", lambda: later)
    assert stage.send(notice) == []


def test_notices_are_queued_in_their_workspaces_group(stage: Stage, hook: Hook) -> None:
    """A standard queue with groups prefers other groups' messages when one has a backlog."""
    for workspace in ("payments", "search"):
        stage.put(hook.url, workspace=workspace)
    with aws_calls() as calls:
        notices = [
            notice
            for workspace in ("payments", "search")
            for notice in stage.report(entity_id="shared", workspace=workspace)
        ]
    sent = calls.given("SendMessage")
    assert sorted(one["MessageGroupId"] for one in sent) == ["payments", "search"]
    for one in sent:
        assert json.loads(one["MessageBody"])["workspace_id"] == one["MessageGroupId"]
    assert len(notices) == 2


def test_a_refused_notice_waits_longer_each_time(stage: Stage, hook: Hook) -> None:
    stage.put(hook.url)
    hook.status = 500
    (notice,) = stage.report()
    event = sqs_event(notice)
    with aws_calls() as calls:
        for receives in (1, 2, 3, 8, 20):
            event["Records"][0]["attributes"]["ApproximateReceiveCount"] = str(receives)
            assert stage.handle(event) == [0]
    asked = calls.given("ChangeMessageVisibility")
    assert [one["VisibilityTimeout"] for one in asked] == [30, 60, 120, 3600, 3600]
    assert {one["ReceiptHandle"] for one in asked} == {"receipt-0"}
    hook.status = 204
    with aws_calls() as calls:
        assert stage.handle(event) == []
    assert calls.given("ChangeMessageVisibility") == []


def test_a_notice_is_tried_for_a_day() -> None:
    receives = resources("AWS::SQS::Queue")["NoticesQueue"]["RedrivePolicy"]["maxReceiveCount"]
    waits = [delay_after(receive) for receive in range(1, receives)]
    assert 24 * 3600 < sum(waits) < 26 * 3600
    assert waits == sorted(waits)


def test_sqs_accepts_the_delay(stage: Stage, hook: Hook) -> None:
    stage.put(hook.url)
    hook.status = 500
    sqs, url = stage.relay.aws.sqs, stage.relay.aws.environment["NOTICES_QUEUE"]
    stage.report()  # which empties the queue
    sqs.send_message(QueueUrl=url, MessageBody="no notice", MessageGroupId="payments")
    [message] = sqs.receive_message(QueueUrl=url, AttributeNames=["All"])["Messages"]
    event = sqs_event(message["Body"])
    event["Records"][0] |= {
        "receiptHandle": message["ReceiptHandle"],
        "attributes": message["Attributes"],
    }
    taken: list[str] = []
    with aws_calls() as calls:
        calls.after = taken.append
        assert stage.handle(event) == [0]
    assert taken == ["ChangeMessageVisibility"]


def test_a_refused_notice_delays_no_other(stage: Stage, hook: Hook) -> None:
    stage.put("https://127.0.0.1:1/nobody-is-there")
    stage.put(hook.url, OTHER_SECRET, "search")
    notices = [*stage.report(), *stage.report(entity_id="shared", workspace="search")]
    refused = [number for number, notice in enumerate(notices) if '"payments"' in notice]
    assert stage.send(*notices) == refused
    assert len(hook.received) == 1


def test_a_host_that_no_client_accepts_is_retried(stage: Stage) -> None:
    for url in ("https://256.1.1.1/", "https://a..b/"):
        stage.put(url)
        assert stage.send(*stage.report()) == [0], url


def test_a_server_with_a_wrong_certificate_receives_nothing(
    stage: Stage, tmp_path: Path, hook: Hook
) -> None:
    with https_hook(write_certificate(tmp_path / "another.pem")) as impostor:
        stage.put(impostor.url)
        assert stage.send(*stage.report()) == [0]
        assert impostor.received == []
    stage.put(hook.url.replace("127.0.0.1", "localhost"))
    assert stage.send(*stage.report()) == [0]
    assert hook.received == []


def test_a_server_without_tls_receives_nothing(stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        stage.put(f"https://127.0.0.1:{server.getsockname()[1]}/")
        notices = stage.report()
        server.settimeout(5)
        server.listen()

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                heard.append(connection.recv(10_000))
                connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

        heard: list[bytes] = []
        thread = threading.Thread(target=answer)
        thread.start()
        assert stage.send(*notices) == [0]
        thread.join()
    assert b"inc-1" not in heard[0]


def test_a_removed_webhook_is_not_called(stage: Stage, hook: Hook) -> None:
    stage.put(hook.url)
    notices = stage.report()
    path = "/v1/workspaces/payments/webhook"
    assert [stage.relay.provider("DELETE", path).status for _ in range(2)] == [204, 204]
    assert stage.relay.provider("GET", path).json() == {"url": None, "attempts": []}
    assert stage.send(*notices) == []
    assert hook.received == []
    assert stage.report() == []


def test_a_changed_webhook_receives_queued_notices(stage: Stage, hook: Hook) -> None:
    stage.put("https://127.0.0.1:1/the-one-before")
    notices = stage.report()
    stage.put(hook.url, OTHER_SECRET)
    assert stage.send(*notices) == []
    verified(hook.received[0], OTHER_SECRET)


def test_an_invalid_message_returns_until_sqs_moves_it_to_the_dead_letters(stage: Stage) -> None:
    poison = ["", "{", "[]", "null", '{"id": "x"}', '{"nonsense": 1}']
    assert stage.send(*poison) == list(range(len(poison)))


def test_nothing_is_lost_when_a_part_of_aws_fails(stage: Stage, hook: Hook) -> None:
    stage.put(hook.url)
    with aws_calls() as calls:
        # Jira gets this error and may retry.
        calls.before = lambda operation: _fail(operation == "SendMessage")
        body = {"entity": {"id": stage.relay.at_site("inc-1")}, "associatedWith": ISSUE}
        assert stage.relay.jira(ACME, "PUT", "/entities/associated", body).status == 503
    notices = stage.report()
    for failing in ("GetItem", "Decrypt"):
        with aws_calls() as calls:
            calls.before = lambda operation, failing=failing: _fail(operation == failing)  # type: ignore[misc]
            assert stage.send(*notices) == [0]
    assert hook.received == []
    assert stage.send(*notices) == []


def _fail(is_so: bool) -> None:
    if is_so:
        raise unreachable()


# --- Outcomes ---


def test_the_last_attempts_are_shown_with_their_results(stage: Stage, hook: Hook) -> None:
    stage.put(hook.url)
    assert stage.attempts() == []
    (associated,), (disassociated,) = stage.report(), stage.report("disassociated")
    hook.status = 500
    assert stage.send(associated) == [0]
    hook.status = 204
    assert stage.send(associated, disassociated) == []
    ids = [json.loads(one)["id"] for one in (disassociated, associated, associated)]
    shown = stage.attempts()
    for attempt in shown:
        assert datetime.fromisoformat(attempt.pop("at")).tzinfo
        assert 0 <= attempt.pop("milliseconds") < 10_000
    assert shown == [
        {"id": ids[0], "event": "entity.disassociated", "delivered": True, "status": 204},
        {"id": ids[1], "event": "entity.associated", "delivered": True, "status": 204},
        {
            "id": ids[2],
            "event": "entity.associated",
            "delivered": False,
            "status": 500,
            "reason": "It answered 500.",
        },
    ]


def test_the_reason_of_a_failed_attempt_is_shown(
    stage: Stage,
    hook: Hook,
    tmp_path: Path,
    resolve: Callable[..., None],
    subtests: pytest.Subtests,
) -> None:
    def drop(_: RawServer, connection: socket.socket) -> None:
        connection.recv(1)

    def babble(_: RawServer, connection: socket.socket) -> None:
        connection.recv(10_000)
        connection.sendall(b"220 mail.example.com ESMTP\r\n")

    resolve("ops.example.com", "10.0.0.1")
    with (
        https_hook(write_certificate(tmp_path / "another.pem")) as impostor,
        raw_server(drop) as dropping,
        raw_server(babble) as babbling,
    ):
        reasons = {
            impostor.url: "Its certificate is not trusted: self-signed certificate.",
            hook.url.replace("127.0.0.1", "localhost"): (
                "Its certificate is not trusted: Hostname mismatch, certificate is not valid for "
                "'localhost'."
            ),
            dropping.url.replace("http:", "https:"): (
                "It closed the connection or did not send a valid HTTP response."
            ),
            babbling.url.replace("http:", "https:"): (
                "The TLS handshake failed: does it support https?"
            ),
            babbling.url: "It closed the connection or did not send a valid HTTP response.",
            "https://127.0.0.1:1/": (
                "Nothing listens on its host and port: the connection was refused."
            ),
            "https://ops.example.com/": "Its host has an address that is not public.",
            "https://gone.invalid/": "Its host has no address.",
            "https://256.1.1.1/": "Its URL can't be called.",
        }
        for url, reason in reasons.items():
            with subtests.test(url):
                stage.put(url)
                attempt = stage.test()
                assert (attempt["delivered"], attempt["reason"]) == (False, reason)
                assert "status" not in attempt
    stage.put(hook.url)
    hook.status = 307
    assert stage.test()["reason"] == "It answered 307; redirects are not followed."


def test_a_missing_answer_is_shown_as_the_reason(
    stage: Stage, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.hurry(monkeypatch)
    stage.put(hook.url)
    hook.status = SILENCE
    attempt = stage.test()
    assert attempt["reason"] == "It did not answer within 0.25 seconds."
    assert attempt["milliseconds"] >= 250
    assert stage.attempts() == [attempt]


def test_only_the_last_attempts_are_stored(stage: Stage, hook: Hook, aws: Aws) -> None:
    stage.put(hook.url)
    (notice,) = stage.report()
    key = {"pk": {"S": "workspace#payments"}, "sk": {"S": "webhook"}}
    most = 0
    for number in range(25):
        hook.status = 200 + number
        stage.send(notice)
        item = aws.dynamodb.get_item(TableName=aws.environment["CATALOG_TABLE"], Key=key)["Item"]
        most = max(most, len(item["attempts"]["L"]))
    assert most == 20 - 1
    assert [one["status"] for one in stage.attempts()] == list(range(224, 214, -1))


@pytest.mark.parametrize("failing", [(1,), (20,), (1, 2, 3)])
def test_an_attempt_that_cannot_be_stored_does_not_fail_the_notice(
    stage: Stage, hook: Hook, failing: tuple[int, ...]
) -> None:
    """Whether it cannot be added, or the list cannot be trimmed."""
    stage.put(hook.url)
    (notice,) = stage.report()
    writes = itertools.count(1)
    with aws_calls() as calls:
        calls.before = lambda one: _fail(one == "UpdateItem" and next(writes) in failing)
        for _ in range(22):
            assert stage.send(notice) == []
    assert len(hook.received) == 22
    assert len(stage.attempts()) == 10


def test_attempts_belong_to_the_current_webhook(stage: Stage, hook: Hook) -> None:
    """Attempts of a replaced webhook, or of one removed during the call, are discarded."""
    stage.put(hook.url)
    stage.send(*stage.report())
    assert len(stage.attempts()) == 1
    stage.put(f"{hook.url}/another")
    assert stage.attempts() == []
    path = "/v1/workspaces/payments/webhook"
    (notice,) = stage.report()
    with aws_calls() as calls:
        calls.race("UpdateItem", lambda: stage.relay.provider("DELETE", path))
        assert stage.send(notice) == []
    assert stage.relay.provider("GET", path).json() == {"url": None, "attempts": []}
    assert stage.report() == []


def test_neither_attempts_nor_url_show_a_secret_or_a_user(
    stage: Stage, hook: Hook, aws: Aws
) -> None:
    """Nor does the URL of a webhook that an earlier version accepted with a user name."""
    stage.put(hook.url)
    stage.send(*stage.report())
    aws.dynamodb.update_item(
        TableName=aws.environment["CATALOG_TABLE"],
        Key={"pk": {"S": "workspace#payments"}, "sk": {"S": "webhook"}},
        UpdateExpression="SET #url = :url",
        ExpressionAttributeNames={"#url": "url"},
        ExpressionAttributeValues={
            ":url": {"S": hook.url.replace("//", "//somebody:a-password@") + "?of=a@b"}
        },
    )
    answer = stage.relay.provider("GET", "/v1/workspaces/payments/webhook")
    assert answer.json()["url"] == hook.url + "?of=a@b"
    for text in ("somebody", "a-password", "a-person", "inc-1", SECRET, ISSUE["id"]):
        assert text not in answer.body


# --- Test notices ---


def test_a_test_notice_is_sent_immediately_signed_and_marked(stage: Stage, hook: Hook) -> None:
    stage.put(hook.url)
    hook.status = 202
    attempt = stage.test()
    (received,) = hook.received
    payload = verified(received)
    assert datetime.fromisoformat(payload.pop("timestamp")).tzinfo
    assert payload == {"type": "webhook.test", "data": {"workspaceId": "payments"}}
    assert received.headers["webhook-id"] == attempt["id"]
    assert (attempt["event"], attempt["delivered"], attempt["status"]) == (
        "webhook.test",
        True,
        202,
    )
    assert stage.attempts() == [attempt]
    assert stage.queued() == []


def test_a_failed_test_notice_is_not_retried(stage: Stage, hook: Hook) -> None:
    stage.put(hook.url)
    hook.status = 503
    assert not stage.test()["delivered"]
    assert len(hook.received) == 1
    assert stage.queued() == []


def test_without_a_webhook_there_is_nothing_to_test(stage: Stage) -> None:
    answer = stage.relay.provider("POST", "/v1/workspaces/payments/webhook/test")

    assert (answer.status, answer.error_code) == (404, "unknown_webhook")


def test_a_test_notice_is_answered_even_if_its_outcome_cannot_be_stored(
    stage: Stage, hook: Hook
) -> None:
    stage.put(hook.url)
    with aws_calls() as calls:
        calls.before = lambda operation: _fail(operation == "UpdateItem")
        assert stage.test()["delivered"]
    assert stage.attempts() == []


# --- Valid webhooks ---


def test_plain_http_is_accepted_for_a_configured_local_origin(
    stage: Stage,
) -> None:
    with https_hook(None) as plain:
        stage.put(plain.url)
        assert stage.test()["delivered"]
        assert stage.send(*stage.report()) == []
    for received in plain.received:
        verified(received)
    assert len(plain.received) == 2


def test_in_production_nothing_is_plain_http_or_local(
    stage: Stage, subtests: pytest.Subtests
) -> None:
    assert template()["Parameters"]["TestWebhookOrigins"]["Default"] == ""
    path = "/v1/workspaces/payments/webhook"
    with https_hook(None) as plain:
        stage.put(plain.url)
        notices = stage.report()
        for name in ("workspaces", "webhooks"):
            stage.relay.gateway.functions[name] = stage.load(name, TEST_WEBHOOK_ORIGINS="")
        local = plain.url.partition("://")[2]
        for url in (
            plain.url,
            f"https://{local}",
            "http://localhost:8000/",
            "http://hook.localhost/",
            "http://[::1]:8000/",
            "http://127.1/",
            "http://2130706433/",
            "http://%31%32%37.0.0.1/",
            "http://10.0.0.1/",
            "http://169.254.169.254/latest/meta-data",
            "http://8.8.8.8/",
            "http://ops.example.com/",
        ):
            with subtests.test(url):
                answer = stage.relay.provider("PUT", path, {"url": url, "secret": SECRET})
                assert (answer.status, answer.error_code) == (400, "bad_request")
                assert {one["path"] for one in answer.json()["error"]["details"]} == {"url"}
        # Configured for a test stack before: it is no longer called.
        assert stage.send(*notices) == [0]
        assert stage.test()["reason"] == "Its host has an address that is not public."
    assert plain.received == []


def test_plain_http_reaches_only_this_machine_whatever_is_configured(
    stage: Stage, resolve: Callable[..., None]
) -> None:
    named = "http://10.0.0.1:*,http://ops.example.com:*,http://localhost:*"
    for name in ("workspaces", "webhooks"):
        stage.relay.gateway.functions[name] = stage.load(name, TEST_WEBHOOK_ORIGINS=named)
    for url in ("http://10.0.0.1:80/", "http://ops.example.com:80/"):
        answer = stage.relay.provider(
            "PUT", "/v1/workspaces/payments/webhook", {"url": url, "secret": SECRET}
        )
        assert answer.status == 400
    resolve("localhost", "10.0.0.1")
    stage.put("http://localhost:80/")
    assert stage.test()["reason"] == "Its host has an address that is not public."


def test_only_https_urls_are_accepted(stage: Stage, subtests: pytest.Subtests) -> None:
    for url in (
        "http://ops.example.com/hook",
        "ftp://ops.example.com",
        "https:///hook",
        "https://",
        "https:ops.example.com",
        "//ops.example.com/hook",
        "/hook",
        "",
        "https://user@ops.example.com/",
        "https://user:password@ops.example.com/",
        "https://@ops.example.com/",
        "https://:@ops.example.com/",
        "https://ops.example.com/#fragment",
        "https://ops.example.com:0/",
        "https://ops.example.com:65536/",
        "https://ops.example.com:99999999999999999999/",
        "https://ops.example.com/ä",
        "https://ops.example.com/a b",
        "https://ops.example.com/\r\nx: y",
        "https://ops.example.com/" + "x" * 2000,
        None,
        1,
    ):
        with subtests.test(url=url):
            answer = stage.relay.provider(
                "PUT", "/v1/workspaces/payments/webhook", {"url": url, "secret": SECRET}
            )
            assert (answer.status, answer.error_code) == (400, "bad_request")
            assert {one["path"] for one in answer.json()["error"]["details"]} == {"url"}
    for url in ("https://ops.example.com", "HTTPS://ops.example.com:8443/a?b=c"):
        stage.put(url)


def test_only_standard_webhooks_secrets_are_accepted(
    stage: Stage, subtests: pytest.Subtests
) -> None:
    def encoded(length: int) -> str:
        return "whsec_" + base64.b64encode(b"s" * length).decode()

    for secret in (
        "",
        "whsec_",
        SECRET.removeprefix("whsec_"),
        encoded(23),
        encoded(65),
        "whsec_" + "ä" * 40,
        "whsec_" + "!" * 40,
        SECRET + " ",
        SECRET.rstrip("="),
        encoded(200),
        None,
    ):
        with subtests.test(secret=secret):
            document = {"url": "https://ops.example.com/hook", "secret": secret}
            answer = stage.relay.provider("PUT", "/v1/workspaces/payments/webhook", document)
            assert (answer.status, answer.error_code) == (400, "bad_request")
            assert {one["path"] for one in answer.json()["error"]["details"]} == {"secret"}
            assert not secret or len(secret) < 20 or secret not in answer.body
    for length in (24, 64):
        stage.put("https://ops.example.com/hook", encoded(length))


NOT_PUBLIC = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f.0.0.1",
    "017700000001",
    "0.0.0.0",  # noqa: S104 (nothing is bound to it)
    "%31%32%37.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "[::1]",
    "[::]",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::]",
    "[2001:db8::1]",
    "[ff02::1]",
    "localhost",
    "LOCALHOST.",
    "hook.localhost",
]
PUBLIC = ["8.8.8.8", "[2606:4700::1111]", "[64:ff9b::808:808]", "localhosts", "10.0.0.1.example"]


def test_a_host_that_is_not_public_is_refused(stage: Stage, subtests: pytest.Subtests) -> None:
    path = "/v1/workspaces/payments/webhook"
    stage.relay.gateway.functions["workspaces"] = stage.load("workspaces", TEST_WEBHOOK_ORIGINS="")
    for host in NOT_PUBLIC:
        with subtests.test(host):
            document = {"url": f"https://{host}/", "secret": SECRET}
            answer = stage.relay.provider("PUT", path, document)
            assert (answer.status, answer.error_code) == (400, "bad_request")
            [detail] = answer.json()["error"]["details"]
            assert (detail["path"], detail["rule"]) == ("url", "public_host")
    assert stage.relay.provider("GET", path).json() == {"url": None, "attempts": []}
    for host in PUBLIC:
        with subtests.test(host):
            stage.put(f"https://{host}/hook")


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"]])
def test_a_name_that_resolves_to_a_private_address_is_not_called(
    stage: Stage, resolve: Callable[..., None], addresses: list[str]
) -> None:
    """Whatever it resolved to when the webhook was put: that may change at any time."""
    connections: list[socket.socket] = []
    with raw_server(lambda _, connection: connections.append(connection)) as server:
        stage.put(f"https://ops.example.com:{server.port}/hook")
        resolve("ops.example.com", *addresses)
        assert stage.send(*stage.report()) == [0]
    assert connections == []


def test_the_checked_address_is_the_called_one(
    stage: Stage, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name is resolved once: a second lookup could return another address."""
    looked_up: list[str] = []
    own: Callable[..., Any] = socket.getaddrinfo

    def getaddrinfo(host: str, *args: Any, **options: Any) -> Any:
        looked_up.append(host)
        return own(host, *args, **options)

    stage.put(hook.url.replace("127.0.0.1", "localhost"))
    notices = stage.report()
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    # The certificate is not for localhost: TLS checks the name, not the address.
    assert stage.send(*notices) == [0]
    assert looked_up.count("localhost") == 1


# --- The secret ---


def test_the_secret_is_not_shown_again(stage: Stage, hook: Hook) -> None:
    stage.put(hook.url)
    answer = stage.relay.provider("GET", "/v1/workspaces/payments/webhook")
    assert answer.json() == {"url": hook.url, "attempts": []}


def test_the_secret_is_encrypted_for_its_own_workspace_only(
    stage: Stage, hook: Hook, aws: Aws
) -> None:
    stage.put(hook.url)
    raw = base64.b64decode(SECRET.removeprefix("whsec_"))
    stored = stage.relay.stored()
    assert hook.url in stored
    assert SECRET not in stored
    assert raw.decode() not in stored
    # Copied to another workspace, it signs nothing there.
    table = aws.environment["CATALOG_TABLE"]
    key = {"pk": {"S": "workspace#payments"}, "sk": {"S": "webhook"}}
    item = aws.dynamodb.get_item(TableName=table, Key=key)["Item"]
    stage.relay.provider("DELETE", "/v1/workspaces/payments/webhook")
    aws.dynamodb.put_item(TableName=table, Item=item | {"pk": {"S": "workspace#search"}})
    (notice,) = stage.report(entity_id="shared", workspace="search")
    assert json.loads(notice)["workspace_id"] == "search"
    assert stage.send(notice) == [0]
    assert hook.received == []


def test_neither_secrets_nor_user_data_are_logged(
    stage: Stage, hook: Hook, request: pytest.FixtureRequest
) -> None:
    everything: Callable[[], str] = request.getfixturevalue("written")
    stage.put(hook.url)
    hook.status = 500
    notices = stage.report()
    stage.send(*notices)
    hook.status = 204
    stage.send(*notices)
    bad = {"url": "http://ops.example.com", "secret": SECRET}
    stage.relay.provider("PUT", "/v1/workspaces/payments/webhook", bad)
    text = everything()
    assert "Notice sent" in text
    assert "Notice will be retried" in text
    for hidden in (SECRET, SECRET.removeprefix("whsec_"), ACME.secret, "a-person"):
        assert hidden not in text
    signature = hook.received[0].headers["webhook-signature"]
    assert signature.removeprefix("v1,") not in text
