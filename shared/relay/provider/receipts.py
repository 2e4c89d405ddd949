"""Accounts for what was submitted: one receipt for each message that holds states."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from relay.entities.model import EntityState
from relay.queues.submissions import Message
from relay.record.receipts import NAMED, Effect, Receipt, named
from relay.record.store import Recorded


def receipts_of(
    messages: Sequence[Message], recorded: Recorded, processed_at: int
) -> Iterator[Receipt]:
    """The receipts of one workspace's messages, whose states were recorded together.

    `processed_at` is in epoch milliseconds.
    """
    effects = effects_of((state for message in messages for state in message.states), recorded)
    for message in messages:
        if message.states:
            yield _receipt(message, list(islice(effects, len(message.states))), processed_at)


def effects_of(states: Iterable[EntityState], recorded: Recorded) -> Iterator[Effect]:
    """The effect of each of the states that were recorded together, in the order given then."""
    kept = {state.key: state for state in (*recorded.new, *recorded.same)}
    new = {state.key for state in recorded.new}
    for state in states:
        winner = kept.get(state.key)
        if winner is None:
            # Even the entity's newest state was outdated.
            yield Effect.OUTDATED
        elif state.sequence < winner.sequence:
            yield Effect.SUPERSEDED
        elif state.key in new:
            # Of states with the same sequence, the first is recorded.
            new.remove(state.key)
            yield Effect.RECORDED
        else:
            yield Effect.SAME if state == winner else Effect.CONFLICTING


def _receipt(message: Message, effects: Sequence[Effect], processed_at: int) -> Receipt:
    pairs = list(zip(message.states, effects, strict=True))
    return Receipt(
        message.workspace_id,
        message.submission_id,
        message.offset,
        processed_at,
        Counter(effects),
        {one: named(state.key for state, effect in pairs if effect is one) for one in NAMED},
    )
