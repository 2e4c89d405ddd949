"""A workspace's ids at a site: they survive a round trip, and no other's are recognized."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.entities.fields import CONTAINER_ID_PATTERN, ID_MAX, SITE_ID_MAX
from relay.entities.workspace_ids import (
    KEY_ALPHABET,
    KEY_CHARACTERS,
    KEY_LENGTH,
    WorkspaceIds,
    bytes_at_site,
    without_key,
)
from tests.support.entities import incident, review

KEYS = st.text(KEY_ALPHABET, min_size=KEY_CHARACTERS, max_size=KEY_CHARACTERS)
IDS = st.text(min_size=1, max_size=ID_MAX)
LISTS = st.lists(IDS, min_size=1, max_size=5)


@given(key=KEYS, plain=st.booleans(), own_id=IDS)
def test_an_id_survives_a_round_trip(key: str, plain: bool, own_id: str) -> None:
    ids = WorkspaceIds(key, plain)
    assert ids.own(ids.at_site(own_id)) == own_id
    assert len(ids.at_site(own_id)) <= SITE_ID_MAX


@given(keys=st.lists(KEYS, min_size=2, max_size=2, unique=True), own=IDS, other=IDS)
def test_no_two_workspaces_share_an_id(keys: list[str], own: str, other: str) -> None:
    first, second = map(WorkspaceIds, keys)
    assert first.at_site(own) != second.at_site(other)
    assert second.own(first.at_site(own)) is None


@given(key=KEYS, components=LISTS, incidents=LISTS)
def test_an_entity_survives_a_round_trip(
    key: str, components: list[str], incidents: list[str]
) -> None:
    ids = WorkspaceIds(key)
    for entity in (incident(affectedComponents=components), review(reviews=incidents)):
        sent = ids.entity_at_site(entity)
        assert ids.own_entity(sent) == entity
        listed = [*sent.get("affectedComponents", ()), *sent.get("reviews", ())]
        assert all(one.startswith(f"{key}.") for one in (sent["id"], *listed))
        grown = len(str(sent)) - len(str(entity))
        assert grown == bytes_at_site(entity) == (1 + len(listed)) * KEY_LENGTH


@pytest.mark.parametrize(
    "site_id", ["", ".", "inc-1", "p4x8q2vn", "p4x8q2vn.", "p4x8q2v.inc-1", "P4X8Q2VN.inc-1"]
)
def test_another_workspaces_id_is_not_recognized(site_id: str) -> None:
    ids = WorkspaceIds("p4x8q2vn")
    assert ids.own(site_id) is None
    assert ids.own_entity({"id": site_id}) is None


def test_an_entity_shows_only_its_own_workspaces_references() -> None:
    ids = WorkspaceIds("p4x8q2vn")
    listed: list[Any] = ["p4x8q2vn.api", "other123.api", "api", 7]
    held = {"id": "p4x8q2vn.i", "affectedComponents": listed}
    assert ids.own_entity(held) == {"id": "i", "affectedComponents": ["api"]}


@given(key=KEYS, own_id=st.text(max_size=20))
def test_a_review_link_contains_the_original_id(key: str, own_id: str) -> None:
    assert without_key(f"{key}.{own_id}") == own_id
    assert without_key("inc-1") == "inc-1"


@given(key=KEYS)
def test_a_key_is_allowed_in_every_id_of_jiras(key: str) -> None:
    assert re.fullmatch(CONTAINER_ID_PATTERN, WorkspaceIds(key).at_site("team/one"))
    assert re.fullmatch(r"[A-Za-z0-9._~-]+", WorkspaceIds(key).at_site("x"))
