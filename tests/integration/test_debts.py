"""Debts: a note stays until exactly that note is paid."""

import itertools
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay.entities.model import EntityKey, Kind
from relay.record.debts import Debt, DebtStore
from tests.support.aws import Aws
from tests.support.aws_calls import aws_calls

TENANT = "t"
_workspaces = map("w-{}".format, itertools.count())
INCIDENT, REVIEW = EntityKey(Kind.INCIDENT, "x"), EntityKey(Kind.REVIEW, "x")


@pytest.fixture
def debts(aws: Aws) -> DebtStore:
    return DebtStore(aws.dynamodb, aws.environment["RECORD_TABLE"])


def incidents(count: int) -> list[EntityKey]:
    return [EntityKey(Kind.INCIDENT, f"i-{number:03}") for number in range(count)]


def all_of(debts: DebtStore, workspace: str) -> list[Debt]:
    pages = [debts.of_link(workspace, TENANT).page(kind, 1000) for kind in Kind]
    return [debt for page in pages for debt in page] + list(
        debts.of_link(workspace, TENANT).components(1000)
    )


def test_a_debt_is_noted_and_paid(debts: DebtStore) -> None:
    debts.owe("w", TENANT, [INCIDENT, REVIEW], "The site is down.")
    [debt] = debts.of_link("w", TENANT).page(Kind.INCIDENT, 10)
    assert (debt.key, debt.reason, debt.is_component) == (INCIDENT, "The site is down.", False)
    assert debts.count("w", TENANT) == 2
    debts.paid("w", TENANT, [debt])
    assert [left.key for left in all_of(debts, "w")] == [REVIEW]


def test_paying_twice_or_without_a_debt_succeeds(debts: DebtStore) -> None:
    debts.owe("w", TENANT, [INCIDENT], "")
    found = all_of(debts, "w")
    for _ in range(2):
        debts.paid("w", TENANT, found)
    debts.paid("w", TENANT, [])
    assert all_of(debts, "w") == []


def test_a_debt_noted_again_during_its_payment_stays(debts: DebtStore) -> None:
    debts.owe("w", TENANT, [INCIDENT, REVIEW], "first")
    read = all_of(debts, "w")
    debts.owe("w", TENANT, [INCIDENT], "second")
    debts.paid("w", TENANT, read)
    [left] = all_of(debts, "w")
    assert (left.key, left.reason) == (INCIDENT, "second")
    debts.paid("w", TENANT, [left])
    assert all_of(debts, "w") == []


def test_a_debt_noted_again_within_the_payments_transaction_stays(debts: DebtStore) -> None:
    entities = incidents(5)
    debts.owe("w", TENANT, entities, "first")
    read = all_of(debts, "w")
    with aws_calls() as calls:
        calls.race("TransactWriteItems", lambda: debts.owe("w", TENANT, [entities[2]], "second"))
        debts.paid("w", TENANT, read)
    assert [debt.key for debt in all_of(debts, "w")] == [entities[2]]


def test_since_stays_at_the_first_note(debts: DebtStore) -> None:
    debts.owe("w", TENANT, [INCIDENT], "first")
    [first] = all_of(debts, "w")
    debts.owe("w", TENANT, [INCIDENT, REVIEW], "second")
    noted = debts.of("w", TENANT, [INCIDENT, REVIEW])
    assert noted[INCIDENT].since == first.since < noted[REVIEW].since
    assert noted[INCIDENT].reason == "second"
    assert noted[INCIDENT].mark != first.mark
    debts.paid("w", TENANT, all_of(debts, "w"))
    debts.owe("w", TENANT, [INCIDENT], "third")
    assert debts.of("w", TENANT, [INCIDENT])[INCIDENT].since > noted[REVIEW].since


def test_an_entity_owed_twice_at_once_is_one_debt(debts: DebtStore) -> None:
    debts.owe("w", TENANT, [INCIDENT, INCIDENT], "")
    assert debts.count("w", TENANT) == 1


def test_debts_are_listed_by_kind(debts: DebtStore) -> None:
    entities = incidents(120)
    debts.owe("w", TENANT, [*reversed(entities), REVIEW], "")
    debts.owe_components("w", TENANT, ["c"], "https://ops.example.com/logo.svg")
    page = debts.of_link("w", TENANT).page(Kind.INCIDENT, 100)
    assert len(page) == 100
    debts.paid("w", TENANT, page)
    rest = debts.of_link("w", TENANT).page(Kind.INCIDENT, 100)
    assert sorted(debt.key for debt in [*page, *rest]) == entities
    assert [debt.key for debt in debts.of_link("w", TENANT).page(Kind.REVIEW, 100)] == [REVIEW]
    assert debts.count("w", TENANT) == 22
    assert [debts.count("w", TENANT, most) for most in (21, 22, 23)] == [21, 22, 22]


def test_components_have_debts_of_their_own(debts: DebtStore) -> None:
    debts.owe("w", TENANT, [EntityKey(Kind.INCIDENT, "c")], "")
    debts.owe_components("w", TENANT, ["c", "d", "c"], "https://ops.example.com/logo.svg")
    found = debts.of_link("w", TENANT).components(10)
    assert [(debt.component_id, debt.is_component) for debt in found] == [("c", True), ("d", True)]
    assert {debt.logo_url for debt in found} == {"https://ops.example.com/logo.svg"}
    debts.paid("w", TENANT, found)
    assert [debt.key.id for debt in all_of(debts, "w")] == ["c"]
    assert debts.of_link("w", TENANT).components(10) == []


def test_debts_belong_to_one_workspace_at_one_site(debts: DebtStore) -> None:
    debts.owe("w", TENANT, [INCIDENT], "")
    for workspace, tenant in (("w", "other"), ("other", TENANT), ("w#t", ""), ("", "w#t")):
        assert debts.count(workspace, tenant) == 0
        assert debts.of(workspace, tenant, [INCIDENT]) == {}
        debts.paid(workspace, tenant, all_of(debts, "w"))
    assert debts.count("w", TENANT) == 1


# --- Any order of notes and payments ---

KEYS = st.builds(EntityKey, st.sampled_from(list(Kind)), st.sampled_from(["a", "b", "ü#/"]))
NOTES = st.tuples(st.just("owe"), st.lists(KEYS, min_size=1, max_size=4))
READS = st.tuples(st.just("read"), st.lists(KEYS, max_size=0))
PAYMENTS = st.tuples(st.just("pay"), st.lists(KEYS, max_size=0))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(NOTES | READS | PAYMENTS, max_size=12), st.randoms(use_true_random=False))
def test_any_order_of_notes_and_payments_leaves_the_right_debts(
    debts: DebtStore, steps: list[tuple[str, list[EntityKey]]], lots: random.Random
) -> None:
    """Exactly what was noted after the last paid read is owed."""
    workspace = next(_workspaces)
    notes: dict[EntityKey, int] = {}
    paid: dict[EntityKey, int] = {}
    read: list[tuple[Debt, int]] = []
    for number, (step, keys) in enumerate(steps):
        if step == "owe":
            debts.owe(workspace, TENANT, keys, str(number))
            notes |= dict.fromkeys(keys, number)
        elif step == "read":
            read = [(debt, notes[debt.key]) for debt in all_of(debts, workspace)]
        else:
            chosen = [one for one in read if lots.random() < 0.7]
            debts.paid(workspace, TENANT, [debt for debt, _ in chosen])
            paid |= {debt.key: max(note, paid.get(debt.key, -1)) for debt, note in chosen}
    owed = {key for key, note in notes.items() if note > paid.get(key, -1)}
    found = {debt.key: debt for debt in all_of(debts, workspace)}
    assert found.keys() == owed
    assert debts.count(workspace, TENANT) == len(owed)
    assert {key: debt.reason for key, debt in found.items()} == {
        key: str(notes[key]) for key in owed
    }
