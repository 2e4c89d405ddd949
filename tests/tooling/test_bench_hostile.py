"""The memory benchmark's inputs are as large as Relay allows, and not larger."""

import json

import pytest

from infra.bench import hostile
from relay.entities.document import (
    CONTAINERS_BYTES_MAX,
    DOCUMENT_BYTES_MAX,
    SUBMISSION_BYTES_MAX,
)
from relay.entities.submission import ENTITY_BYTES_MAX, parse_submission

SMALL = {"50,000 numbers for incidents"}


@pytest.mark.parametrize(
    ("what", "body"), list(hostile.submissions()), ids=lambda one: str(one)[:50]
)
def test_a_submission_is_as_large_as_allowed(what: str, body: bytes) -> None:
    assert len(body) <= SUBMISSION_BYTES_MAX
    assert len(body) > 0.9 * SUBMISSION_BYTES_MAX or what in SMALL


@pytest.mark.parametrize("made", list(hostile.INCIDENTS))
def test_the_incidents_are_accepted(made: hostile.Make) -> None:
    body = json.dumps({"incidents": [made(0)]}, ensure_ascii=False).encode()
    [verdict] = parse_submission(body).verdicts
    assert verdict.accepted, verdict.details


def test_the_largest_incident_is_as_large_as_allowed() -> None:
    size = len(hostile.state_of(hostile.largest(0)).as_json)
    assert 0.98 * ENTITY_BYTES_MAX < size <= ENTITY_BYTES_MAX


def test_other_bodies_are_within_their_limits() -> None:
    assert all(len(body) <= CONTAINERS_BYTES_MAX for _, body in hostile.containers())
    _, body = hostile.small_document()
    assert 0.9 * DOCUMENT_BYTES_MAX < len(body) <= DOCUMENT_BYTES_MAX
