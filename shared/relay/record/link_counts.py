"""How many of a workspace's entities are in each state at one site, within a budget of reads."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relay import keys
from relay.entities.model import Kind
from relay.record.outcomes import Outcome, OutcomeState
from relay.table import Item, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_READ = ("sk", "state", "generation", "ofDeletion", "at")


@dataclass(slots=True)
class ReadBudget:
    """How many calls of DynamoDB, each of at most a megabyte, may still be made."""

    left: int

    def spend(self) -> bool:
        """Whether there was one left."""
        self.left -= 1
        return self.left >= 0


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
        # Components' debts come first in their partition, and are no entities.
        first = keys.kind_prefix(Kind.INCIDENT)
        debts, has_all_debts = self._counted(keys.debts(workspace_id, tenant_id), budget, first)
        seen: Counter[str] = Counter()
        last_at, has_all_outcomes = "", False
        for page, is_last in self._pages(keys.outcomes(workspace_id, tenant_id), budget):
            last_at = max([last_at, *(item["at"] for item in page)])
            seen.update(_states(page, generation))
            has_all_outcomes = is_last
        live, has_all_entries = self._counted(
            keys.entities(workspace_id), budget, without="deletedAt"
        )
        is_complete = has_all_debts and has_all_outcomes and has_all_entries
        unanswered = live - seen.total() if has_all_outcomes else 0
        return LinkCounts(
            shown=seen["shown"],
            owed=max(debts, unanswered),
            refused=seen["refused"],
            last_answer_at=last_at,
            is_complete=is_complete,
        )

    def _counted(
        self, pk: str, budget: ReadBudget, after: str = "", without: str = ""
    ) -> tuple[int, bool]:
        counted = 0
        while budget.spend():
            more, after = self._table.count(pk, after, without=without)
            counted += more
            if not after:
                return counted, True
        return counted, False

    def _pages(self, pk: str, budget: ReadBudget) -> Iterator[tuple[list[Item], bool]]:
        """Each page, and whether it is the last."""
        after = ""
        while budget.spend():
            page, after = self._table.page(pk, after, _READ)
            yield page, not after
            if not after:
                return


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
