"""How many of a workspace's entities are in each state at one site, within a budget of reads."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relay import keys
from relay.record.entry import REMOVED
from relay.record.outcomes import Outcome, OutcomeState
from relay.record.partitions import ReadBudget, pages_of
from relay.table import Item, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_READ = ("sk", "state", "generation", "ofDeletion", "at")


@dataclass(frozen=True, slots=True)
class LinkCounts:
    """`shown` entities are accepted, `refused` ones refused, `owed` ones not delivered yet.

    `last_answer_at` is when the site last answered for an entity, an RFC 3339 date-time; empty if
    it never did. The numbers are lower bounds unless `is_complete`.
    """

    shown: int
    owed: int
    refused: int
    last_answer_at: str
    is_complete: bool


class LinkCounter:
    """Counts a link's entities. Every method raises TABLE_ERRORS."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._table = Table(dynamodb, table)

    def of(
        self, workspace_id: str, tenant_id: str, generation: int, budget: ReadBudget
    ) -> LinkCounts:
        """The counts in the link's current `generation`.

        An entity is owed if it has a debt, or no outcome of this generation: a replay under way has
        noted no debts for what it has not reached.
        """
        debts = keys.debts(workspace_id, tenant_id).pks
        owed = sum(pages_of(self._table.count, debts, budget))
        seen: Counter[str] = Counter()
        last_at = ""
        outcomes = keys.outcomes(workspace_id, tenant_id).pks
        for page in pages_of(self._page, outcomes, budget):
            last_at = max([last_at, *(item["at"] for item in page)])
            seen.update(_states(page, generation))
        has_all_outcomes = not budget.ran_out
        live = sum(pages_of(self._count_live, keys.entities(workspace_id).pks, budget))
        unanswered = live - seen.total() if has_all_outcomes else 0
        return LinkCounts(
            shown=seen["shown"],
            owed=max(owed, unanswered),
            refused=seen["refused"],
            last_answer_at=last_at,
            is_complete=not budget.ran_out,
        )

    def _page(self, pk: str, after: str) -> tuple[list[Item], str]:
        return self._table.page(pk, after, _READ)

    def _count_live(self, pk: str, after: str) -> tuple[int, str]:
        return self._table.count(pk, after, without=("deletedAt", REMOVED))


def _states(page: list[Item], generation: int) -> Iterator[str]:
    for item in page:
        state = OutcomeState(item["state"])
        is_of_deletion = item.get("ofDeletion", False) or state is OutcomeState.DELETED
        is_current = int(item.get("generation", 0)) >= generation
        if not is_current or is_of_deletion or state is OutcomeState.OWED:
            continue
        outcome = Outcome(keys.entity_of(item["sk"]), 0, state)
        if outcome.is_refusal:
            yield "refused"
        else:
            yield "shown" if state is OutcomeState.ACCEPTED else "unknown"
