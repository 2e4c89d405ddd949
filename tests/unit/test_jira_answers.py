"""Jira's answers in the documented shapes and in others."""

from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.jira.answers import (
    MESSAGE_LENGTH_MAX,
    MESSAGES_MAX,
    SubmitAnswer,
    is_submit_answer,
    json_of,
    messages_of,
    strings_of,
    submit_answer,
)
from relay.jira.errors import (
    AccessRefused,
    CredentialRefused,
    JiraAnswered,
    NothingThere,
    RateLimited,
    RequestRefused,
    RequestTooLarge,
    SiteDown,
    SiteMoved,
    error_type,
)


def document_of(content: bytes) -> Any:
    return json_of(httpx.Response(202, content=content))


def answer(document: Any) -> SubmitAnswer:
    assert is_submit_answer(document)
    return submit_answer(document)


def accepted(*ids: str) -> SubmitAnswer:
    return SubmitAnswer(frozenset(ids), {}, ())


def failed(**words: tuple[str, ...]) -> SubmitAnswer:
    return SubmitAnswer(frozenset(), dict(words), ())


# --- The 202 of a submission ---


def test_the_documented_answer_is_read_completely() -> None:
    document = {
        "acceptedIncidents": ["inc-1", "inc-2"],
        "failedIncidents": {
            "inc-3": [{"message": "summary is too long", "errorTraceId": "ab12"}],
            "inc-4": [{"message": "one"}, {"message": "two"}],
        },
        "unknownProjectKeys": ["GONE", "UTF"],
    }

    assert answer(document) == SubmitAnswer(
        accepted=frozenset({"inc-1", "inc-2"}),
        failed={"inc-3": ("summary is too long (errorTraceId ab12)",), "inc-4": ("one", "two")},
        unknown_project_keys=("GONE", "UTF"),
    )


def test_reviews_are_found_under_either_name() -> None:
    assert answer({"acceptedReviews": ["r"], "acceptedIncidents": ["i"]}) == accepted("r", "i")
    assert answer({"failedReviews": {"r": [{"message": "no"}]}}) == failed(r=("no",))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" ",
        b"Accepted",
        b"<html>202</html>",
        b"{",
        b'{"acceptedIncidents": ["inc-1"',
        b"\xff\xfe\x00",
        b'{"acceptedIncidents": ["\xe9"]}',
        b"[" * 100_000,
        b'{"acceptedIncidents":' * 50_000,
        b'{"acceptedIncidents": [%s]}' % (b"9" * 10_000),
        b"null",
        b"true",
        b"1",
        b'"inc-1"',
        b"[]",
        b'["inc-1"]',
        b"{}",
        b'{"status": "maintenance"}',
        b'{"errorMessages": ["no"], "errors": {}}',
        b'{"acceptedIncidents": null, "failedIncidents": null, "unknownProjectKeys": null}',
        b'{"acceptedIncidents": "inc-1"}',
        b'{"acceptedIncidents": {"inc-1": {}}}',
        b'{"acceptedIncidents": ["inc-1", 1]}',
        b'{"acceptedIncidents": ["inc-1"], "failedIncidents": ["inc-2"]}',
        b'{"acceptedIncidents": ["inc-1"], "failedIncidents": {"inc-2": "no"}}',
        b'{"acceptedIncidents": ["inc-1"], "failedIncidents": {"inc-2": ["no"]}}',
        b'{"acceptedIncidents": ["inc-1"], "unknownProjectKeys": "OPS"}',
        b'{"acceptedIncidents": ["inc-1"], "unknownProjectKeys": [null]}',
        b'{"acceptedEntities": ["inc-1"]}',
    ],
)
def test_an_answer_with_another_shape_is_not_the_documented_one(content: bytes) -> None:
    assert not is_submit_answer(document_of(content))


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        ([{"message": "no"}], ("no",)),
        ([{"message": 7}], ("7",)),
        ([{"message": {"code": 7}}], ("{'code': 7}",)),
        ([{}], ("no message",)),
        ([{"message": None}], ("no message",)),
        ([{"errorTraceId": "ab12"}], ("no message (errorTraceId ab12)",)),
        ([], ("Jira gave no reason.",)),
    ],
)
def test_a_failure_always_has_a_message(errors: Any, words: tuple[str, ...]) -> None:
    assert answer({"failedIncidents": {"i": errors}}) == failed(i=words)


def test_a_huge_answer_is_read_and_stored_within_bounds() -> None:
    read = answer(
        {
            "acceptedIncidents": [f"inc-{number}" for number in range(100_000)],
            "failedIncidents": {"i": [{"message": "x" * 10_000}] * 1000},
        }
    )

    assert len(read.accepted) == 100_000
    assert [len(word) for word in read.failed["i"]] == [MESSAGE_LENGTH_MAX] * MESSAGES_MAX


def test_an_answer_with_a_lone_surrogate_can_be_stored_and_sent() -> None:
    content = (
        b'{"failedIncidents": {"i": [{"message": "cut \\ud83d"}]},'
        b' "unknownProjectKeys": ["\\udd25"], "acceptedIncidents": ["\\ud83d\\udd25"]}'
    )
    read = answer(document_of(content))

    assert read.failed["i"][0].encode() == b"cut ?"
    assert read.unknown_project_keys[0].encode() == b"?"
    assert read.accepted == {"🔥"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=10,
)
names = st.sampled_from(
    [
        "acceptedIncidents",
        "failedIncidents",
        "acceptedReviews",
        "failedReviews",
        "unknownProjectKeys",
    ]
)


@given(st.dictionaries(names, json_values) | json_values)
@settings(deadline=None)
def test_any_answer_with_the_documented_shape_can_be_read(document: Any) -> None:
    if not is_submit_answer(document):
        return
    read = submit_answer(document)

    assert all(isinstance(entity_id, str) for entity_id in read.accepted)
    assert all(
        words and all(isinstance(word, str) for word in words) for words in read.failed.values()
    )


@given(st.binary(max_size=100))
@settings(deadline=None)
def test_any_bytes_can_be_classified(content: bytes) -> None:
    assert not is_submit_answer(document_of(content))


# --- Parts of an answer ---


def test_json_in_another_unicode_encoding_is_read() -> None:
    content = '{"workspaceIds": ["é"]}'.encode("utf-16")

    assert strings_of(json_of(httpx.Response(200, content=content)), "workspaceIds") == ["é"]


def test_an_error_answers_messages_are_read() -> None:
    assert messages_of([{"message": "a"}, {"message": "b", "errorTraceId": "c"}]) == (
        "a",
        "b (errorTraceId c)",
    )
    assert messages_of(None) == ()


@pytest.mark.parametrize(
    ("status", "expected", "answered"),
    [
        (300, SiteMoved, 502),
        (302, SiteMoved, 502),
        (308, SiteMoved, 502),
        (400, RequestRefused, 502),
        (401, CredentialRefused, 502),
        (403, AccessRefused, 502),
        (404, NothingThere, 502),
        (405, JiraAnswered, 502),
        (413, RequestTooLarge, 502),
        (429, RateLimited, 503),
        (500, SiteDown, 503),
        (503, SiteDown, 503),
        (599, SiteDown, 503),
        (600, JiraAnswered, 502),
        (101, JiraAnswered, 502),
    ],
)
def test_each_status_has_its_meaning(
    status: int, expected: type[JiraAnswered], answered: int
) -> None:
    error = error_type(status)(status, ("words of Jira",))

    assert type(error) is expected
    assert error.answer_status == status
    assert error.status == answered
    assert "words of Jira" in error.message
    # The log gets only the status: Jira's message may repeat what it was sent.
    assert error.reason == f"status {status}"
