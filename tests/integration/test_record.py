"""The record on DynamoDB: the newest state of every entity stays, whoever writes when."""

import itertools
import json
import random
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import relay.table
from relay import keys
from relay.entities.model import EntityKey, EntityState, Kind, newest
from relay.entities.submission import ENTITY_BYTES_MAX
from relay.errors import Unavailable
from relay.keys import SHARDS
from relay.record.outcomes import Outcome, OutcomeState
from relay.record.store import RecordStore
from tests.support.aws import Aws
from tests.support.aws_calls import AwsCalls, client_error
from tests.support.entities import incident, review
from tests.support.quick_transactions import quick_transactions

pytestmark = pytest.mark.usefixtures("every_shard")

TABLE = "RecordTable"
WORKSPACE = "payments"
# DynamoDB's limits of a transaction and of an item.
TRANSACTION_BYTES = 4_000_000
ITEM_BYTES = 400 * 1024


@pytest.fixture
def record(aws: Aws) -> RecordStore:
    return RecordStore(aws.dynamodb, TABLE)


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay.table, "_BACKOFF_SECONDS", 0)


def inc(entity_id: str, sequence: int = 1, accepted_at: int = 1, **fields: Any) -> EntityState:
    entity = incident(entity_id, sequence, **fields)
    return EntityState(Kind.INCIDENT, entity, {}, accepted_at, f"c-{sequence}")


def rev(entity_id: str, sequence: int = 1, **fields: Any) -> EntityState:
    return EntityState(Kind.REVIEW, review(entity_id, sequence, **fields), {}, 1)


def in_order(states: Iterable[EntityState]) -> list[EntityState]:
    return sorted(states, key=lambda state: state.key)


def recorded(record: RecordStore, workspace: str = WORKSPACE) -> list[EntityState]:
    return [entry.state for entry in record.entries(workspace) if entry.state]


def ids(states: Iterable[EntityState]) -> list[str]:
    return [state.key.id for state in states]


def cancelled(aws: Aws, *codes: str) -> ClientError:
    """DynamoDB's answer to a cancelled transaction, with a reason for each item."""
    return aws.dynamodb.exceptions.TransactionCanceledException(
        {
            "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
            "CancellationReasons": [{"Code": code} for code in codes],
        },
        "TransactWriteItems",
    )


def fail_writing(calls: AwsCalls, *errors: Exception | None) -> None:
    """The results of the next transactions, in order; later ones succeed."""
    waiting = list(errors)

    def before(operation: str) -> None:
        if operation == "TransactWriteItems" and waiting:
            error = waiting.pop(0)
            if error:
                raise error

    calls.before = before


# --- The newest wins ---

workspaces = (f"w-{number}" for number in itertools.count())
sequences = st.integers(-3, 3) | st.sampled_from([-(2**63), 2**63 - 1])
batches_of_states = st.lists(
    st.lists(
        st.builds(
            lambda build, entity_id, sequence, summary: build(entity_id, sequence, summary=summary),
            st.sampled_from([inc, rev]),
            st.sampled_from("abc"),
            sequences,
            st.text(max_size=3),
        ),
        max_size=5,
    ),
    max_size=6,
)


@given(batches=batches_of_states)
@settings(
    deadline=None,
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_order_of_writes_leaves_the_first_of_the_newest_states(
    record: RecordStore, batches: list[list[EntityState]]
) -> None:
    workspace = next(workspaces)
    expected: dict[EntityKey, EntityState] = {}
    for batch in batches:
        before = dict(expected)
        for state in batch:
            if state.key not in expected or expected[state.key].sequence < state.sequence:
                expected[state.key] = state

        taken = record.put_newest(workspace, batch)

        assert list(taken.new) == [s for s in newest(batch) if before.get(s.key) != expected[s.key]]
        # The existing item is measured by its own content, not by the repeated state's.
        assert all(state == before[state.key] for state in taken.same)
        assert all(state.sequence < before[state.key].sequence for state in taken.outdated)
        listed = [*taken.new, *taken.same, *taken.outdated]
        assert sorted(state.key for state in listed) == sorted({state.key for state in batch})
    assert {state.key: state for state in recorded(record, workspace)} == expected


def test_the_first_of_two_states_with_the_same_sequence_stays(record: RecordStore) -> None:
    first, second = inc("i", 5, summary="first"), inc("i", 5, summary="second")
    record.put_newest(WORKSPACE, [first])

    taken = record.put_newest(WORKSPACE, [second])

    assert (taken.new, taken.same, taken.outdated) == ((), (first,), ())
    assert recorded(record) == [first]


def test_sequences_are_compared_as_numbers_over_their_whole_range(record: RecordStore) -> None:
    for sequence in (-(2**63), -10, -9, 0, 9, 10, 2**53 + 1, 2**53 + 2, 2**63 - 2, 2**63 - 1):
        assert record.put_newest(WORKSPACE, [inc("i", sequence)]).new
        assert record.put_newest(WORKSPACE, [inc("i", sequence)]).same
        assert recorded(record)[0].sequence == sequence


def test_an_incident_and_a_review_with_the_same_id_are_two_entities(record: RecordStore) -> None:
    record.put_newest(WORKSPACE, [inc("7", 1), rev("7", 1)])
    record.put_newest(WORKSPACE, [rev("7", 2)])

    assert [(state.kind, state.sequence) for state in recorded(record)] == [
        (Kind.INCIDENT, 1),
        (Kind.REVIEW, 2),
    ]


def test_workspaces_are_isolated_from_each_other(record: RecordStore) -> None:
    record.put_newest("a", [inc("i", 9)])

    assert record.put_newest("a#b", [inc("i", 1)]).new
    assert [state.sequence for state in recorded(record, "a")] == [9]
    assert record.get("b", EntityKey(Kind.INCIDENT, "i")) is None


# --- Storage ---


def test_an_entity_is_stored_unchanged_with_its_metadata(record: RecordStore) -> None:
    entity = incident(summary='Zürich 🔥 "\\\n\x01', affectedComponents=["é"])
    state = EntityState(Kind.INCIDENT, entity, {"team": "é", "empty": ""}, 5, "c-9")
    record.put_newest(WORKSPACE, [state])

    entry = record.get(WORKSPACE, state.key)

    assert entry
    assert entry.state == state
    assert entry.correlation_id == "c-9"
    assert list(entry.entity or {}) == list(entity)


def test_each_state_keeps_the_correlation_id_of_its_submission(record: RecordStore) -> None:
    record.put_newest(WORKSPACE, [inc("a", 1), inc("b", 2)])
    record.put_newest(WORKSPACE, [inc("a", 3), inc("b", 1)])

    found = {entry.key.id: entry.correlation_id for entry in record.entries(WORKSPACE)}
    assert found == {"a": "c-3", "b": "c-2"}


def test_any_id_that_jira_accepts_is_a_valid_key(record: RecordStore) -> None:
    taken = ["🔥" * 255, "x" * 255, "#", "inc#1", "\x00", " ", "a/b?c=d&e", "é\n"]
    states = [build(entity_id) for entity_id in taken for build in (inc, rev)]
    outcomes = {state.key: Outcome(state.key, 1, OutcomeState.ACCEPTED) for state in states}

    assert record.put_newest("w" * 128, states).new == tuple(states)
    record.save_outcomes("w" * 128, "t" * 32, outcomes.values())

    found = {state.key: state for state in recorded(record, "w" * 128)}
    assert found == {state.key: state for state in states}
    assert {each.key: each for each in record.outcomes("w" * 128, "t" * 32)} == outcomes
    assert all(record.get("w" * 128, key) for key in outcomes)


def test_the_largest_entity_that_is_accepted_fits_an_item(record: RecordStore, aws: Aws) -> None:
    properties = {f"{number}".ljust(255, "🔥"): "🔥" * 255 for number in range(5)}
    entity = incident("🔥" * 255, url="x:", lastUpdated="2026-01-31T09:30:00.".ljust(63, "1") + "Z")
    room = ENTITY_BYTES_MAX - len(EntityState(Kind.INCIDENT, entity).as_json)
    entity["description"] += "x" * room
    state = EntityState(Kind.INCIDENT, entity, properties, 1, "c" * 128)
    assert len(state.as_json) == ENTITY_BYTES_MAX

    assert record.put_newest("w" * 128, [state]).new

    (item,) = aws.dynamodb.scan(TableName=TABLE)["Items"]
    # The timeline grows by one date for each status with each severity.
    timeline = 3 * 7 * (len("seen:resolved:unknown") + len(entity["lastUpdated"]) + 10)
    assert len(json.dumps(item, ensure_ascii=False).encode()) + timeline < ITEM_BYTES


# --- Bulk ---


def test_more_states_than_a_transaction_holds_are_written_in_several(
    record: RecordStore, calls: AwsCalls
) -> None:
    states = [inc(f"{number:03}") for number in range(120)]
    record.put_newest(WORKSPACE, states[90:110])
    del calls.names[:]

    taken = record.put_newest(WORKSPACE, states)

    assert ids(taken.new) == ids(states[:90] + states[110:])
    assert sorted(ids(taken.same)) == ids(states[90:110])
    assert in_order(recorded(record)) == states
    # Each of the two succeeds on its second attempt, without the existing items.
    assert calls.names.count("TransactWriteItems") == 4


def test_no_transaction_exceeds_dynamodbs_limit(record: RecordStore, aws: Aws) -> None:
    bodies: list[bytes] = []

    def look(params: dict[str, Any], **_: Any) -> tuple[SimpleNamespace, dict[str, Any]]:
        """Only that: the emulated database would take seconds to write so much."""
        bodies.append(params["body"])
        return SimpleNamespace(status_code=200), {}

    events: Any = aws.dynamodb.meta.events
    events.register("before-call.dynamodb.TransactWriteItems", look)
    properties = {f"{number}".ljust(255, "🔥"): "🔥" * 255 for number in range(5)}
    large = [inc(f"large-{number}", description="é" * 150_000) for number in range(30)]
    tagged = [
        EntityState(
            Kind.INCIDENT, incident(f"{n}" + "🔥" * 250, description="x" * 27_000), properties
        )
        for n in range(250)
    ]
    projects = tuple("🔥" * 255 for _ in range(100))
    outcomes = [
        Outcome(state.key, 1, OutcomeState.UNKNOWN_PROJECTS, ("é" * 500,) * 20, projects)
        for state in tagged
    ]

    record.put_newest(WORKSPACE, [*large, *tagged])
    record.save_outcomes(WORKSPACE, "t", outcomes)

    transactions = [json.loads(body) for body in bodies]
    assert max(map(len, bodies)) < TRANSACTION_BYTES
    assert max(len(transaction["TransactItems"]) for transaction in transactions) <= 100
    assert sum(len(transaction["TransactItems"]) for transaction in transactions) == 530
    # A transaction that is repeated because its answer was lost is executed once.
    assert len({transaction["ClientRequestToken"] for transaction in transactions}) == len(bodies)


def test_several_pages_are_read_to_the_end(record: RecordStore, aws: Aws, calls: AwsCalls) -> None:
    quick_transactions(aws.dynamodb)
    states = [inc(f"{number:03}", description="x" * 200_000) for number in range(80)]
    record.put_newest(WORKSPACE, states)
    outcomes = [
        Outcome(state.key, 1, OutcomeState.REJECTED, ("x" * 7_000,) * 2) for state in states
    ]
    record.save_outcomes(WORKSPACE, "t", outcomes)
    del calls.names[:]

    assert in_order(recorded(record)) == states
    assert calls.names.count("Query") > 2 * SHARDS
    assert sorted(record.outcomes(WORKSPACE, "t"), key=lambda one: one.key) == outcomes


def test_a_page_reads_no_more_than_it_returns(record: RecordStore, calls: AwsCalls) -> None:
    states = [inc(f"{number:03}", description="x" * 60_000) for number in range(80)]
    record.put_newest(WORKSPACE, states)
    del calls.names[:], calls.parameters[:]

    page = record.page(WORKSPACE, None, 50, Kind.INCIDENT, 10_000_000)

    assert len(page.entries) == 50
    left = 50
    for query in calls.given("Query"):
        assert query["Limit"] == left
        shard = query["ExpressionAttributeValues"][":pk"]["S"]
        left -= sum(keys.entities(WORKSPACE).key_of(one.key)[0] == shard for one in page.entries)
    assert left == 0


# --- Concurrent writes ---


def test_a_newer_state_written_meanwhile_is_not_overwritten(
    record: RecordStore, aws: Aws, calls: AwsCalls
) -> None:
    other = RecordStore(aws.dynamodb, TABLE)
    calls.race(
        "TransactWriteItems",
        lambda: other.put_newest(WORKSPACE, [inc("b", 9), inc("c", 1), inc("d", 2)]),
    )

    taken = record.put_newest(WORKSPACE, [inc(entity_id, 2) for entity_id in "abcd"])

    assert (ids(taken.new), ids(taken.same), ids(taken.outdated)) == (["a", "c"], ["d"], ["b"])
    assert {state.key.id: state.sequence for state in recorded(record)} == {
        "a": 2,
        "b": 9,
        "c": 2,
        "d": 2,
    }


def test_repeated_concurrent_writes_are_handled(
    record: RecordStore, aws: Aws, calls: AwsCalls
) -> None:
    other = RecordStore(aws.dynamodb, TABLE)
    calls.race(
        "TransactWriteItems",
        *(
            lambda entity_id=entity_id: other.put_newest(WORKSPACE, [inc(entity_id, 9)])
            for entity_id in "abcdef"
        ),
    )

    taken = record.put_newest(WORKSPACE, [inc(entity_id, 2) for entity_id in "abcdefg"])

    assert (ids(taken.new), sorted(ids(taken.outdated))) == (["g"], list("abcdef"))


@pytest.mark.usefixtures("no_waiting")
def test_a_conflicting_transaction_is_retried(
    record: RecordStore, aws: Aws, calls: AwsCalls
) -> None:
    meets = cancelled(aws, "None", "TransactionConflict")
    fail_writing(calls, meets, meets, meets)
    # Of one partition: those of several are retried apart.
    states = [inc("a"), inc("x")]

    assert record.put_newest(WORKSPACE, states).new == tuple(states)
    assert recorded(record) == states
    assert calls.names.count("TransactWriteItems") == 4


@pytest.mark.usefixtures("no_waiting")
def test_a_table_that_keeps_refusing_is_an_error(
    record: RecordStore, aws: Aws, calls: AwsCalls
) -> None:
    for code in ("TransactionConflict", "ThrottlingError"):
        del calls.names[:]
        fail_writing(calls, *[cancelled(aws, code)] * 100)
        with pytest.raises(Unavailable):
            record.put_newest(WORKSPACE, [inc("a")], seconds=0)
        assert 1 <= calls.names.count("TransactWriteItems") < 5
    calls.no_more_trouble()
    assert recorded(record) == []
    assert record.put_newest(WORKSPACE, [inc("a")]).new


def test_a_partial_write_can_be_repeated(record: RecordStore, calls: AwsCalls) -> None:
    states = [inc(f"{number:03}") for number in range(105)]
    fail_writing(calls, None, client_error("InternalServerError"))

    with pytest.raises(ClientError):
        record.put_newest(WORKSPACE, states)

    calls.no_more_trouble()
    written = recorded(record)
    assert len(written) in (5, 100)
    taken = record.put_newest(WORKSPACE, states)
    assert in_order(taken.same) == in_order(written)
    assert in_order([*taken.same, *taken.new]) == states


# --- Deletions ---


def test_a_state_accepted_before_the_deletion_does_not_return(record: RecordStore) -> None:
    state = inc("i", 1)
    record.put_newest(WORKSPACE, [state])
    deleted = record.delete(WORKSPACE, state.key)
    assert deleted.deleted_at

    late = inc("i", 2**63 - 1, accepted_at=deleted.deleted_at)
    assert ids(record.put_newest(WORKSPACE, [late]).outdated) == ["i"]
    assert recorded(record) == []

    after = inc("i", 2, accepted_at=deleted.deleted_at + 1)
    assert record.put_newest(WORKSPACE, [after]).new == (after,)
    assert recorded(record) == [after]


def test_an_entity_can_be_deleted_before_it_is_recorded(record: RecordStore) -> None:
    deleted = record.delete(WORKSPACE, EntityKey(Kind.INCIDENT, "i"))
    assert deleted.deleted_at

    early = inc("i", 1, accepted_at=deleted.deleted_at - 1)
    assert record.put_newest(WORKSPACE, [early]).outdated == (early,)

    lowest = inc("i", -(2**63), accepted_at=deleted.deleted_at + 1)
    assert record.put_newest(WORKSPACE, [lowest]).new == (lowest,)


# --- Outcomes ---

KEY = EntityKey(Kind.INCIDENT, "i")


def saved(record: RecordStore, *outcomes: Outcome) -> Outcome:
    for outcome in outcomes:
        record.save_outcomes(WORKSPACE, "t", [outcome])
    (found,) = record.outcomes(WORKSPACE, "t")
    return found


@given(order=st.permutations([-(2**63), -1, 0, 1, 2, 2**63 - 1]))
@settings(
    deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_an_outcome_is_never_replaced_by_an_older_states(
    record: RecordStore, order: list[int]
) -> None:
    tenant = next(workspaces)
    for count, sequence in enumerate(order, start=1):
        record.save_outcomes(WORKSPACE, tenant, [Outcome(KEY, sequence, OutcomeState.ACCEPTED)])

        (found,) = record.outcomes(WORKSPACE, tenant)
        assert found.sequence == max(order[:count])


def test_a_second_answer_for_the_same_state_replaces_the_first(record: RecordStore) -> None:
    rejected = Outcome(KEY, 5, OutcomeState.REJECTED, ("no", "never"), ("GONE",))
    accepted = Outcome(KEY, 5, OutcomeState.ACCEPTED)

    assert saved(record, rejected) == rejected
    assert saved(record, accepted) == accepted
    assert saved(record, rejected, Outcome(KEY, 4, OutcomeState.ACCEPTED)) == rejected


def test_a_debt_is_no_outcome(record: RecordStore) -> None:
    accepted = Outcome(KEY, 1, OutcomeState.ACCEPTED)
    saved(record, accepted)

    assert saved(record, Outcome(KEY, 2, OutcomeState.OWED)) == accepted


def test_outcomes_are_stored_per_site_and_workspace(record: RecordStore) -> None:
    for workspace, tenant in itertools.product("ab", "xy"):
        words = (f"{workspace}{tenant}",)
        record.save_outcomes(workspace, tenant, [Outcome(KEY, 1, OutcomeState.REJECTED, words)])

    for workspace, tenant in itertools.product("ab", "xy"):
        assert record.outcomes_of(workspace, tenant, [KEY])[KEY].messages == (workspace + tenant,)


def test_the_outcomes_of_many_entities_are_read_together(record: RecordStore) -> None:
    states = [EntityKey(random.Random(n).choice(list(Kind)), f"{n}") for n in range(250)]  # noqa: S311
    outcomes = {key: Outcome(key, 1, OutcomeState.ACCEPTED) for key in states[::2]}
    record.save_outcomes(WORKSPACE, "t", outcomes.values())

    assert record.outcomes_of(WORKSPACE, "t", states) == outcomes
    assert record.outcomes_of(WORKSPACE, "t", []) == {}
