"""The limits that the tests' gateway enforces for every call."""

from typing import Any

import pytest

from tests.support.aws_limits import LimitPassed
from tests.support.lambda_limits import (
    ANSWER_BYTES_MAX,
    EVENT_BYTES_MAX,
    HEADER_BYTES_MAX,
    answer_bytes,
    check_answer,
    check_event,
    event_bytes,
    refused_by_gateway,
)
from tests.support.lambdas import http_event, sqs_event


def answer(body: str = "", **headers: str) -> dict[str, Any]:
    return {"statusCode": 200, "headers": headers, "body": body}


def posted(body: str, **headers: str) -> int:
    """The status of API Gateway's own response; 0 if it passes the call on."""
    event = http_event("POST", "/v1/keys", body, headers)
    refused = refused_by_gateway("POST", "/v1/keys", headers, event)
    return refused["statusCode"] if refused else 0


def test_four_mebibytes_reach_a_function_unless_they_have_too_many_escapes() -> None:
    size = 4 * 1024 * 1024

    assert posted("x" * size) == 0
    assert posted('"' * size) == 413
    assert event_bytes('"' * size) > 8_300_000
    # Bytes, such as a gzip body, are sent in base64.
    assert event_bytes(http_event("POST", "/v1/keys", b'"' * size)) < EVENT_BYTES_MAX


def test_a_request_line_and_headers_have_ten_kilobytes_in_all() -> None:
    line = len("POST /v1/keys HTTP/1.1\r\n") + len("name: \r\n")

    assert posted("", name="x" * (HEADER_BYTES_MAX - line)) == 0
    assert posted("", name="x" * (HEADER_BYTES_MAX - line + 1)) == 431


def test_an_answer_is_measured_with_all_its_escapes() -> None:
    left = ANSWER_BYTES_MAX - answer_bytes(answer())

    check_answer(answer("x" * left))
    check_answer(answer('"' * (left // 2)))
    check_answer(answer("\U0001f525" * (left // 12)))
    for body in ("x" * (left + 1), '"' * (left // 2 + 1), "\U0001f525" * (left // 12 + 1)):
        with pytest.raises(LimitPassed):
            check_answer(answer(body))
    with pytest.raises(LimitPassed):
        check_answer(answer(Location="x" * HEADER_BYTES_MAX))


def test_an_event_of_messages_has_six_megabytes() -> None:
    sqs_event(*(["x" * 1_000_000] * 6))

    with pytest.raises(LimitPassed):
        sqs_event(*(["x" * 1_000_000] * 7))
    with pytest.raises(LimitPassed):
        check_event({"Records": ["x" * EVENT_BYTES_MAX]})
