"""Whatever is recorded together, each state is counted once, and no lost update is missed."""

from collections import Counter
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay.entities.model import EntityKey, EntityState, Kind
from relay.provider.receipts import receipts_of
from relay.queues.submissions import Message
from relay.record.receipts import NAMED, Effect
from relay.record.store import RecordStore
from tests.support.aws import Aws
from tests.support.entities import incident, review

# The record alone does not tell these apart.
HELD = frozenset({Effect.RECORDED, Effect.SAME})
OLDER = frozenset({Effect.OUTDATED, Effect.SUPERSEDED})
CONFLICTING = frozenset({Effect.CONFLICTING})

states = st.builds(
    lambda name, sequence, summary, review_too: EntityState(
        Kind.REVIEW if review_too else Kind.INCIDENT,
        (review if review_too else incident)(name, sequence, summary=summary),
    ),
    st.sampled_from("abc"),
    st.integers(1, 3),
    st.sampled_from(["one", "other"]),
    st.booleans(),
)
batches = st.lists(st.lists(states, max_size=4), min_size=1, max_size=4)


@given(before=batches, deleted=st.sets(st.sampled_from("abc")), batch=batches)
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_state_of_any_batch_is_accounted_for(
    aws: Aws, before: list[list[EntityState]], deleted: set[str], batch: list[list[EntityState]]
) -> None:
    workspace = uuid4().hex
    record = RecordStore(aws.dynamodb, aws.environment["RECORD_TABLE"])
    record.put_newest(workspace, [state for message in before for state in message])
    for name in deleted:
        record.delete(workspace, EntityKey(Kind.INCIDENT, name))
    earlier = recorded_states(record, workspace)
    messages = [Message(workspace, "c", tuple(message), accepted_at=1) for message in batch]
    every = [state for message in messages for state in message.states]

    receipts = list(receipts_of(messages, record.put_newest(workspace, every), 1))

    holding = [message for message in messages if message.states]
    assert [sum(one.counts.values()) for one in receipts] == [len(one.states) for one in holding]
    later = recorded_states(record, workspace)
    changed = [key for key, state in later.items() if earlier.get(key) != state]
    assert sum(one.counts[Effect.RECORDED] for one in receipts) == len(changed)
    possible = Counter(effects_by_record(state, later.get(state.key)) for state in every)
    for effects in (HELD, OLDER, CONFLICTING):
        counted = sum(one.counts[effect] for one in receipts for effect in effects)
        assert counted == possible[effects]
    for effect in NAMED:
        assert any(one.named[effect] for one in receipts) == any(
            one.counts[effect] for one in receipts
        )


def effects_by_record(state: EntityState, kept: EntityState | None) -> frozenset[Effect]:
    """What may have become of the state, as the record holds this one now."""
    if kept is None or state.sequence < kept.sequence:
        return OLDER
    return HELD if state == kept else CONFLICTING


def recorded_states(record: RecordStore, workspace: str) -> dict[EntityKey, EntityState]:
    return {entry.key: entry.state for entry in record.entries(workspace) if entry.state}
