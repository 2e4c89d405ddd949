"""Submission bodies as sent over the wire, through the API and into the function."""

import gzip
import json

import httpx
import pytest

from infra.local.comparison import differences, newest_states
from infra.local.feed import BODY_BYTES_MAX
from infra.local.story import Story
from tests.e2e.states import incidents
from tests.support.entities import incident

SUMMARY = "Zahlungen hängen seit 09:30, 支払い"


def post(story: Story, body: bytes, **headers: str) -> httpx.Response:
    return story.relay.post_submission(story.tenancy.workspace_id, body, **headers)


def body_of(size: int) -> bytes:
    """A submission of one incident, padded with spaces to this many bytes."""
    body = json.dumps({"incidents": [incident()]}).encode()
    return body + b" " * (size - len(body))


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_body_arrives_as_it_was_sent(story: Story, encoding: str) -> None:
    entity = incident("inc-1", summary=SUMMARY)
    body = json.dumps({"incidents": [entity]}, ensure_ascii=False).encode()
    sent = gzip.compress(body) if encoding == "gzip" else body

    answer = post(story, sent, content_encoding=encoding)

    assert answer.status_code == httpx.codes.ACCEPTED, answer.text
    assert story.wait_for_delivery(1)
    assert differences(newest_states(incidents(entity)), story.shown()) == []


def test_a_body_that_is_not_utf8_is_refused(story: Story) -> None:
    body = json.dumps({"incidents": [incident(summary=SUMMARY)]}, ensure_ascii=False)

    answer = post(story, body.replace("支払い", "").encode("latin-1", "replace") + b"\xff")

    assert answer.status_code == httpx.codes.BAD_REQUEST, answer.text
    assert story.shown() == {"incident": [], "review": []}


def test_four_mebibytes_are_accepted_and_one_byte_more_is_not(story: Story) -> None:
    assert post(story, body_of(BODY_BYTES_MAX)).status_code == httpx.codes.ACCEPTED

    answer = post(story, body_of(BODY_BYTES_MAX + 1))

    assert answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE, answer.text
    assert answer.json()["error"]["code"] == "too_large"


def test_a_gzip_bomb_is_refused(story: Story) -> None:
    bomb = gzip.compress(body_of(200 * 1024 * 1024), compresslevel=1)

    answer = post(story, bomb, content_encoding="gzip")

    assert answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE, answer.text
