"""A workspace's entities lie in several partitions, and are walked, counted and written as one."""

import itertools
import json
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import relay.aws
from relay import keys
from relay.aws import side_by_side
from relay.entities.model import EntityKey, EntityState, Kind
from relay.record.store import RecordStore
from tests.golden.dump import items_of, versions
from tests.support.aws import Aws
from tests.support.aws_calls import AwsCalls, client_error
from tests.support.entities import incident, review
from tests.support.quick_transactions import quick_transactions

pytestmark = pytest.mark.usefixtures("every_shard")

TABLE = "RecordTable"
_workspaces = (f"w-{number}" for number in itertools.count())


@pytest.fixture
def record(aws: Aws) -> RecordStore:
    return RecordStore(aws.dynamodb, TABLE)


@pytest.fixture
def quick_record(aws: Aws, record: RecordStore) -> RecordStore:
    quick_transactions(aws.dynamodb)
    return record


def states(*, incidents: int = 0, reviews: int = 0) -> list[EntityState]:
    found = [EntityState(Kind.INCIDENT, incident(f"i{number}")) for number in range(incidents)]
    return found + [EntityState(Kind.REVIEW, review(f"r{number}")) for number in range(reviews)]


IDS = [
    [f"INC-{number:05}" for number in range(16_000)],
    [str(number) for number in range(16_000)],
    [str(uuid.UUID(int=number * 2**90 + 7)) for number in range(16_000)],
    [f"P{number:X}" for number in range(10**6, 10**6 + 16_000)],
]


@pytest.mark.parametrize("ids", IDS)
def test_ids_of_any_tool_are_spread_evenly(ids: list[str]) -> None:
    found = Counter(keys.entities("w").key_of(EntityKey(Kind.INCIDENT, one))[0] for one in ids)
    assert len(found) == keys.SHARDS
    assert max(found.values()) < 1.2 * len(ids) / keys.SHARDS


@pytest.mark.parametrize("version", versions())
def test_what_a_release_has_stored_lies_where_this_version_looks_for_it(version: str) -> None:
    shards_of: dict[str, Callable[..., keys.Shards]] = {
        "entity": keys.entities,
        "outcome": keys.outcomes,
        "debt": keys.debts,
    }
    found = Counter[str]()
    for item in items_of(version, "record"):
        pk, sk = item["pk"]["S"], item["sk"]["S"]
        name, *ids = pk.split("#")
        if name in shards_of and not keys.is_component(sk):
            assert shards_of[name](*ids[:-1]).key_of(keys.entity_of(sk)) == (pk, sk)
            found[name] += 1
    assert found.keys() == shards_of.keys()


@pytest.mark.parametrize("ids", IDS)
def test_a_page_of_a_walk_has_outcomes_and_debts_in_all_shards(ids: list[str]) -> None:
    """A page is of one shard, and a partition takes 500 small outcomes a second."""
    entities = [EntityKey(Kind.INCIDENT, one) for one in ids]
    [first, *_] = keys.entities("w").pks
    page = [one for one in entities if keys.entities("w").key_of(one)[0] == first]
    for shards in (keys.outcomes("w", "t"), keys.debts("w", "t")):
        found = Counter(shards.key_of(one)[0] for one in page)
        assert len(found) == keys.SHARDS
        assert max(found.values()) < 1.5 * len(page) / keys.SHARDS


def test_no_two_owners_share_a_partition() -> None:
    names = ["w", "w#00", "w#t", "w#t#00", "t", "00", "t#00"]
    pks = Counter[str]()
    for one in names:
        pks.update(keys.entities(one).pks)
    for tenant in ("a" * 32, "b" * 32):
        for one in names:
            pks.update(keys.outcomes(one, tenant).pks)
            pks.update(keys.debts(one, tenant).pks)
            pks[keys.component_debts(one, tenant)] += 1
    assert set(pks.values()) == {1}


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 40), st.integers(0, 20), st.integers(4, 12), st.randoms())
def test_a_walk_neither_skips_nor_repeats(
    quick_record: RecordStore, incidents: int, reviews: int, limit: int, rng: Any
) -> None:
    record = quick_record
    workspace = next(_workspaces)
    given = states(incidents=incidents, reviews=reviews)
    rng.shuffle(given)
    record.put_newest(workspace, given)
    walked: list[EntityKey] = []
    after = None
    while page := list(record.heads(workspace, after, limit)):
        walked += [head.key for head in page]
        after = page[-1].key
    assert sorted(walked) == sorted(state.key for state in given)
    assert walked == [entry.key for entry in record.entries(workspace)]
    assert [key.kind for key in walked] == [Kind.INCIDENT] * incidents + [Kind.REVIEW] * reviews
    by_kind = [
        key for kind in Kind for key in (one.key for one in record.entries(workspace, kind=kind))
    ]
    assert by_kind == walked
    assert record.count(workspace) == (incidents + reviews, None)


def test_a_walk_continues_after_any_id(quick_record: RecordStore) -> None:
    """A client may send a cursor of an id that never existed, or of another workspace."""
    ids = ["a", "A", "é", "\U0010ffff" * 255, "#", "inc#x", "rev#", " ", *map(str, range(12))]
    given = [EntityState(Kind.INCIDENT, incident(one)) for one in ids]
    given += [EntityState(Kind.REVIEW, review(one)) for one in ids[:6]]
    quick_record.put_newest("w", given)

    def place(key: EntityKey) -> tuple[int, str, bytes]:
        pk, sk = keys.entities("w").key_of(key)
        return [*Kind].index(key.kind), pk, sk.encode()

    for kind, one in itertools.product(Kind, [*ids, "unknown", "\0", "zz"]):
        after = EntityKey(kind, one)
        following = sorted((one.key for one in given if place(one.key) > place(after)), key=place)
        assert [head.key for head in quick_record.heads("w", after)] == following
        assert [head.key for head in quick_record.heads("w", after, 3)] == following[:3]


def test_a_count_continues_after_each_megabyte(record: RecordStore, aws: Aws) -> None:
    large = [
        EntityState(Kind.INCIDENT, incident(f"i{number}", description="x" * 300_000))
        for number in range(48)
    ]
    quick_transactions(aws.dynamodb)
    record.put_newest("w", large)
    counted, after = record.count("w")
    assert after
    while after:
        more, after = record.count("w", after)
        counted += more
    assert counted == 48


def test_a_walk_without_a_limit_reads_each_page_of_each_shard(
    quick_record: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "SHARDS", 2)
    large = [
        EntityState(Kind.INCIDENT, incident(f"i{number}", description="x" * 300_000))
        for number in range(20)
    ]
    quick_record.put_newest("w", large)
    expected = sorted(state.key for state in large)
    assert sorted(head.key for head in quick_record.heads("w")) == expected
    assert sorted(entry.key for entry in quick_record.entries("w")) == expected


def bodies_of_transactions(aws: Aws) -> list[Any]:
    """Filled with each transaction that is sent, which is not executed."""
    bodies: list[Any] = []

    def look(params: dict[str, Any], **_: Any) -> tuple[SimpleNamespace, dict[str, Any]]:
        bodies.append(json.loads(params["body"]))
        return SimpleNamespace(status_code=200), {}

    events: Any = aws.dynamodb.meta.events
    events.register("before-call.dynamodb.TransactWriteItems", look)
    return bodies


def test_a_throttled_partition_holds_up_few_transactions(record: RecordStore, aws: Aws) -> None:
    bodies = bodies_of_transactions(aws)
    record.put_newest("w", states(incidents=1000))
    assert len(bodies) == 10
    partitions = Counter[str]()
    for body in bodies:
        partitions.update({one["Update"]["Key"]["pk"]["S"] for one in body["TransactItems"]})
    assert len(partitions) == keys.SHARDS
    assert sum(partitions.values()) < keys.SHARDS + len(bodies)


def test_botocore_serializes_if_it_calls_no_handlers(record: RecordStore, aws: Aws) -> None:
    def refuse(params: dict[str, Any], **_: Any) -> tuple[SimpleNamespace, dict[str, Any]] | None:
        """As AWS does; the emulated one does not check it."""
        if json.loads(params["body"])["TransactItems"] != [{}]:
            return None
        return SimpleNamespace(status_code=400), {"Error": {"Code": "ValidationException"}}

    events: Any = aws.dynamodb.meta.events
    for number, event in ((1, "provide-client-params"), (2, "before-call")):
        name = f"{event}.dynamodb.TransactWriteItems"
        events.unregister(name, unique_id=f"relay_transact_items/{number}")
    events.register("before-call.dynamodb.TransactWriteItems", refuse)
    assert len(record.put_newest("w", states(incidents=3)).new) == 3
    assert len(list(record.heads("w"))) == 3


def test_botocore_serializes_if_its_request_is_not_as_expected(
    record: RecordStore, aws: Aws
) -> None:
    def change(params: dict[str, Any], **_: Any) -> None:
        params["body"] = params["body"].replace(b"TransactItems", b"Items")

    def restore(params: dict[str, Any], **_: Any) -> None:
        params["body"] = params["body"].replace(b'"Items"', b'"TransactItems"')

    events: Any = aws.dynamodb.meta.events
    events.register_first("before-call.dynamodb.TransactWriteItems", change)
    events.register_last("before-call.dynamodb.TransactWriteItems", restore)
    assert len(record.put_newest("w", states(incidents=3)).new) == 3


def test_an_error_of_one_transaction_is_raised_once_all_have_ended(
    record: RecordStore, calls: AwsCalls
) -> None:
    calls.fail(client_error("InternalServerError"), at=1)
    with pytest.raises(ClientError):
        record.put_newest("w", states(incidents=210))
    calls.no_more_trouble()
    recorded = len(list(record.heads("w")))
    assert recorded in (100, 110, 200)
    assert len(record.put_newest("w", states(incidents=210)).same) == recorded


def test_calls_are_made_side_by_side_and_results_are_in_order() -> None:
    together = threading.Barrier(relay.aws.AT_ONCE, timeout=20)

    def call(number: int) -> int:
        if number < relay.aws.AT_ONCE:
            together.wait()
        return number

    assert side_by_side(call, iter(range(50))) == list(range(50))
    assert side_by_side(call, [99]) == [99]
    assert side_by_side(call, []) == []


def test_no_call_begins_after_an_error() -> None:
    made: list[int] = []

    def call(number: int) -> None:
        made.append(number)
        raise ValueError(number)

    with pytest.raises(ValueError, match="0"):
        side_by_side(call, range(10_000))
    assert len(made) < 10_000
