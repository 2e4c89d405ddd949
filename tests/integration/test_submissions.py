"""Submissions over HTTP: a verdict per entity, with all accepted ones queued before the
response.
"""

import base64
import gzip
import io
import json
import random
import time
import tracemalloc
import zlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from relay.catalog.workspaces import WorkspaceDocument, WorkspaceStore
from relay.entities.document import SUBMISSION_BYTES_MAX
from relay.entities.model import EntityState, Kind
from relay.identity.api_keys import ApiKeys
from relay.queues.submissions import Message, parse_message
from relay.telemetry import logger
from tests.support.aws import Aws
from tests.support.aws_calls import AwsCalls, client_error, unreachable
from tests.support.entities import incident, review
from tests.support.lambdas import Answer, Context, call, http_event

WORKSPACE = "payments"
URL = f"/v1/workspaces/{WORKSPACE}/submissions"
# Lambda's limit for a function's response.
LAMBDA_ANSWER_MAX = 6 * 1024 * 1024
SECURITY_HEADERS = {
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "cache-control": "no-cache, no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


class Provider:
    """The operations tool: it submits, and unlike a real one it reads the queue."""

    def __init__(self, function: ModuleType, aws: Aws, key: str) -> None:
        self._function = function
        self._aws = aws
        self._key = key

    def submit(self, body: Any, url: str = URL, **headers: str) -> Answer:
        """Bytes and text are sent unchanged; a header given as "" is omitted."""
        sent = body if isinstance(body, bytes | str) else json.dumps(body)
        return call(self._function, "POST", url, sent, self._headers(headers))

    def whole_answer(self, body: bytes) -> dict[str, Any]:
        """The function's return value."""
        event = http_event("POST", URL, body, self._headers({}))
        answer: dict[str, Any] = self._function.handler(event, Context())
        return answer

    def _headers(self, changed: dict[str, str]) -> dict[str, str]:
        headers = {"authorization": f"Bearer {self._key}", "content-type": "application/json"}
        headers |= {name.replace("_", "-"): value for name, value in changed.items()}
        return {name: value for name, value in headers.items() if value}

    def raw_queue(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            answer = self._aws.sqs.receive_message(
                QueueUrl=self._aws.environment["SUBMISSIONS_QUEUE"],
                MaxNumberOfMessages=10,
                AttributeNames=["All"],
            )
            if not answer.get("Messages"):
                return found
            found += [dict(message) for message in answer["Messages"]]

    def queued(self) -> list[Message]:
        return [parse_message(message["Body"]) for message in self.raw_queue()]

    def queued_states(self) -> list[EntityState]:
        return [state for message in self.queued() for state in message.states]


@pytest.fixture
def provider(function: Callable[..., ModuleType], aws: Aws, api_key: str) -> Provider:
    document = WorkspaceDocument(name="Payments", url="https://ops.example.com/payments")
    WorkspaceStore(aws.dynamodb, "CatalogTable").put(WORKSPACE, document)
    return Provider(function("submissions"), aws, api_key)


def fail_sending(calls: AwsCalls, error: Exception, messages_before: int = 0) -> None:
    """Let the queue accept this many messages, and no more."""
    sent = 0

    def before(operation: str) -> None:
        nonlocal sent
        if operation == "SendMessage":
            sent += 1
            if sent > messages_before:
                raise error

    calls.before = before


def incompressible(count: int) -> list[dict[str, Any]]:
    chance = random.Random(7)  # noqa: S311
    return [
        incident(f"inc-{number}", description=base64.b85encode(chance.randbytes(3900)).decode())
        for number in range(count)
    ]


# --- Verdicts ---


def test_each_entity_gets_its_verdict_and_the_accepted_are_in_the_queue(provider: Provider) -> None:
    incidents = [incident("i-0"), incident("i-1", status="burning"), incident("i-2")]
    properties = {"team": "é"}

    answer = provider.submit(
        {"incidents": incidents, "reviews": [review("r-0")], "properties": properties}
    )

    assert answer.status == 202
    document = answer.json()
    assert (document["accepted"], document["rejected"]) == (3, 1)
    assert [
        (verdict["kind"], verdict["index"], verdict["id"], verdict["verdict"])
        for verdict in document["verdicts"]
    ] == [
        ("incident", 0, "i-0", "accepted"),
        ("incident", 1, "i-1", "rejected"),
        ("incident", 2, "i-2", "accepted"),
        ("review", 0, "r-0", "accepted"),
    ]
    (detail,) = document["verdicts"][1]["details"]
    assert (detail["path"], detail["rule"]) == ("incidents[1].status", "literal_error")
    assert "details" not in document["verdicts"][0]
    assert provider.queued_states() == [
        EntityState(Kind.INCIDENT, incidents[0], properties),
        EntityState(Kind.INCIDENT, incidents[2], properties),
        EntityState(Kind.REVIEW, review("r-0"), properties),
    ]


def test_a_message_has_its_workspaces_group(provider: Provider) -> None:
    before = int(time.time() * 1000)
    provider.submit({"incidents": [incident()]})

    (raw,) = provider.raw_queue()
    message = parse_message(raw["Body"])

    assert raw["Attributes"]["MessageGroupId"] == WORKSPACE
    assert message.workspace_id == WORKSPACE
    assert before <= message.accepted_at <= int(time.time() * 1000)


def test_if_all_are_rejected_nothing_is_queued(provider: Provider) -> None:
    answer = provider.submit({"incidents": [{}], "reviews": [1]})

    assert answer.status == 202
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (0, 2)
    assert provider.raw_queue() == []


def test_a_thousand_entities_are_one_message_or_two(provider: Provider) -> None:
    answer = provider.submit({"incidents": [incident(f"i-{n}") for n in range(1000)]})

    assert answer.status == 202
    messages = provider.queued()
    assert len(messages) <= 2
    assert sum(len(message.states) for message in messages) == 1000


def test_a_large_submission_is_split_into_several_messages(provider: Provider) -> None:
    entities = incompressible(700)

    assert provider.submit({"incidents": entities}).status == 202

    messages = provider.queued()
    assert len(messages) > 2
    assert {message.correlation_id for message in messages} == {messages[0].correlation_id}
    found = [state.entity for message in messages for state in message.states]
    assert sorted(found, key=lambda entity: str(entity["id"])) == sorted(
        entities, key=lambda entity: str(entity["id"])
    )


def test_a_dry_run_validates_and_queues_nothing(provider: Provider) -> None:
    answer = provider.submit({"incidents": [incident(), {}]}, f"{URL}?dryRun=true")

    assert (answer.status, answer.json()["accepted"], answer.json()["rejected"]) == (200, 1, 1)
    assert provider.raw_queue() == []


# --- Permissions ---


def test_without_a_valid_key_nothing_is_read(provider: Provider, subtests: pytest.Subtests) -> None:
    for authorization in (
        "",
        "Bearer",
        "Bearer ",
        "Bearer relay",
        "Bearer relay_0123456789abcdef_short",
        f"Bearer relay_0123456789abcdef_{'x' * 43}",
        f"Basic relay_0123456789abcdef_{'x' * 43}",
        "JWT a.b.c",
    ):
        with subtests.test(authorization=authorization):
            answer = provider.submit(b"\xff", authorization=authorization)
            assert (answer.status, answer.error_code) == (401, "unauthenticated")
    assert provider.raw_queue() == []


def test_a_key_with_another_secret_is_refused(provider: Provider, api_key: str) -> None:
    other = api_key[:-1] + ("A" if api_key[-1] != "A" else "B")

    assert provider.submit({}, authorization=f"Bearer {other}").status == 401
    assert provider.submit({}, authorization=api_key).status == 401


def test_a_key_is_accepted_for_its_own_workspaces(provider: Provider, aws: Aws) -> None:
    body = {"incidents": [incident()]}
    keys = ApiKeys(aws.dynamodb, "ApiKeysTable")
    own, others, nobodys = (keys.issue(names) for names in ([WORKSPACE, "other"], ["other"], []))

    assert provider.submit(body, authorization=f"Bearer {own}").status == 202
    for key in (others, nobodys):
        answer = provider.submit(body, authorization=f"Bearer {key}")
        assert (answer.status, answer.error_code) == (403, "forbidden")
    assert len(provider.raw_queue()) == 1


@pytest.mark.parametrize("workspace", ["x" * 3000, "a%20b", "a%23b", "%C3%A9"])
def test_an_invalid_workspace_id_is_refused(provider: Provider, workspace: str) -> None:
    answer = provider.submit({"incidents": [incident()]}, f"/v1/workspaces/{workspace}/submissions")

    assert (answer.status, answer.error_code) == (400, "bad_request")


# --- Bodies ---


def test_only_json_is_accepted(provider: Provider, subtests: pytest.Subtests) -> None:
    for content_type in (
        "",
        "*/*",
        "json",
        "text/plain",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "application/vnd.api+json",
        "application/json, text/plain",
    ):
        with subtests.test(content_type=content_type):
            answer = provider.submit({"incidents": [incident()]}, content_type=content_type)
            assert (answer.status, answer.error_code) == (415, "unsupported_media_type")
    assert provider.raw_queue() == []


def test_a_json_content_type_may_have_a_charset_and_capitals(
    provider: Provider, subtests: pytest.Subtests
) -> None:
    for content_type in (
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/json;",
    ):
        with subtests.test(content_type=content_type):
            answer = provider.submit({"incidents": [incident()]}, content_type=content_type)
            assert answer.status == 202


def test_an_unknown_encoding_is_refused(provider: Provider, subtests: pytest.Subtests) -> None:
    for encoding in ("br", "deflate", "compress", "gzip, gzip", "zstd"):
        with subtests.test(encoding=encoding):
            answer = provider.submit({"incidents": [incident()]}, content_encoding=encoding)
            assert (answer.status, answer.error_code) == (415, "unsupported_media_type")


def test_a_body_that_is_not_utf_8_json_is_refused(
    provider: Provider, subtests: pytest.Subtests
) -> None:
    for body in (b'{"incidents": ["\xe9"', b"\xff\xfe", '{"x": "\ud83d"}', "", "{", "null"):
        with subtests.test(body=body):
            answer = provider.submit(body)
            assert (answer.status, answer.error_code) == (400, "bad_request")
    assert provider.raw_queue() == []


def test_a_bad_value_rejects_its_own_entity_only(provider: Provider) -> None:
    good = json.dumps(incident("good"))
    bad = json.dumps(incident("bad", summary="MARK"))
    for value, rule in {
        # what JavaScript tools produce when they cut an emoji
        '"aaaaaaaaaa\\ud83d"': "string_unicode",
        "[" * 500 + "]" * 500: "string_type",
        "[" * 100_000 + "]" * 100_000: "string_type",
        "9" * 5000: "string_type",
        "NaN": "string_type",
    }.items():
        body = f'{{"incidents": [{good}, {bad}, {good}]}}'.replace('"MARK"', value)
        answer = provider.submit(body)

        assert answer.status == 202, value[:20]
        assert [verdict["verdict"] for verdict in answer.json()["verdicts"]] == [
            "accepted",
            "rejected",
            "accepted",
        ]
        (detail,) = answer.json()["verdicts"][1]["details"]
        assert (detail["path"], detail["rule"]) == ("incidents[1].summary", rule)
    assert {state.key.id for state in provider.queued_states()} == {"good"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"incidents": [{"id": "\\ud83d", "\\ud83d": 1}]}', 202),
        ('{"incidents": [{}], "\\ud83d": 1}', 400),
        ('{"incidents": [{}], "properties": {"\\ud83d": "x"}}', 400),
    ],
)
def test_names_and_ids_that_are_not_strings_can_be_reported(
    provider: Provider, body: str, status: int
) -> None:
    assert provider.submit(body).status == status


def test_null_counts_as_absent(provider: Provider) -> None:
    body = {"incidents": [incident()], "reviews": None, "properties": None}

    answer = provider.submit(body | {"providerMetadata": None})

    assert (answer.status, answer.json()["accepted"]) == (202, 1)


def test_a_byte_order_mark_is_skipped(provider: Provider) -> None:
    body = json.dumps({"incidents": [incident()]}).encode("utf-8-sig")

    assert provider.submit(body).status == 202
    assert provider.submit(gzip.compress(body), content_encoding="gzip").status == 202


def test_the_product_is_queued_with_every_entity(provider: Provider) -> None:
    body = {"incidents": [incident()], "reviews": [review()]}

    assert provider.submit(body | {"providerMetadata": {"product": "Ops Tool"}}).status == 202

    assert [state.product for state in provider.queued_states()] == ["Ops Tool", "Ops Tool"]


def test_a_body_may_be_text_or_bytes(provider: Provider) -> None:
    body = json.dumps({"incidents": [incident(summary="Zürich 🔥")]}, ensure_ascii=False)

    assert provider.submit(body).status == 202
    assert provider.submit(body.encode()).status == 202
    assert {state.entity["summary"] for state in provider.queued_states()} == {"Zürich 🔥"}


def padded(size: int) -> bytes:
    body = json.dumps({"incidents": [incident()]}).encode()
    return body + b" " * (size - len(body))


def test_four_mebibytes_are_accepted_and_one_byte_more_is_refused(provider: Provider) -> None:
    def as_it_is(size: int) -> Answer:
        return provider.submit(padded(size))

    def compressed(size: int) -> Answer:
        return provider.submit(gzip.compress(padded(size)), content_encoding="gzip")

    assert SUBMISSION_BYTES_MAX == 4 * 1024 * 1024
    for submit in (as_it_is, compressed):
        assert submit(SUBMISSION_BYTES_MAX).status == 202
        answer = submit(SUBMISSION_BYTES_MAX + 1)
        assert (answer.status, answer.error_code) == (413, "too_large")
        assert answer.json()["error"]["details"][0]["rule"] == "max_bytes"
    assert len(provider.raw_queue()) == 2


# --- gzip ---


def test_a_gzip_body_is_accepted(provider: Provider) -> None:
    body = gzip.compress(json.dumps({"incidents": [incident()]}).encode())

    for encoding in ("gzip", "GZIP", " gzip ", "x-gzip"):
        assert provider.submit(body, content_encoding=encoding).status == 202
    assert len(provider.raw_queue()) == 4


def test_a_gzip_bomb_is_refused_in_little_memory(provider: Provider) -> None:
    # A flushed block can be repeated: one mebibyte of zeros, a thousand times.
    deflater = zlib.compressobj(wbits=31)
    head = deflater.compress(b"") + deflater.flush(zlib.Z_FULL_FLUSH)
    block = deflater.compress(bytes(1024 * 1024)) + deflater.flush(zlib.Z_FULL_FLUSH)
    bomb = head + block * 1024
    assert len(bomb) < SUBMISSION_BYTES_MAX / 3

    tracemalloc.start()
    started = time.perf_counter()
    try:
        answer = provider.submit(bomb, content_encoding="gzip")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (answer.status, answer.error_code) == (413, "too_large")
    assert peak < 8 * SUBMISSION_BYTES_MAX
    assert time.perf_counter() - started < 5


def test_an_invalid_gzip_body_is_refused(provider: Provider) -> None:
    whole = gzip.compress(json.dumps({"incidents": [incident()]}).encode())
    bad_sum = whole[:-8] + bytes(8)

    for broken in (b"", b"{}", whole[:-1], whole[:-9], whole[:10], whole[5:], bad_sum, b"\x1f\x8b"):
        answer = provider.submit(broken, content_encoding="gzip")
        assert (answer.status, answer.error_code) == (400, "bad_request")
        assert answer.json()["error"]["details"][0]["rule"] == "gzip"
    assert provider.submit(whole).status == 400
    assert provider.raw_queue() == []


def test_data_after_the_first_gzip_member_is_not_silently_dropped(
    provider: Provider,
) -> None:
    member = gzip.compress(json.dumps({"incidents": [incident()]}).encode())

    for more in (member, b"\0", b"junk"):
        answer = provider.submit(member + more, content_encoding="gzip")
        assert (answer.status, answer.error_code) == (400, "bad_request")
    assert provider.raw_queue() == []


# --- Responses that would be too large ---


def test_a_submission_whose_response_would_be_too_large_is_refused(provider: Provider) -> None:
    body = b'{"incidents":[%s,%s]}' % (
        json.dumps(incident()).encode(),
        b",".join([b"1"] * 45_000),
    )

    answer = provider.submit(body)

    assert (answer.status, answer.error_code) == (413, "too_large")
    assert answer.json()["error"]["details"][0]["rule"] == "max_answer_bytes"
    assert provider.raw_queue() == []


@pytest.mark.parametrize("character", ['"', "\x01", "🔥"])
def test_every_response_fits_lambdas_limit(provider: Provider, character: str) -> None:
    smallest = incident(character * 255, description="", summary="", url="http://x")
    text = json.dumps(smallest, ensure_ascii=False).encode()
    count = (SUBMISSION_BYTES_MAX - 20) // (len(text) + 1)

    answer = provider.whole_answer(b'{"incidents":[%s]}' % b",".join([text] * count))

    assert answer["statusCode"] == 202
    assert len(json.dumps(answer)) < LAMBDA_ANSWER_MAX


# --- When AWS fails ---


def test_if_the_queue_accepts_nothing_all_entities_are_named(
    provider: Provider, calls: AwsCalls
) -> None:
    for error in (unreachable(), client_error("ServiceUnavailable")):
        fail_sending(calls, error)
        answer = provider.submit({"incidents": [{}, incident()], "reviews": [review()]})
        assert (answer.status, answer.error_code) == (503, "not_queued")
        details = answer.json()["error"]["details"]
        assert [detail["path"] for detail in details] == ["incidents[1]", "reviews[0]"]
        assert {detail["rule"] for detail in details} == {"not_queued"}
    calls.no_more_trouble()
    assert provider.raw_queue() == []


def test_if_the_queue_fails_halfway_exactly_the_rest_is_named(
    provider: Provider, calls: AwsCalls
) -> None:
    fail_sending(calls, unreachable(), messages_before=1)
    entities = incompressible(400)
    # The same entity in an accepted part and in a refused one.
    entities[-1]["id"] = entities[0]["id"]

    answer = provider.submit({"incidents": [{"id": "bad"}, *entities]})

    assert (answer.status, answer.error_code) == (503, "not_queued")
    calls.no_more_trouble()
    queued = len(provider.queued_states())
    assert 0 < queued < len(entities)
    assert [detail["path"] for detail in answer.json()["error"]["details"]] == [
        f"incidents[{index}]" for index in range(1 + queued, 1 + len(entities))
    ]


def test_after_a_failed_message_the_rest_is_not_sent(provider: Provider, calls: AwsCalls) -> None:
    fail_sending(calls, unreachable())

    provider.submit({"incidents": incompressible(400)})

    assert calls.names.count("SendMessage") == 1


def test_if_the_database_fails_nothing_is_accepted(provider: Provider, calls: AwsCalls) -> None:
    for error in (unreachable(), client_error("ProvisionedThroughputExceededException")):
        calls.fail(error, at=0)
        answer = provider.submit({"incidents": [incident()]})
        assert (answer.status, answer.error_code) == (503, "unavailable")
    calls.no_more_trouble()
    assert provider.raw_queue() == []


def test_the_key_and_the_workspace_are_read_in_one_call(
    provider: Provider, calls: AwsCalls
) -> None:
    assert provider.submit({"incidents": [incident()]}).status == 202
    assert calls.names == ["BatchGetItem", "SendMessage"]


# --- Every answer ---


def test_the_callers_correlation_id_is_returned_and_queued(provider: Provider) -> None:
    answer = provider.submit({"incidents": [incident()]}, x_correlation_id="deploy-2026.01_a")

    assert answer.headers["x-correlation-id"] == "deploy-2026.01_a"
    (message,) = provider.queued()
    assert message.correlation_id == "deploy-2026.01_a"
    assert answer.json()["submissionId"] == f"{message.accepted_at}-deploy-2026.01_a"


def test_a_missing_correlation_id_is_generated(provider: Provider) -> None:
    answers = [provider.submit({"incidents": [incident()]}) for _ in range(2)]

    made = [answer.headers["x-correlation-id"] for answer in answers]
    assert all(made)
    assert made[0] != made[1]
    assert {message.correlation_id for message in provider.queued()} == set(made)


def test_every_response_has_security_headers(provider: Provider, calls: AwsCalls) -> None:
    answers = [
        provider.submit({"incidents": [incident()]}),
        provider.submit({}),
        provider.submit({}, authorization=""),
        provider.submit({}, content_type=""),
        provider.submit({}, "/v1/workspaces/nobodys/submissions"),
        provider.submit({}, "/v1/nowhere"),
    ]
    fail_sending(calls, unreachable())
    answers.append(provider.submit({"incidents": [incident()]}))

    assert [answer.status for answer in answers] == [202, 400, 401, 415, 404, 404, 503]
    for answer in answers:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        assert headers["content-type"] == "application/json"
        assert SECURITY_HEADERS.items() <= headers.items()


def test_neither_keys_nor_entity_texts_are_logged(
    provider: Provider,
    api_key: str,
    calls: AwsCalls,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", log)
    secret = "Xq7-of-a-customer"
    body = {"incidents": [incident(summary=secret), incident(status=secret), {secret: secret}]}

    assert provider.submit(body).status == 202
    assert provider.submit({secret: secret}).status == 400
    assert provider.submit(f'{{"{secret}"').status == 400
    fail_sending(calls, unreachable())
    assert provider.submit(body).status == 503

    printed = log.getvalue() + "".join(capsys.readouterr())
    assert "Answered" in printed
    assert "EntitiesSubmitted" in printed
    assert secret not in printed
    assert api_key not in printed
    assert api_key.split("_", 2)[2] not in printed
