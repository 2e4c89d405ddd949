"""A submission as a whole, and the verdict on each of its entities."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.entities import EntityKey, Kind, Submission, Verdict, parse_submission
from relay.entities.fields import ID_MAX, PROPERTIES_MAX, TEXT_MAX
from relay.entities.submission import (
    DETAILS_MAX,
    DETAILS_PER_ENTITY_MAX,
    ENTITY_BYTES_MAX,
)
from relay.errors import BadRequest, Detail, TooLarge
from tests.support.entities import incident, review

MIB = 1024 * 1024
# Found in nothing that Relay says of its own accord.
MARK = "Xq7-from-the-sender"


def judged(body: bytes | dict[str, Any]) -> Submission:
    return parse_submission(body if isinstance(body, bytes) else json.dumps(body).encode())


def refused(body: bytes | dict[str, Any]) -> BadRequest:
    with pytest.raises(BadRequest) as raised:
        judged(body)
    return raised.value


def places(details: tuple[Detail, ...]) -> list[tuple[str, str]]:
    return [(detail.path, detail.rule) for detail in details]


# --- The body as a whole ---


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"incidents",
        b"{",
        b'{"incidents": [}',
        b'{"incidents": []}{}',
        b"{'incidents': []}",
        b'{"incidents": [],}',
        b'{"incidents": [{"updateSequenceNumber": NaN}]}',
        b'{"incidents": [Infinity]}',
        b'{"incidents": [-Infinity]}',
        b'{"incidents": [01]}',
        b'{"incidents": ["\n"]}',
        # not UTF-8: Latin-1, UTF-16, a byte order mark, an encoded surrogate, a cut-off character
        b'{"incidents": ["\xe9"]}',
        '{"incidents": []}'.encode("utf-16"),
        b'\xef\xbb\xbf{"incidents": []}',
        b'{"incidents": ["\xed\xa0\xbd"]}',
        b'{"incidents": ["\xf0\x9f"]}',
        # half of a surrogate pair, which no UTF-8 can carry on
        b'{"incidents": ["\\ud83d"]}',
        b"\x1f\x8b\x08",
    ],
)
def test_what_is_not_json_in_utf_8_is_refused(body: bytes) -> None:
    error = refused(body)

    assert error.status == 400
    assert places(error.details) == [("", "json")]


@pytest.mark.parametrize("body", [b"null", b"true", b"1", b'"text"', b"[]", b'[{"incidents": []}]'])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    assert [path for path, _ in places(refused(body).details)] == [""]


@pytest.mark.parametrize(
    "body", [{}, {"incidents": []}, {"incidents": [], "reviews": []}, {"properties": {"a": "b"}}]
)
def test_a_submission_without_an_entity_is_refused(body: dict[str, Any]) -> None:
    assert places(refused(body).details) == [("incidents", "missing")]


@pytest.mark.parametrize("field", ["incidents", "reviews"])
@pytest.mark.parametrize("value", [None, {}, "", 1, incident()])
def test_entities_come_in_lists(field: str, value: Any) -> None:
    assert places(refused({field: value}).details) == [(field, "list_type")]


def test_every_unknown_field_is_named() -> None:
    error = refused({"incidents": [incident()], "incident": {}, "providerMetadata": {}})

    assert places(error.details) == [
        ("incident", "extra_forbidden"),
        ("providerMetadata", "extra_forbidden"),
    ]


def test_one_kind_of_entity_is_enough() -> None:
    assert [verdict.kind for verdict in judged({"reviews": [review()]}).verdicts] == [Kind.REVIEW]
    assert [verdict.kind for verdict in judged({"incidents": [incident()]}).verdicts] == [
        Kind.INCIDENT
    ]


# --- Properties ---


def with_properties(properties: Any) -> dict[str, Any]:
    return {"incidents": [incident()], "properties": properties}


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {f"key{number}": "value" for number in range(PROPERTIES_MAX)},
        {"k" * TEXT_MAX: "v" * TEXT_MAX},
        {"with_": "", "a-b.c d/é": "🔥"},
    ],
)
def test_good_properties_go_with_every_entity(properties: dict[str, str]) -> None:
    body = {"incidents": [incident()], "reviews": [review()], "properties": properties}

    assert [state.properties for state in judged(body).accepted] == [properties, properties]


@pytest.mark.parametrize(
    ("properties", "path", "rule"),
    [
        (None, "properties", "dict_type"),
        ([], "properties", "dict_type"),
        ("a=b", "properties", "dict_type"),
        ({f"key{number}": "" for number in range(PROPERTIES_MAX + 1)}, "properties", "too_long"),
        ({"account:id": "x"}, "properties.account:id", "property_name"),
        ({":": "x"}, "properties.:", "property_name"),
        ({"_id": "x"}, "properties._id", "property_name"),
        ({"": "x"}, "properties.", "string_too_short"),
        ({"k" * (TEXT_MAX + 1): "x"}, "properties.", "string_too_long"),
        ({"team": "x" * (TEXT_MAX + 1)}, "properties.team", "string_too_long"),
        ({"team": 1}, "properties.team", "string_type"),
        ({"team": None}, "properties.team", "string_type"),
        ({"team": ["a"]}, "properties.team", "string_type"),
    ],
)
def test_bad_properties_sink_the_submission_they_go_with(
    properties: Any, path: str, rule: str
) -> None:
    found = places(refused(with_properties(properties)).details)

    assert [found_rule for _, found_rule in found] == [rule]
    assert found[0][0].startswith(path)


# --- Verdicts ---


def test_a_bad_entity_sinks_none_of_the_others() -> None:
    entities = [incident(f"inc-{number}") for number in range(100)]
    entities[57]["status"] = "burning"

    submission = judged({"incidents": entities})

    rejected = [verdict for verdict in submission.verdicts if not verdict.accepted]
    assert [verdict.id for verdict in rejected] == ["inc-57"]
    assert places(rejected[0].details) == [("incidents[57].status", "literal_error")]
    assert len(submission.accepted) == 99
    assert EntityKey(Kind.INCIDENT, "inc-57") not in {state.key for state in submission.accepted}


def test_verdicts_come_in_the_order_of_the_submission_incidents_first() -> None:
    body = {
        "reviews": [review("r0"), review("r1", status="open")],
        "incidents": [incident("i0"), None, incident("i2", url="nowhere"), incident("i3")],
    }

    submission = judged(body)

    assert [(verdict.path, verdict.id, verdict.accepted) for verdict in submission.verdicts] == [
        ("incidents[0]", "i0", True),
        ("incidents[1]", None, False),
        ("incidents[2]", "i2", False),
        ("incidents[3]", "i3", True),
        ("reviews[0]", "r0", True),
        ("reviews[1]", "r1", False),
    ]
    assert [state.key.id for state in submission.accepted] == ["i0", "i3", "r0"]


@given(good=st.lists(st.booleans(), min_size=1, max_size=30), split=st.integers(0, 30))
@settings(deadline=None)
def test_the_accepted_are_those_with_an_accepting_verdict_in_the_same_order(
    good: list[bool], split: int
) -> None:
    def id_of(position: int) -> str:
        return f"e-{position}" if good[position] else ""

    incidents = [incident(id_of(position)) for position in range(len(good))[:split]]
    reviews = [review(id_of(position)) for position in range(len(good))[split:]]

    submission = judged({"incidents": incidents, "reviews": reviews})

    assert [verdict.accepted for verdict in submission.verdicts] == good
    assert [state.key for state in submission.accepted] == [
        EntityKey(verdict.kind, verdict.id or "")
        for verdict in submission.verdicts
        if verdict.accepted
    ]


def test_every_state_of_an_entity_gets_a_verdict_of_its_own() -> None:
    body = {"incidents": [incident("i", 2), incident("i", 1), incident("i", 2)]}

    assert [state.sequence for state in judged(body).accepted] == [2, 1, 2]


def test_all_findings_of_an_entity_are_told_up_to_ten() -> None:
    found = places(judged({"incidents": [{"id": "i", "status": "burning"}]}).verdicts[0].details)

    assert ("incidents[0].status", "literal_error") in found
    assert ("incidents[0].summary", "missing") in found
    assert len(found) == 9

    fields = dict.fromkeys((f"unknown{number}" for number in range(1000)), 1)
    verdict = judged({"incidents": [incident() | fields]}).verdicts[0]
    assert len(verdict.details) == DETAILS_PER_ENTITY_MAX
    assert len(refused(fields).details) == DETAILS_PER_ENTITY_MAX


def test_a_path_leads_into_lists_and_objects() -> None:
    association = {"associationType": "issueIdOrKeys", "values": ["OPS-1", 2]}

    verdict = judged({"reviews": [review(), review(associations=[association])]}).verdicts[1]

    assert places(verdict.details) == [("reviews[1].associations[0].values[1]", "string_type")]


@pytest.mark.parametrize(
    ("entity", "expected"),
    [
        ({"id": "inc-7"}, "inc-7"),
        ({"id": "x" * ID_MAX}, "x" * ID_MAX),
        ({"id": "x" * (ID_MAX + 1)}, None),
        ({"id": 7}, None),
        ({}, None),
        ("inc-7", None),
    ],
)
def test_a_rejected_entity_is_named_by_its_id_where_it_has_one(
    entity: Any, expected: str | None
) -> None:
    assert judged({"incidents": [entity]}).verdicts[0].id == expected


# --- What is said of it ---


@pytest.mark.parametrize(
    "changed",
    [
        {"schemaVersion": MARK},
        {"id": MARK * 100},
        {"updateSequenceNumber": MARK},
        {"affectedComponents": MARK},
        {"affectedComponents": [MARK * 100]},
        {"summary": MARK * 100},
        {"description": MARK * 1000},
        {"url": MARK},
        {"createdDate": MARK},
        {"severity": MARK},
        {"severity": {"level": MARK}},
        {"status": MARK},
        {"associations": [{"associationType": MARK, "values": [MARK] * 501}]},
        {"unknown": MARK},
    ],
)
def test_no_value_that_was_sent_is_repeated(changed: dict[str, Any]) -> None:
    verdict = judged({"incidents": [incident(**changed)]}).verdicts[0]

    assert verdict.details
    assert MARK not in str(verdict.details)


@pytest.mark.parametrize(
    "body",
    [
        {"incidents": MARK},
        {"incidents": [], "unknown": MARK},
        with_properties(MARK),
        with_properties({"team": MARK * 100}),
        f'{{"incidents": {MARK}}}'.encode(),
        MARK.encode(),
    ],
)
def test_no_value_of_a_refused_body_is_repeated(body: bytes | dict[str, Any]) -> None:
    assert MARK not in str(refused(body).as_body())


def test_a_name_that_was_sent_is_shown_in_part_when_it_is_long() -> None:
    name = '"' * MIB

    assert len(judged({"incidents": [incident() | {name: 1}]}).verdicts[0].details[0].path) < 150
    assert len(refused({name: 1}).details[0].path) < 150


# --- What would be too much ---


def test_an_entity_too_large_for_the_record_is_rejected_before_it_is_queued() -> None:
    # Within every single limit of Jira's, and over what one item of the database can hold.
    large = [{"associationType": "issueIdOrKeys", "values": ["🔥" * TEXT_MAX] * 500}]
    half = [{"associationType": "issueIdOrKeys", "values": ["🔥" * TEXT_MAX] * 250}]

    verdicts = judged(
        {"incidents": [incident(associations=large), incident(associations=half)]}
    ).verdicts

    assert places(verdicts[0].details) == [("incidents[0]", "max_bytes")]
    assert verdicts[1].accepted


def test_the_largest_entity_is_exactly_as_large_as_is_said() -> None:
    values = ["x" * 200] * 500

    def sized(difference: int) -> dict[str, Any]:
        document = incident(
            associations=[{"associationType": "issueIdOrKeys", "values": values}],
            affectedComponents=["🔥" * ID_MAX] * 100,
            description="🔥" * 5000,
        )
        missing = (
            ENTITY_BYTES_MAX
            + difference
            - len(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())
        )
        # Each of these becomes four bytes where it was one.
        whole, rest = divmod(missing, 3 * 200)
        grown = ["🔥" * 200] * whole + ["🔥" * (rest // 3) + "x" * (200 - rest // 3)]
        document["associations"][0]["values"] = grown + values[len(grown) :]
        document["summary"] += "x" * (rest % 3)
        return document

    assert judged({"incidents": [sized(0)]}).verdicts[0].accepted
    assert not judged({"incidents": [sized(1)]}).verdicts[0].accepted


@pytest.mark.parametrize("junk", [b"1", b"{}"])
def test_four_mebibytes_of_junk_are_given_up_on_early(junk: bytes) -> None:
    count = 4 * MIB // (len(junk) + 1) - 10
    body = b'{"incidents":[%s]}' % b",".join([junk] * count)
    assert len(body) <= 4 * MIB

    error = refused(body)

    assert isinstance(error, TooLarge)
    assert error.details[0].rule == "max_details"
    assert count > DETAILS_MAX


def test_as_many_details_as_can_be_told_are_told() -> None:
    body = b'{"reviews":[%s]}' % b",".join([b"1"] * DETAILS_MAX)

    assert len(judged(body).verdicts) == DETAILS_MAX


@pytest.mark.parametrize("opened", [b"[", b'{"a":', b'[{"a":'])
def test_deep_nesting_is_refused_and_no_crash(opened: bytes) -> None:
    deep = opened * (4 * MIB // len(opened))

    assert places(refused(deep).details) == [("", "json")]
    assert places(refused(b'{"incidents":[' + deep).details) == [("", "json")]


def test_nesting_that_json_takes_is_judged_like_any_wrong_type() -> None:
    deep = b"[" * 150 + b"]" * 150

    verdict = judged(b'{"incidents":[{"id":%s}]}' % deep).verdicts[0]

    assert ("incidents[0].id", "string_type") in places(verdict.details)


@pytest.mark.parametrize(
    ("number", "rule"),
    [
        (b"9223372036854775808", "less_than_equal"),
        (b"-9223372036854775809", "greater_than_equal"),
        (b"1" + b"0" * 4000, "less_than_equal"),
        (b"1e400", "int_type"),
        (b"1.0", "int_type"),
        (b"-0.0", "int_type"),
    ],
)
def test_a_number_out_of_range_is_a_finding(number: bytes, rule: str) -> None:
    body = json.dumps({"incidents": [incident(sequence=424242)]}).encode()

    verdict = judged(body.replace(b"424242", number)).verdicts[0]

    assert places(verdict.details) == [("incidents[0].updateSequenceNumber", rule)]


def test_a_number_of_millions_of_digits_is_refused_and_no_crash() -> None:
    assert refused(b'{"incidents":[%s]}' % (b"9" * 4 * MIB)).status == 400


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
        lambda inner: (
            st.lists(inner, max_size=5)
            | st.dictionaries(
                st.sampled_from(["incidents", "reviews", "properties", "id", "status"])
                | st.text(max_size=5),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    )
)
@settings(deadline=None)
def test_any_json_is_judged_or_refused(document: Any) -> None:
    body = json.dumps(document).encode()
    verdicts: tuple[Verdict, ...] = ()
    with suppress(BadRequest):
        verdicts = judged(body).verdicts

    lists = (document.get(name, []) for name in ("incidents", "reviews")) if verdicts else ()
    assert len(verdicts) == sum(map(len, lists))


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_are_refused(body: bytes) -> None:
    assert refused(body).status == 400
