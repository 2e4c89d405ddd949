"""Finding the faulty part of a request, at a site that answers arbitrarily: everything is settled
in few requests, and a faulty entity is distinguished from a failing site.
"""

import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.delivery.decisions import TABLE, entity_back_off, is_suspect
from relay.delivery.isolation import (
    ALONE_MAX,
    Answer,
    Failed,
    Refused,
    Settled,
    Suspect,
    TooLarge,
    settle,
)
from relay.jira.answers import SubmitAnswer
from relay.jira.errors import CutOff, JiraError, JiraUnreachable, Unreadable, error_type

TAKEN = SubmitAnswer(frozenset(), {}, ())
A_DAY = 86_400.0


@dataclass(frozen=True)
class Numbers:
    """A request that holds numbers."""

    states: tuple[int, ...]
    kind: str = "number"

    def of(self, states: Iterable[int]) -> "Numbers":
        return Numbers(tuple(states), self.kind)

    def cut(self, too_large: "Numbers") -> list["Numbers"]:
        size = max(len(too_large.states) // 2, 1)
        starts = range(0, len(self.states), size)
        return [self.of(self.states[start : start + size]) for start in starts]


@dataclass
class Run:
    requests: list[Numbers] = field(default_factory=list)
    answers: dict[tuple[str, int], Answer] = field(default_factory=dict)

    def that_are(self, answer: type[Answer]) -> set[int]:
        return {one for (_, one), given in self.answers.items() if isinstance(given, answer)}


def run(
    batches: Iterable[Numbers], site: Callable[[Numbers], Answer], suspected: bool = False
) -> Run:
    done = Run()
    protocol = settle(batches, suspected)
    try:
        batch = next(protocol)
        while True:
            done.requests.append(batch)
            batch = protocol.send(site(batch))
    except StopIteration as end:
        settled: Settled[Numbers] = end.value
    each = [((batch.kind, one), answer) for batch, answer in settled for one in batch.states]
    assert len(dict(each)) == len(each)
    done.answers = dict(each)
    return done


def numbers(count: int, kind: str = "number", start: int = 0) -> Numbers:
    return Numbers(tuple(range(start, start + count)), kind)


def failing_for(*bad: int, proven: bool = False) -> Callable[[Numbers], Answer]:
    return lambda batch: Suspect("500", proven) if set(bad) & set(batch.states) else TAKEN


# --- Faulty entities ---


@given(st.integers(2, 1000), st.data(), st.booleans())
@settings(deadline=None)
def test_the_faulty_entity_is_found_in_few_requests(
    count: int, data: st.DataObject, proven: bool
) -> None:
    bad = data.draw(st.integers(0, count - 1))
    done = run([numbers(count)], failing_for(bad, proven=proven))
    assert done.that_are(Suspect) == {bad}
    assert done.that_are(SubmitAnswer) == set(range(count)) - {bad}
    # The whole, one or two alone, the rest, and two per halving.
    assert len(done.requests) <= 4 + 2 * math.ceil(math.log2(count))


@given(st.integers(1, 60), st.sets(st.integers(0, 59), max_size=5), st.integers(0, 2**32))
@settings(deadline=None)
def test_all_faulty_entities_are_found_after_one_that_passes(
    count: int, bad: set[int], seed: int
) -> None:
    random.seed(seed)
    bad = {one for one in bad if one < count}
    before = Numbers((1000,))
    done = run([before, numbers(count)], failing_for(*bad))
    assert done.that_are(Suspect) == bad
    assert not done.that_are(Failed)


def test_a_later_success_proves_earlier_failures() -> None:
    done = run([numbers(1), numbers(1, start=1)], failing_for(0))
    assert (done.that_are(Suspect), done.that_are(SubmitAnswer)) == ({0}, {1})


def test_a_refusal_proves_the_site_too() -> None:
    done = run(
        [numbers(2)],
        lambda batch: Suspect("500") if 0 in batch.states else Refused(("no",)),
    )
    assert (done.that_are(Suspect), done.that_are(Refused)) == ({0}, {1})


def test_another_kind_proves_nothing() -> None:
    done = run([numbers(1), numbers(1, "other")], failing_for())
    assert done.that_are(SubmitAnswer) == {0}
    done = run(
        [numbers(1), numbers(1, "other", start=1)],
        lambda batch: TAKEN if batch.kind == "other" else Suspect("500"),
    )
    assert (done.that_are(Failed), done.that_are(SubmitAnswer)) == ({0}, {1})


# --- The site ---


@given(st.integers(1, 1000), st.booleans())
@settings(deadline=None)
def test_if_nothing_passes_the_site_is_at_fault_after_few_requests(
    count: int, suspected: bool
) -> None:
    done = run([numbers(count)], lambda _: Suspect("500"), suspected)
    assert done.that_are(Suspect if suspected else Failed) == set(range(count))
    assert len(done.requests) <= 1 + ALONE_MAX


def test_with_many_single_entity_requests_the_site_is_at_fault_after_a_few() -> None:
    done = run([numbers(1, start=one) for one in range(50)], lambda _: Suspect("500"))
    assert done.that_are(Failed) == set(range(50))
    assert len(done.requests) == ALONE_MAX


def test_a_failure_of_the_site_leaves_suspects_to_be_retried() -> None:
    answers: Iterator[Answer] = iter([Suspect("500"), Suspect("500"), Failed("429")])
    done = run([numbers(2)], lambda _: next(answers))
    assert done.that_are(Failed) == {0, 1}


# --- Any answers ---


@given(
    st.lists(st.tuples(st.integers(1, 40), st.sampled_from("ab")), max_size=4),
    st.booleans(),
    st.data(),
)
@settings(deadline=None)
def test_each_entity_has_one_outcome_whatever_the_site_answers(
    sizes: list[tuple[int, str]], suspected: bool, data: st.DataObject
) -> None:
    kinds: Counter[str] = Counter()
    batches = []
    for size, kind in sizes:
        batches.append(numbers(size, kind, kinds[kind]))
        kinds[kind] += size
    possible: list[Answer] = [
        TAKEN,
        TAKEN,
        Refused(("no",)),
        TooLarge(("no",)),
        Suspect("500"),
        Suspect("500", proven=True),
        Failed("down"),
    ]
    settled: set[tuple[str, int]] = set()

    def site(batch: Numbers) -> Answer:
        assert batch.states
        assert settled.isdisjoint((batch.kind, one) for one in batch.states)
        answer = data.draw(st.sampled_from(possible))
        if isinstance(answer, SubmitAnswer) or len(batch.states) == 1:
            settled.update((batch.kind, one) for one in batch.states)
        return answer

    done = run(batches, site, suspected)

    assert done.answers.keys() == {(batch.kind, one) for batch in batches for one in batch.states}
    assert len(done.requests) <= 3 * kinds.total()


# --- Suspect answers ---


@pytest.mark.parametrize(
    ("error", "suspect"),
    [
        *((error_type(status)(status), True) for status in (403, 405, 409, 451, 500, 502, 503)),
        *((error_type(status)(status), False) for status in (301, 400, 401, 404, 413, 429)),
        (Unreadable(200), True),
        (Unreadable(403), True),
        (CutOff("closed"), True),
        # Not reached, or not in time.
        (JiraUnreachable("timeout"), False),
        # It asks to be left alone.
        (error_type(503)(503, (), "60"), False),
        (error_type(503)(503, (), "soon"), True),
    ],
    ids=str,
)
def test_an_answer_possibly_caused_by_the_request_is_suspect(
    error: JiraError, suspect: bool
) -> None:
    assert is_suspect(error, 0) is suspect


def test_no_answer_that_splits_is_suspect() -> None:
    assert not any(row.suspect for row in TABLE if row.reaction == "split")


def test_a_faulty_entity_is_retried_ever_less_often_down_to_once_a_day() -> None:
    waits = [entity_back_off(tries, lambda: 0) for tries in range(14)]
    assert waits[:3] == [60, 120, 240]
    assert waits == sorted(waits)
    assert waits[-1] == waits[-2] == A_DAY
    assert entity_back_off(10_000, lambda: 1) == A_DAY / 2
