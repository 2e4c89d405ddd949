"""Jira's answers in the shapes that are documented, and in those that are not."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.jira.answers import (
    PROJECT_KEY_LENGTH_MAX,
    PROJECT_KEYS_MAX,
    WORD_LENGTH_MAX,
    WORDS_MAX,
    SubmitAnswer,
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
    RateLimit,
    RateLimited,
    RequestRefused,
    RequestTooLarge,
    SiteDown,
    SiteMoved,
    error_type,
)

NOTHING = SubmitAnswer(frozenset(), {}, ())


def answer(document: Any) -> SubmitAnswer:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return submit_answer(httpx.Response(202, content=content))


def accepted(*ids: str) -> SubmitAnswer:
    return SubmitAnswer(frozenset(ids), {}, ())


def failed(**words: tuple[str, ...]) -> SubmitAnswer:
    return SubmitAnswer(frozenset(), dict(words), ())


# --- The 202 of a submission ---


def test_the_documented_answer_is_read_whole() -> None:
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
    "document",
    [
        b"",
        b" ",
        b"Accepted",
        b"<html>202</html>",
        b"{",
        b'{"acceptedIncidents": ["inc-1"',
        b"\xff\xfe\x00",
        b'{"acceptedIncidents": ["\xe9"]}',
        None,
        True,
        1,
        "inc-1",
        [],
        ["inc-1"],
        {},
        {"acceptedIncidents": None, "failedIncidents": None, "unknownProjectKeys": None},
        {"acceptedIncidents": "inc-1", "failedIncidents": "inc-1", "unknownProjectKeys": "OPS"},
        {"acceptedIncidents": {"inc-1": {}}, "failedIncidents": ["inc-1"]},
        {"acceptedIncidents": [1, None, ["inc-1"], {"id": "inc-1"}]},
        {"unknownProjectKeys": [1, None, {}]},
        {"acceptedEntities": ["inc-1"]},
        b"[" * 100_000,
        b'{"acceptedIncidents":' * 50_000,
        b'{"acceptedIncidents": [%s]}' % (b"9" * 10_000),
    ],
)
def test_an_answer_of_another_shape_says_nothing_of_any_entity(document: Any) -> None:
    assert answer(document) == NOTHING


def test_among_values_of_other_kinds_the_good_ones_are_read() -> None:
    assert answer({"acceptedIncidents": [1, "inc-1", None, "inc-2"]}) == accepted("inc-1", "inc-2")
    assert answer({"failedIncidents": {"inc-1": [None, {"message": "no"}, 7]}}) == failed(
        **{"inc-1": ("no",)}
    )


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        ([{"message": "no"}], ("no",)),
        ({"message": "no"}, ("no",)),
        ("no", ("no",)),
        (["no", "never"], ("no", "never")),
        ([{"message": 7}], ("7",)),
        ([{"message": {"code": 7}}], ("{'code': 7}",)),
        ([{}], ("no message",)),
        ([{"message": None}], ("no message",)),
        ([{"errorTraceId": "ab12"}], ("no message (errorTraceId ab12)",)),
        ([], ("Jira gave no reason.",)),
        (None, ("Jira gave no reason.",)),
        (7, ("Jira gave no reason.",)),
    ],
)
def test_a_failure_always_has_words(errors: Any, words: tuple[str, ...]) -> None:
    assert answer({"failedIncidents": {"i": errors}}) == failed(i=words)


def test_a_huge_answer_is_read_and_what_is_kept_of_it_is_bounded() -> None:
    read = answer(
        {
            "acceptedIncidents": [f"inc-{number}" for number in range(100_000)],
            "failedIncidents": {"i": [{"message": "x" * 10_000}] * 1000},
            "unknownProjectKeys": ["K" * 10_000] * 10_000,
        }
    )

    assert len(read.accepted) == 100_000
    assert [len(word) for word in read.failed["i"]] == [WORD_LENGTH_MAX] * WORDS_MAX
    lengths = [len(key) for key in read.unknown_project_keys]
    assert lengths == [PROJECT_KEY_LENGTH_MAX] * PROJECT_KEYS_MAX


def test_half_a_surrogate_pair_in_an_answer_can_still_be_kept_and_sent() -> None:
    read = answer(
        b'{"failedIncidents": {"i": [{"message": "cut \\ud83d"}]},'
        b' "unknownProjectKeys": ["\\udd25"], "acceptedIncidents": ["\\ud83d\\udd25"]}'
    )

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
def test_any_json_is_read_as_an_answer(document: Any) -> None:
    read = answer(document)

    assert all(isinstance(entity_id, str) for entity_id in read.accepted)
    assert all(
        words and all(isinstance(word, str) for word in words) for words in read.failed.values()
    )


@given(st.binary(max_size=100))
@settings(deadline=None)
def test_any_bytes_are_read_as_an_answer(content: bytes) -> None:
    assert answer(content).failed == {}


# --- Parts of an answer ---


def test_a_body_in_another_unicode_is_json_too() -> None:
    content = '{"workspaceIds": ["é"]}'.encode("utf-16")

    assert strings_of(json_of(httpx.Response(200, content=content)), "workspaceIds") == ["é"]


def test_messages_of_an_error_answer() -> None:
    assert messages_of([{"message": "a"}, {"message": "b", "errorTraceId": "c"}]) == (
        "a",
        "b (errorTraceId c)",
    )
    assert messages_of(None) == ()


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (300, SiteMoved),
        (302, SiteMoved),
        (308, SiteMoved),
        (400, RequestRefused),
        (401, CredentialRefused),
        (403, AccessRefused),
        (404, NothingThere),
        (405, JiraAnswered),
        (413, RequestTooLarge),
        (429, RateLimited),
        (500, SiteDown),
        (503, SiteDown),
        (599, SiteDown),
        (600, JiraAnswered),
        (101, JiraAnswered),
    ],
)
def test_each_status_has_its_meaning(status: int, expected: type[JiraAnswered]) -> None:
    error = error_type(status)(status, ("words of Jira",))

    assert type(error) is expected
    assert error.answer_status == status
    assert error.status in (502, 503)
    assert "words of Jira" in error.message
    # The log gets the status alone: Jira's words may repeat what it was sent.
    assert error.reason == f"status {status}"


def test_what_an_answer_says_of_the_rate_limit_is_kept_word_for_word() -> None:
    headers = httpx.Headers(
        {
            "Retry-After": "17",
            "X-RateLimit-Limit": "100",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": "2026-01-31T09:30Z",
            "RateLimit-Reason": "jira-quota-tenant-based",
        }
    )

    assert RateLimit.of(headers) == RateLimit(
        "17", "100", "0", "2026-01-31T09:30Z", "jira-quota-tenant-based"
    )
    assert RateLimit.of(httpx.Headers()) == RateLimit()
