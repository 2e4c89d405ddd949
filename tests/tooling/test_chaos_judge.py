"""The judge of the chaos run finds every violation."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from infra.chaos.isolation import Held, why_foreign
from infra.chaos.jira_faults import ALWAYS, WHILE_TROUBLED
from infra.chaos.ledger import Known, Ledger
from infra.chaos.tags import POISONS, while_troubled
from infra.chaos.verdicts import (
    AT_FAULT,
    DELETED,
    HELD,
    LOST,
    STALE,
    UNEXPLAINED,
    EntityAtSite,
    judge,
)
from relay.entities.model import EntityKey, Kind
from relay.entities.workspace_ids import WorkspaceIds
from relay.record.debts import Debt
from relay.record.outcomes import Outcome, OutcomeState

OURS, THEIRS = WorkspaceIds("aaaaaaaa"), WorkspaceIds("bbbbbbbb")
GENERATION = 2
LOTS = Random(1)  # noqa: S311


def known(workspace_id: str = "ws-1", entity_id: str = "00011-plain") -> Known:
    one = Known(workspace_id, EntityKey(Kind.INCIDENT, entity_id), {"workspace": workspace_id})
    one.accepted(one.state(7))
    return one


def held(one: Known, ids: WorkspaceIds = OURS) -> Held:
    return Held(Kind.INCIDENT, ids.entity_at_site(one.entity), one.properties | ids.properties)


def strays(one: Held, owner: Known | None = None) -> str:
    ours = owner or known()
    return why_foreign(one, {ours.key: ours} if one.workspace_key == OURS.key else None)


def test_each_workspaces_own_state_is_accepted() -> None:
    assert strays(held(known())) == ""


_OURS, _THEIRS = held(known()), held(known("ws-2"))


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (held(known("ws-2"), THEIRS), "of a workspace that is not linked"),
        (held(known(entity_id="00012-plain")), "its workspace never had it"),
        (_THEIRS, "with another workspace's properties"),
        (replace(_OURS, properties={"workspace": "ws-1"}), "with another workspace's properties"),
        (replace(_OURS, entity=_THEIRS.entity), "with another workspace's content"),
        (
            replace(_OURS, entity=_OURS.entity | {"affectedComponents": ["bbbbbbbb.checkout"]}),
            "it names entities of another workspace",
        ),
    ],
)
def test_a_foreign_state_is_found(one: Held, why: str) -> None:
    assert strays(one) == why


def at_site(one: Known, **changes: Any) -> EntityAtSite:
    outcome = Outcome(one.key, one.sequence, OutcomeState.ACCEPTED, generation=GENERATION)
    there = one.entity | {"updateSequenceNumber": one.sequence + GENERATION}
    return replace(EntityAtSite(one, None, outcome, None, there, GENERATION, False), **changes)


def owed(one: Known, reason: str, may_stay: bool = True) -> EntityAtSite:
    debt = Debt(f"inc#{one.key.id}", 1, "2026-01-31T09:30:00Z", reason, tries=3, not_before=1)
    return at_site(one, outcome=None, debt=debt, held=None, may_stay=may_stay)


def test_a_plain_entity_must_match_its_accepted_state() -> None:
    one = known()
    assert judge(at_site(one)) == (HELD, "")
    assert judge(at_site(one, held=None))[0] == LOST
    assert judge(at_site(one, held=one.state(6)))[0] == STALE
    assert judge(owed(one, "Jira gave no answer: ReadError")) == (UNEXPLAINED, "a debt is left")


@pytest.mark.parametrize("tag", POISONS)
def test_a_faulty_entity_must_be_postponed_with_the_answers_message(tag: str) -> None:
    one = known(entity_id=f"00011{tag}")
    words = "Something other than Jira answered 403"
    assert judge(owed(one, words)) == (AT_FAULT, "")
    assert judge(owed(one, "There was no time left to deliver it."))[0] == UNEXPLAINED
    assert judge(owed(one, words, may_stay=False))[0] == UNEXPLAINED
    assert judge(at_site(one)) == (UNEXPLAINED, "at fault, but not owed")
    assert judge(at_site(one, held=None))[0] == LOST
    one.deleted = True
    assert judge(at_site(one, outcome=None, held=None)) == (DELETED, "")


def test_a_temporarily_faulty_entity_must_be_delivered_in_the_end() -> None:
    one = known(entity_id=f"00011{while_troubled(POISONS[0])}")
    assert judge(at_site(one)) == (HELD, "")
    assert judge(owed(one, "Something other than Jira answered 403"))[0] == UNEXPLAINED


def test_all_workspaces_have_the_same_ids_with_their_own_content() -> None:
    drawn = Ledger.drawn(["ws-1", "ws-2"], 80, LOTS)
    first, second = (
        {one.key: one.state(1) for one in drawn.known[name]} for name in ("ws-1", "ws-2")
    )
    assert first.keys() == second.keys()
    assert not any(first[key]["summary"] == second[key]["summary"] for key in first)


def test_every_failure_kind_has_an_entity_in_the_smallest_run() -> None:
    drawn = Ledger.drawn(["ws-1"], 40, LOTS)
    tags = {one.tag for one in drawn.known["ws-1"]}
    assert tags >= {*POISONS, *map(while_troubled, POISONS)}
    patterns = {fault["pattern"] for fault in ALWAYS + WHILE_TROUBLED}
    assert patterns >= {f"{tag}$" for tag in (*POISONS, *map(while_troubled, POISONS))}
