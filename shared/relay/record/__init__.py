"""The last state of every entity, and what became of it at each site."""

from relay.record.associations import AssociationStore
from relay.record.attempts import AttemptStore
from relay.record.debts import Debt, DebtStore, Delay
from relay.record.entry import Entry, Head
from relay.record.outcomes import Outcome, OutcomeState
from relay.record.store import Recorded, RecordStore

__all__ = [
    "AssociationStore",
    "AttemptStore",
    "Debt",
    "DebtStore",
    "Delay",
    "Entry",
    "Head",
    "Outcome",
    "OutcomeState",
    "RecordStore",
    "Recorded",
]
