"""Delivering to a site that answers arbitrarily: nothing is lost and nothing sent in vain."""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.delivery.isolation import Answer, Failed, Refused, TooLarge
from relay.delivery.protocol import (
    BATCH_BYTES_MAX,
    BATCH_ENTITIES_MAX,
    Batch,
    batches,
    deliver,
    raised,
)
from relay.entities.model import EntityKey, EntityState, Kind, newest
from relay.jira.answers import SubmitAnswer, submit_answer
from relay.record.outcomes import Outcome, OutcomeState
from tests.support.bodies import IDS, PLAIN, body_of
from tests.support.entities import incident

Site = Callable[[Batch], Answer]


@dataclass
class Run:
    """What was sent to a site, its answers, and the protocol's outcomes."""

    requests: list[tuple[Batch, Answer]] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def batches(self) -> list[Batch]:
        return [batch for batch, _ in self.requests]

    def of(self, state: OutcomeState) -> list[EntityKey]:
        return [outcome.key for outcome in self.outcomes if outcome.state is state]


def run(states: Iterable[EntityState], site: Site) -> Run:
    done = Run()
    protocol = deliver(states)
    try:
        batch = next(protocol)
        while True:
            answer = site(batch)
            done.requests.append((batch, answer))
            batch = protocol.send(answer)
    except StopIteration as end:
        done.outcomes = end.value
    return done


def state(
    entity_id: str,
    kind: Kind = Kind.INCIDENT,
    sequence: int = 1,
    text: str = "",
    properties: Mapping[str, str] = MappingProxyType({}),
    issues: Sequence[str] = (),
    product: str = "",
) -> EntityState:
    entity: dict[str, Any] = {
        "id": entity_id,
        "updateSequenceNumber": sequence,
        "description": text,
    }
    if issues:
        entity["associations"] = [{"associationType": "issueIdOrKeys", "values": list(issues)}]
    return EntityState(kind, entity, dict(properties), product=product)


def many(count: int, kind: Kind = Kind.INCIDENT, team: str = "") -> list[EntityState]:
    properties = {"team": team} if team else {}
    return [state(f"{team}{number}", kind, properties=properties) for number in range(count)]


def accept_all(batch: Batch) -> SubmitAnswer:
    return SubmitAnswer(frozenset(each.key.id for each in batch.states), {}, ())


def group_of(each: EntityState) -> tuple[Kind, tuple[tuple[str, str], ...], str]:
    return each.kind, tuple(sorted(each.properties.items())), each.product


def keys(states: Iterable[EntityState]) -> list[EntityKey]:
    return [each.key for each in states]


# --- Any states, any answers ---

several_states = st.lists(
    st.builds(
        state,
        st.integers(0, 200).map(str),
        st.sampled_from(Kind),
        st.integers(-(2**63), 2**63 - 1),
        properties=st.sampled_from([{}, {"team": "a"}, {"team": "b"}]),
        issues=st.sampled_from([(), ("GONE-1",)]),
    ),
    max_size=40,
    unique_by=lambda each: each.key,
)


@st.composite
def submit_answers(draw: st.DrawFn, batch: Batch) -> SubmitAnswer:
    """A 202 that names each entity as accepted, as failed, as both or not at all."""
    ids = st.sampled_from([each.key.id for each in batch.states])
    named = st.sets(ids | st.just("of another"), max_size=len(batch.states))
    failed: dict[str, tuple[str, ...]] = dict.fromkeys(draw(named), ("Jira's words",))
    unknown = draw(st.sampled_from([(), ("GONE",), ("GONE", "ALSO")]))
    return SubmitAnswer(frozenset(draw(named)), failed, unknown)


MOODS = ("accepts", "picks", "picks", "refuses", "refuses", "finds it large", "fails")


def moods(data: st.DataObject, *allowed: str) -> Site:
    def site(batch: Batch) -> Answer:
        match data.draw(st.sampled_from(allowed)):
            case "accepts":
                return accept_all(batch)
            case "picks":
                return data.draw(submit_answers(batch))
            case "refuses":
                return Refused(("too bad",))
            case "finds it large":
                return TooLarge(("too large",))
            case _:
                return Failed("down")

    return site


@given(states=several_states, data=st.data())
@settings(deadline=None, max_examples=100)
def test_every_state_gets_exactly_one_outcome_with_its_own_sequence(
    states: list[EntityState], data: st.DataObject
) -> None:
    done = run(states, moods(data, *MOODS))

    expected = Counter((each.key, each.sequence) for each in states)
    assert Counter((outcome.key, outcome.sequence) for outcome in done.outcomes) == expected


@given(states=several_states, data=st.data())
@settings(deadline=None, max_examples=100)
def test_an_answered_entity_is_not_sent_again(
    states: list[EntityState], data: st.DataObject
) -> None:
    done = run(states, moods(data, *MOODS))

    answered: set[EntityKey] = set()
    for batch, answer in done.requests:
        assert answered.isdisjoint(keys(batch.states))
        if isinstance(answer, SubmitAnswer) or len(batch.states) == 1:
            answered.update(keys(batch.states))


@given(states=several_states, data=st.data())
@settings(deadline=None, max_examples=80)
def test_the_order_of_the_states_is_preserved_by_every_split(
    states: list[EntityState], data: st.DataObject
) -> None:
    done = run(states, moods(data, "accepts", "refuses", "finds it large"))

    settled = [
        each
        for batch, answer in done.requests
        if isinstance(answer, SubmitAnswer) or len(batch.states) == 1
        for each in batch.states
    ]
    for group in {group_of(each) for each in states}:
        in_order = [each for each in states if group_of(each) == group]
        assert [each for each in settled if group_of(each) == group] == in_order
    assert [outcome.key for outcome in done.outcomes] == keys(settled)


@given(states=several_states, data=st.data())
@settings(deadline=None, max_examples=80)
def test_after_a_failure_the_rest_is_owed_and_not_sent(
    states: list[EntityState], data: st.DataObject
) -> None:
    done = run(states, moods(data, *MOODS))

    failures = [isinstance(answer, Failed) for _, answer in done.requests]
    assert not any(failures[:-1])
    settled = {
        key
        for batch, answer in done.requests
        if isinstance(answer, SubmitAnswer)
        or (isinstance(answer, Refused | TooLarge) and len(batch.states) == 1)
        for key in keys(batch.states)
    }
    assert set(done.of(OutcomeState.OWED)) == set(keys(states)) - settled
    assert bool(done.of(OutcomeState.OWED)) == any(failures)
    owed = [outcome for outcome in done.outcomes if outcome.state is OutcomeState.OWED]
    assert {outcome.messages for outcome in owed} <= {("down",)}


@given(states=several_states, data=st.data())
@settings(deadline=None, max_examples=80)
def test_a_request_holds_one_kind_one_set_of_properties_and_is_never_empty(
    states: list[EntityState], data: st.DataObject
) -> None:
    done = run(states, moods(data, "accepts", "picks", "refuses", "finds it large"))

    for batch in done.batches:
        assert 1 <= len(batch.states) <= BATCH_ENTITIES_MAX
        assert {group_of(each) for each in batch.states} == {group_of(batch.states[0])}
        assert {each.kind for each in batch.states} == {batch.kind}


@given(states=several_states, data=st.data())
@settings(deadline=None, max_examples=80)
def test_an_outcome_is_the_answers_for_that_entity(
    states: list[EntityState], data: st.DataObject
) -> None:
    done = run(states, moods(data, "picks"))

    outcomes = {outcome.key: outcome for outcome in done.outcomes}
    for batch, answer in done.requests:
        assert isinstance(answer, SubmitAnswer)
        for each in batch.states:
            key, outcome = each.key, outcomes[each.key]
            if key.id in answer.failed:
                assert outcome.state is OutcomeState.REJECTED
                assert outcome.messages == ("Jira's words",)
            elif key.id in answer.accepted:
                assert outcome.state is OutcomeState.ACCEPTED
            elif answer.unknown_project_keys and "associations" in each.entity:
                # It gets only its own keys.
                assert outcome.state is OutcomeState.UNKNOWN_PROJECTS
                assert outcome.unknown_project_keys == ("GONE",)
            else:
                assert outcome.state is OutcomeState.UNACCOUNTED
                assert outcome.messages


@given(states=several_states, data=st.data())
@settings(deadline=None, max_examples=80)
def test_a_delivery_ends_within_twice_as_many_requests_as_entities(
    states: list[EntityState], data: st.DataObject
) -> None:
    done = run(states, moods(data, "refuses", "finds it large"))

    assert len(done.requests) <= max(2 * len(states) - 1, 0)
    assert len(done.of(OutcomeState.REJECTED)) == len(states)


def test_without_states_nothing_is_sent() -> None:
    assert run([], accept_all) == Run()


# --- As few requests as the limits allow ---

counts = st.sampled_from([0, 1, 2, 999, 1000, 1001, 1999, 2000, 2001, 2500])


@given(incidents=counts, tagged=counts, reviews=counts)
@settings(deadline=None, max_examples=20)
def test_n_entities_cost_a_request_per_thousand_kind_and_properties(
    incidents: int, tagged: int, reviews: int
) -> None:
    states = [
        *many(incidents),
        *many(reviews, Kind.REVIEW),
        *many(tagged, team="payments"),
    ]

    done = run(states, accept_all)

    assert len(done.requests) == sum(
        math.ceil(count / BATCH_ENTITIES_MAX) for count in (incidents, tagged, reviews)
    )
    assert len(done.of(OutcomeState.ACCEPTED)) == len(states)


def test_properties_are_equal_in_any_order() -> None:
    one, other = {"a": "1", "b": "2"}, {"b": "2", "a": "1"}

    assert (
        len(run([state("1", properties=one), state("2", properties=other)], accept_all).requests)
        == 1
    )


def test_an_incident_and_a_review_with_the_same_id_are_distinguished() -> None:
    def only_incidents(batch: Batch) -> Answer:
        if batch.kind is Kind.INCIDENT:
            return accept_all(batch)
        return SubmitAnswer(frozenset(), {"7": ("no such incident",)}, ())

    done = run([state("7"), state("7", Kind.REVIEW)], only_incidents)

    assert done.of(OutcomeState.ACCEPTED) == [EntityKey(Kind.INCIDENT, "7")]
    assert done.of(OutcomeState.REJECTED) == [EntityKey(Kind.REVIEW, "7")]


# --- Every shape of a 202 ---


def outcome_of(
    document: Any, *associations: Mapping[str, object], kind: Kind = Kind.INCIDENT
) -> Outcome:
    """The outcome of the entity `mine` in a batch of two, for an answer with this JSON."""
    entity = incident("mine", associations=list(associations))
    protocol = deliver([EntityState(kind, entity), EntityState(kind, incident("other"))])
    next(protocol)
    answer = submit_answer(document)
    with pytest.raises(StopIteration) as end:
        protocol.send(answer)
    outcomes: list[Outcome] = end.value.value
    assert [outcome.key.id for outcome in outcomes] == ["mine", "other"]
    return outcomes[0]


NO = {"mine": [{"message": "no"}]}


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(
    ("document", "expected", "messages"),
    [
        ({"acceptedIncidents": ["mine"]}, "accepted", ()),
        ({"acceptedReviews": ["mine"]}, "accepted", ()),
        ({"acceptedIncidents": ["mine", "mine"]}, "accepted", ()),
        ({"acceptedIncidents": ["mine"], "failedIncidents": {}}, "accepted", ()),
        ({"acceptedIncidents": ["mine"], "failedIncidents": None}, "accepted", ()),
        ({"acceptedIncidents": ["mine"], "failedIncidents": {"other": []}}, "accepted", ()),
        ({"acceptedIncidents": ["mine"], "rateLimit": {"left": 3}, "v": 2}, "accepted", ()),
        ({"failedIncidents": NO}, "rejected", ("no",)),
        ({"failedReviews": NO}, "rejected", ("no",)),
        ({"failedIncidents": {"mine": []}}, "rejected", ("Jira gave no reason.",)),
        # In both lists: an entity that Jira found invalid must not count as done.
        ({"acceptedIncidents": ["mine"], "failedIncidents": NO}, "rejected", ("no",)),
        ({"acceptedReviews": ["mine"], "failedIncidents": NO}, "rejected", ("no",)),
        ({"failedIncidents": NO, "unknownProjectKeys": ["GONE"]}, "rejected", ("no",)),
        ({"acceptedIncidents": ["other"], "failedIncidents": {}}, "unaccounted", None),
        ({"acceptedIncidents": []}, "unaccounted", None),
        ({"acceptedIncidents": ["mine "]}, "unaccounted", None),
        ({"acceptedIncidents": ["MINE"]}, "unaccounted", None),
    ],
)
def test_each_shape_of_a_202_has_one_meaning(
    kind: Kind, document: object, expected: str, messages: tuple[str, ...] | None
) -> None:
    outcome = outcome_of(document, kind=kind)

    assert outcome.state == expected
    if messages is None:
        assert len(outcome.messages) == 1
        assert "did not name" in outcome.messages[0]
    else:
        assert outcome.messages == messages


def test_an_entity_with_only_unknown_projects_names_them() -> None:
    document = {"acceptedIncidents": ["other"], "unknownProjectKeys": ["GONE", "AWAY"]}
    issues = {"associationType": "issueIdOrKeys", "values": ["GONE-1", "AWAY-2"]}

    outcome = outcome_of(document, issues)

    assert outcome.state is OutcomeState.UNKNOWN_PROJECTS
    assert set(outcome.unknown_project_keys) == {"GONE", "AWAY"}


@pytest.mark.parametrize("values", [["OPS-1"], ["OPS-1", "GONE-2"], ["10001"], ["10001", "GONE-2"]])
def test_an_unnamed_entity_with_a_known_project_is_unaccounted(values: list[str]) -> None:
    """The unknown keys in the answer belong to another entity of the request, or are some of its
    own: neither reveals its outcome.
    """
    document = {"acceptedIncidents": ["other"], "unknownProjectKeys": ["GONE"]}

    outcome = outcome_of(document, {"associationType": "issueIdOrKeys", "values": values})

    assert outcome.state is OutcomeState.UNACCOUNTED
    assert outcome.unknown_project_keys == ()


def test_an_unknown_project_is_recognized_among_any_number() -> None:
    keys_of_all = [f"GONE{number}" for number in range(500)]
    issues = {"associationType": "issueIdOrKeys", "values": ["GONE499-1"]}

    outcome = outcome_of({"unknownProjectKeys": keys_of_all}, issues)

    assert outcome.state is OutcomeState.UNKNOWN_PROJECTS
    assert outcome.unknown_project_keys == ("GONE499",)


def test_an_unnamed_review_is_not_rejected_but_an_unnamed_incident_is() -> None:
    document: dict[str, Any] = {"acceptedIncidents": []}

    assert outcome_of(document, kind=Kind.INCIDENT).is_refusal
    assert not outcome_of(document, kind=Kind.REVIEW).is_refusal
    assert outcome_of({"failedIncidents": NO}, kind=Kind.REVIEW).is_refusal


# --- Splitting ---


@given(count=st.integers(1, 1000), data=st.data())
@settings(deadline=None, max_examples=100)
def test_one_bad_entity_costs_few_extra_requests_and_is_rejected_alone(
    count: int, data: st.DataObject
) -> None:
    bad = EntityKey(Kind.INCIDENT, str(data.draw(st.integers(0, count - 1))))

    def site(batch: Batch) -> Answer:
        return Refused(("bad",)) if bad in keys(batch.states) else accept_all(batch)

    done = run(many(count), site)

    assert len(done.requests) - 1 <= 2 * math.ceil(math.log2(count)) + 1
    assert done.of(OutcomeState.REJECTED) == [bad]
    assert len(done.of(OutcomeState.ACCEPTED)) == count - 1
    rejected = next(outcome for outcome in done.outcomes if outcome.key == bad)
    assert rejected.messages == ("bad",)


@given(count=st.integers(1, 1200), limit=st.integers(1, 1000))
@settings(deadline=None, max_examples=50)
def test_a_site_with_a_smaller_limit_gets_smaller_requests(count: int, limit: int) -> None:
    def site(batch: Batch) -> Answer:
        return Refused(("too many",)) if len(batch.states) > limit else accept_all(batch)

    done = run(many(count), site)

    assert len(done.of(OutcomeState.ACCEPTED)) == count


sizes_of_several = st.lists(st.integers(1, 2000), min_size=1, max_size=50)


def sized(sizes: Iterable[int]) -> list[EntityState]:
    return [state(str(place), text="x" * size) for place, size in enumerate(sizes)]


def taking_bytes(limit: int) -> Site:
    """A site that answers 413 to a longer body."""

    def site(batch: Batch) -> Answer:
        return TooLarge(("too large",)) if len(body_of(batch)) > limit else accept_all(batch)

    return site


@given(sizes=sizes_of_several, limit=st.integers(100, 4000))
@settings(deadline=None, max_examples=80)
def test_with_a_byte_limit_only_an_entity_too_large_alone_is_rejected(
    sizes: list[int], limit: int
) -> None:
    states = sized(sizes)

    done = run(states, taking_bytes(limit))

    alone = [each for each in states if len(body_of(Batch(each.kind, (each,)))) > limit]
    assert done.of(OutcomeState.REJECTED) == keys(alone)
    assert len(done.of(OutcomeState.ACCEPTED)) == len(states) - len(alone)
    for outcome in done.outcomes:
        rejected = outcome.state is OutcomeState.REJECTED
        assert outcome.messages == (("too large",) if rejected else ())


@given(sizes=sizes_of_several, limit=st.integers(100, 4000))
@settings(deadline=None, max_examples=80)
def test_after_a_413_waiting_requests_are_cut_to_half_of_the_refused_bytes(
    sizes: list[int], limit: int
) -> None:
    done = run(sized(sizes), taking_bytes(limit))

    room = math.inf
    for batch, answer in done.requests:
        assert len(batch.states) == 1 or batch.size <= room
        if isinstance(answer, TooLarge) and len(batch.states) > 1:
            room = batch.size // 2
            halved = 2 * room if batch.size % 2 == 0 else 2 * room + 1
            assert halved == batch.size


@given(count=st.integers(2, 3000), limit=st.integers(1000, 400_000))
@settings(deadline=None, max_examples=30)
def test_a_byte_limit_is_found_in_a_few_requests_and_then_respected(count: int, limit: int) -> None:
    """Each 413 halves later requests, too: a hundred batches find the limit only once."""
    done = run(many(count), taking_bytes(limit))

    refused = [batch for batch, answer in done.requests if isinstance(answer, TooLarge)]
    largest = max(batch.size for batch in batches(many(count)))
    assert len(refused) <= max(math.ceil(math.log2(largest / limit)) + 1, 1)
    assert len(done.of(OutcomeState.ACCEPTED)) == count
    # Where requests were cut, an accepted one has at least a quarter of the limit.
    if refused:
        taken = [batch for batch, answer in done.requests if isinstance(answer, SubmitAnswer)]
        total = sum(batch.size for batch in taken)
        assert len(taken) <= math.ceil(total / (limit / 4)) + 1


def test_a_413_in_the_middle_resends_no_accepted_entity() -> None:
    answers: list[Answer] = []

    def site(batch: Batch) -> Answer:
        answers.append(TooLarge(("too large",)) if len(answers) == 1 else accept_all(batch))
        return answers[-1]

    done = run(many(3000), site)

    assert [len(batch.states) for batch in done.batches[:2]] == [1000, 1000]
    resent = [key for batch in done.batches[2:] for key in keys(batch.states)]
    assert sorted(resent) == sorted(keys(many(3000)[1000:]))
    assert all(batch.size <= done.batches[1].size // 2 for batch in done.batches[2:])


def test_rejections_for_content_and_for_size_are_distinguished() -> None:
    states = [state("bad"), state("large", text="x" * 5000), *many(20)]

    def site(batch: Batch) -> Answer:
        if len(body_of(batch)) > 4000:
            return TooLarge(("too large",))
        if EntityKey(Kind.INCIDENT, "bad") in keys(batch.states):
            return Refused(("no such field",))
        return accept_all(batch)

    done = run(states, site)

    words = {outcome.key.id: outcome.messages for outcome in done.outcomes if outcome.messages}
    assert words == {"bad": ("no such field",), "large": ("too large",)}
    assert len(done.of(OutcomeState.ACCEPTED)) == 20


@given(
    sizes=st.lists(
        st.sampled_from([1, 400_000, 1_000_000, 2_490_000, 4_990_000, 5_000_000, 6_000_000]),
        min_size=1,
        max_size=8,
    )
)
@settings(deadline=None, max_examples=20)
def test_only_a_single_entity_may_exceed_the_byte_limit(sizes: list[int]) -> None:
    states = [state(str(place), text="x" * size) for place, size in enumerate(sizes)]

    done = run(states, accept_all)

    for batch in done.batches:
        assert len(batch.states) == 1 or len(body_of(batch)) <= BATCH_BYTES_MAX
    for one, following in pairwise(done.batches):
        # Each one is full before it is sent, except for the envelope's share.
        larger = len(body_of(one)) + len(following.states[0].as_json)
        assert larger > BATCH_BYTES_MAX - 20_000
    assert len(done.of(OutcomeState.ACCEPTED)) == len(states)


def test_the_largest_properties_count_towards_the_bytes() -> None:
    # Six bytes of JSON per character.
    properties = {f"{number}".ljust(255, "\x01"): "\x02" * 255 for number in range(4)}
    size = len(state("0").as_json)
    for room in (0, 10_000, 20_000):
        text = "x" * ((BATCH_BYTES_MAX - room) // 4 - size)
        states = [
            state(str(place), text=text, properties=properties, product="\x03" * 255)
            for place in range(8)
        ]

        assert all(
            len(body_of(batch)) <= BATCH_BYTES_MAX for batch in run(states, accept_all).batches
        )


# --- Requests ---


@pytest.mark.parametrize("kind", Kind)
def test_a_body_is_jiras_own_json(kind: Kind) -> None:
    states = (state("é", kind, text='"\n'), state("🔥", kind))

    assert json.loads(body_of(Batch(kind, states), ids=PLAIN)) == {
        kind.plural: [dict(each.entity) for each in states],
        "properties": PLAIN.properties,
    }


def test_a_body_carries_the_properties_of_its_entities() -> None:
    body = body_of(Batch(Kind.REVIEW, (state("1", Kind.REVIEW, properties={"team": "é"}),)))

    assert json.loads(body)["properties"] == {"team": "é", "relayWorkspace": IDS.key}
    assert set(json.loads(body)) == {"reviews", "properties"}


def test_a_body_names_its_entities_product() -> None:
    body = body_of(Batch(Kind.INCIDENT, (state("1", product="Ops Tool"),)))

    assert json.loads(body)["providerMetadata"] == {"product": "Ops Tool"}
    assert set(json.loads(body)) == {"incidents", "properties", "providerMetadata"}


def test_entities_of_different_products_are_sent_in_separate_requests() -> None:
    states = [state("1", product="a"), state("2", product="b"), state("3", product="a")]

    done = run(states, accept_all)

    assert [[each.key.id for each in batch.states] for batch in done.batches] == [["1", "3"], ["2"]]


# --- To a site that has started over ---

sequences = st.integers(-(2**63), 2**63 - 1)
generations = st.integers(0, 1000)


@given(sequences, generations)
def test_the_generation_raises_the_sequence_that_is_sent_within_jiras_bounds(
    sequence: int, generation: int
) -> None:
    one = state("1", sequence=sequence, text="é", properties={"team": "a"})

    sent = raised(one, generation)

    assert sent.sequence == min(sequence + generation, 2**63 - 1)
    assert dict(sent.entity) == dict(one.entity) | {"updateSequenceNumber": sent.sequence}
    assert (sent.kind, sent.properties, one.sequence) == (one.kind, one.properties, sequence)
    body = json.loads(body_of(Batch(Kind.INCIDENT, (one,)), generation, PLAIN))
    assert body == {
        "incidents": [dict(sent.entity)],
        "properties": {"team": "a", **PLAIN.properties},
    }


def test_a_first_generation_body_is_the_submitted_one() -> None:
    one = state("1", sequence=7)

    assert raised(one, 0) is one
    assert body_of(Batch(Kind.INCIDENT, (one,)), 0) == body_of(Batch(Kind.INCIDENT, (one,)))


@given(sequences, sequences, generations, generations)
def test_an_older_state_never_has_a_higher_sequence_in_any_generation(
    one: int, other: int, before: int, later: int
) -> None:
    """In a later generation, the newest state has a higher one than was ever sent."""
    older, newer = sorted((one, other))
    first, second = sorted((before, later))

    assert raised(state("1", sequence=older), first).sequence <= (
        raised(state("1", sequence=newer), first).sequence
    )
    if first < second and newer + second < 2**63:
        assert raised(state("1", sequence=older), first).sequence < (
            raised(state("1", sequence=newer), second).sequence
        )


@given(several_states, generations)
@settings(deadline=None, max_examples=30)
def test_the_outcome_has_the_recorded_states_sequence(
    states: list[EntityState], generation: int
) -> None:
    def site(batch: Batch) -> Answer:
        assert json.loads(body_of(batch, generation))
        return accept_all(batch)

    done = run(states, site)

    recorded = {each.key: each.sequence for each in states}
    assert {outcome.key: outcome.sequence for outcome in done.outcomes} == recorded


@pytest.mark.parametrize("room", [0, 15_000, 16_000, 17_000, 20_000])
def test_a_raised_body_is_within_the_limit_too(room: int) -> None:
    # Each sequence has one digit more, and each property has the maximum size.
    properties = {f"{number}".ljust(255, "\x01"): "\x02" * 255 for number in range(4)}
    size = len(state("000", sequence=999).as_json)
    text = "x" * ((BATCH_BYTES_MAX - room) // BATCH_ENTITIES_MAX - 1 - size)
    states = [
        state(f"{number:03}", sequence=999, text=text, properties=properties)
        for number in range(BATCH_ENTITIES_MAX)
    ]

    for batch in run(states, accept_all).batches:
        assert len(body_of(batch, 1)) <= BATCH_BYTES_MAX


# --- The newest of many states ---


@given(
    st.lists(
        st.builds(
            state,
            st.sampled_from("abc"),
            st.sampled_from(Kind),
            st.integers(-2, 2) | st.integers(-(2**63), 2**63 - 1),
            st.text(max_size=3),
        ),
        max_size=30,
    )
)
def test_the_first_of_an_entitys_newest_states_is_kept(states: list[EntityState]) -> None:
    kept = newest(states)

    def of(key: EntityKey, among: Sequence[EntityState]) -> list[EntityState]:
        return [each for each in among if each.key == key]

    assert keys(kept) == list(dict.fromkeys(keys(states)))
    for each in kept:
        highest = max(other.sequence for other in of(each.key, states))
        first = next(other for other in of(each.key, states) if other.sequence == highest)
        assert each is first
    assert newest(kept) == kept


def test_an_accepted_entity_names_its_projects_that_the_site_does_not_have() -> None:
    associations = [{"associationType": "issueIdOrKeys", "values": ["OPS-1", "GONE-2", "10001"]}]
    mine = EntityState(Kind.INCIDENT, incident("mine", associations=associations))
    other = EntityState(Kind.INCIDENT, incident("other"))
    protocol = deliver([mine, other])
    next(protocol)

    with pytest.raises(StopIteration) as end:
        protocol.send(SubmitAnswer(frozenset({"mine", "other"}), {}, ("GONE", "NOT-MINE")))

    assert [outcome.unknown_project_keys for outcome in end.value.value] == [("GONE",), ()]
