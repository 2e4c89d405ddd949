"""A submission as a whole, and the verdict on each of its entities."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from relay.entities.document import DETAILS_SHOWN_MAX
from relay.entities.fields import FIELDS_MAX, ID_MAX, PROPERTIES_MAX, TEXT_MAX
from relay.entities.model import EntityKey, Kind
from relay.entities.submission import (
    DETAILS_MAX,
    ENTITY_BYTES_MAX,
    Submission,
    Verdict,
    parse_submission,
)
from relay.errors import BadRequest, Detail, TooLarge
from tests.support.entities import incident, review

MIB = 1024 * 1024
# Never part of Relay's own messages.
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
        b'{"incidents": [{}',
        b'{"incidents": [{}]',
        b'{"incidents": [{"id": "x}]}',
        b'{"incidents": [{}}]',
        b'{"incidents": [{},]}',
        b'{"incidents": [,{}]}',
        b'{"incidents": [{}] "reviews": []}',
        b'{"incidents": [{"id": "\\ud83d"}]]}',
        b'{"properties": NaN, }',
        '{"incidents": []}'.encode("utf-16"),
        b"\x1f\x8b\x08",
        b"\xef\xbb\xbf",
    ],
)
def test_a_malformed_body_is_refused(body: bytes) -> None:
    error = refused(body)

    assert error.status == 400
    assert places(error.details) == [("", "json")]


@pytest.mark.parametrize("body", [b"null", b"true", b"1", b'"text"', b"[]", b'[{"incidents": []}]'])
def test_a_body_that_is_not_an_object_is_refused(body: bytes) -> None:
    assert [path for path, _ in places(refused(body).details)] == [""]


@pytest.mark.parametrize(
    "body", [{}, {"incidents": []}, {"incidents": [], "reviews": []}, {"properties": {"a": "b"}}]
)
def test_a_submission_without_an_entity_is_refused(body: dict[str, Any]) -> None:
    assert places(refused(body).details) == [("incidents", "missing")]


@pytest.mark.parametrize("field", ["incidents", "reviews"])
@pytest.mark.parametrize("value", [{}, "", 1, incident()])
def test_entities_must_be_in_lists(field: str, value: Any) -> None:
    assert places(refused({field: value}).details) == [(field, "list_type")]


def test_every_unknown_field_is_named() -> None:
    error = refused({"incidents": [incident()], "incident": {}, "operationType": "NORMAL"})

    assert places(error.details) == [
        ("incident", "extra_forbidden"),
        ("operationType", "extra_forbidden"),
    ]


@pytest.mark.parametrize("field", ["reviews", "properties", "providerMetadata"])
def test_null_counts_as_absent(field: str) -> None:
    (state,) = judged({"incidents": [incident()], field: None}).accepted

    assert (state.properties, state.product) == ({}, "")


def test_null_lists_contain_no_entities() -> None:
    body = {"incidents": None, "reviews": None}

    assert places(refused(body).details) == [("incidents", "missing")]


def test_a_byte_order_mark_is_skipped() -> None:
    body = json.dumps({"incidents": [incident()]}).encode("utf-8-sig")

    assert len(judged(body).accepted) == 1


def test_one_kind_of_entity_is_enough() -> None:
    assert [verdict.kind for verdict in judged({"reviews": [review()]}).verdicts] == [Kind.REVIEW]
    assert [verdict.kind for verdict in judged({"incidents": [incident()]}).verdicts] == [
        Kind.INCIDENT
    ]


# --- One bad value ---


def beside_good_ones(entity: bytes) -> Submission:
    """The entity between two valid ones, which must be accepted."""
    good = [json.dumps(incident(name)).encode() for name in ("first", "last")]
    submission = judged(b'{"incidents": [%s, %s, %s]}' % (good[0], entity, good[1]))
    assert [state.key.id for state in submission.accepted] == ["first", "last"]
    return submission


def with_value(field: str, value: bytes) -> bytes:
    """An incident whose field has this value."""
    return json.dumps(incident("bad") | {field: "MARK"}).encode().replace(b'"MARK"', value)


def short(value: bytes | str) -> str:
    """A case's name."""
    return str(value)[:30]


DEEP = [b"[" * depth + b"]" * depth for depth in (150, 500, 100_000)] + [
    b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    b'[{"a":' * 100_000 + b"1" + b"}]" * 100_000,
]


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        # a lone surrogate: JavaScript leaves it where it cuts an emoji
        ("summary", b'"aaaaaaaaaa\\ud83d"', "string_unicode"),
        ("description", b'"\\ude00\\ud83d"', "string_unicode"),
        ("url", b'"https://ops.example.com/\\udfff"', "string_unicode"),
        ("status", b'"open\\ud83d"', "string_unicode"),
        # not UTF-8: Latin-1, an encoded surrogate, a truncated character
        ("summary", b'"caf\xe9"', "string_unicode"),
        ("summary", b'"\xed\xa0\xbd"', "string_unicode"),
        ("summary", b'"\xf0\x9f"', "string_unicode"),
        ("updateSequenceNumber", b"9" * 5000, "less_than_equal"),
        ("updateSequenceNumber", b"-" + b"9" * 5000, "greater_than_equal"),
        ("updateSequenceNumber", b"1" + b"0" * MIB, "less_than_equal"),
        ("updateSequenceNumber", b"1e999", "int_type"),
        ("updateSequenceNumber", b"1." + b"9" * 5000, "int_type"),
        ("updateSequenceNumber", b"NaN", "int_type"),
        ("updateSequenceNumber", b"Infinity", "int_type"),
        ("updateSequenceNumber", b"-Infinity", "int_type"),
        ("summary", b"9" * 5000, "string_type"),
        *(("summary", deep, "string_type") for deep in DEEP),
        *(("unknown", deep, "extra_forbidden") for deep in DEEP),
    ],
    ids=short,
)
def test_a_bad_value_rejects_its_entity_and_names_the_field(
    field: str, value: bytes, rule: str
) -> None:
    verdict = beside_good_ones(with_value(field, value)).verdicts[1]

    assert verdict.id == "bad"
    assert places(verdict.details) == [(f"incidents[1].{field}", rule)]


@pytest.mark.parametrize("deep", DEEP, ids=short)
def test_a_bad_value_deep_in_a_list_is_located(deep: bytes) -> None:
    association = b'{"associationType": "issueIdOrKeys", "values": ["OPS-1", %s]}' % deep

    verdict = beside_good_ones(with_value("associations", b"[%s]" % association)).verdicts[1]

    assert places(verdict.details) == [("incidents[1].associations[0].values[1]", "string_type")]


@pytest.mark.parametrize(
    ("entity", "rule"),
    [
        *((deep, "model_type") for deep in DEEP if deep.startswith(b"[")),
        (b"9" * 5000, "model_type"),
        (b"NaN", "model_type"),
        (b'"\\ud83d"', "model_type"),
        (with_value("\ud83d", b"1"), "string_unicode"),
        # malformed JSON
        (b'{"id": }', "json"),
        (b'{"id" "bad"}', "json"),
        (b"{'id': 1}", "json"),
        (b"[01]", "json"),
        (b"[}", "json"),
        (b"nothing", "json"),
        (with_value("summary", b'"two\nlines"'), "json"),
        (with_value("summary", b'"\\x"'), "json"),
        # Jira would use the last of the two; the intent is ambiguous.
        (with_value("summary", b'"\\ud83d", "summary": "good"'), "json"),
    ],
    ids=short,
)
def test_an_unreadable_entity_is_rejected_alone(entity: bytes, rule: str) -> None:
    verdict = beside_good_ones(entity).verdicts[1]

    assert places(verdict.details) == [("incidents[1]", rule)]


def test_bad_values_of_several_entities_are_all_found() -> None:
    bad = with_value("summary", b'"\\ud83d"')
    body = b'\xef\xbb\xbf{"reviews": [%s], "incidents": [%s,%s]}' % (
        json.dumps(review("r")).encode(),
        bad,
        bad,
    )

    submission = judged(body)

    assert [verdict.path for verdict in submission.verdicts] == [
        "incidents[0]",
        "incidents[1]",
        "reviews[0]",
    ]
    assert [state.key.id for state in submission.accepted] == ["r"]


@pytest.mark.parametrize(
    ("properties", "path", "rule"),
    [
        (b'{"team": "\\ud83d"}', "properties.team", "string_unicode"),
        (b'{"team": %s}' % DEEP[1], "properties.team", "string_type"),
        (DEEP[2], "properties", "dict_type"),
        (b'{"team": %s}' % (b"9" * 5000), "properties.team", "string_type"),
        (b'{"team": "a\nb"}', "", "json"),
    ],
    ids=short,
)
def test_a_bad_value_outside_the_entities_refuses_the_submission(
    properties: bytes, path: str, rule: str
) -> None:
    body = b'{"incidents": [%s], "properties": %s}' % (with_value("id", b'"i"'), properties)

    assert places(refused(body).details) == [(path, rule)]


def test_an_id_that_is_not_a_string_is_not_repeated() -> None:
    verdict = beside_good_ones(with_value("id", b'"\\ud83d"')).verdicts[1]

    assert verdict.id is None


@given(
    entity=st.text('[]{},:"\\ a1\n', max_size=30).map(str.encode) | st.binary(max_size=30),
    split=st.booleans(),
)
@settings(deadline=None)
def test_no_good_entity_is_lost_among_bad_ones(entity: bytes, split: bool) -> None:
    """Every valid one is accepted, unless the body as a whole is malformed."""
    good = json.dumps(incident()).encode()
    body = b'{"incidents": [%s,%s,%s]}' % (good, entity, good)
    if split:
        body = body.replace(b"{", b'{"properties": null, ', 1)
    with suppress(BadRequest):
        assert len(judged(body).accepted) >= 2


# --- providerMetadata ---


def test_the_product_is_kept_with_every_entity() -> None:
    body = {
        "incidents": [incident()],
        "reviews": [review()],
        "providerMetadata": {"product": "Ops Tool é"},
    }

    assert [state.product for state in judged(body).accepted] == ["Ops Tool é"] * 2


@pytest.mark.parametrize("metadata", [{}, {"product": None}, {"product": ""}])
def test_provider_metadata_may_be_empty(metadata: dict[str, Any]) -> None:
    (state,) = judged({"incidents": [incident()], "providerMetadata": metadata}).accepted

    assert state.product == ""


@pytest.mark.parametrize(
    ("metadata", "path", "rule"),
    [
        ("Ops Tool", "providerMetadata", "model_type"),
        ({"product": 1}, "providerMetadata.product", "string_type"),
        ({"product": "x" * (TEXT_MAX + 1)}, "providerMetadata.product", "string_too_long"),
        ({"version": "1"}, "providerMetadata.version", "extra_forbidden"),
    ],
)
def test_invalid_provider_metadata_refuses_the_submission(
    metadata: Any, path: str, rule: str
) -> None:
    body = {"incidents": [incident()], "providerMetadata": metadata}

    assert places(refused(body).details) == [(path, rule)]


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
def test_valid_properties_are_kept_with_every_entity(properties: dict[str, str]) -> None:
    body = {"incidents": [incident()], "reviews": [review()], "properties": properties}

    assert [state.properties for state in judged(body).accepted] == [properties, properties]


@pytest.mark.parametrize(
    ("properties", "path", "rule"),
    [
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
def test_invalid_properties_refuse_the_submission(properties: Any, path: str, rule: str) -> None:
    found = places(refused(with_properties(properties)).details)

    assert [found_rule for _, found_rule in found] == [rule]
    assert found[0][0].startswith(path)


# --- Verdicts ---


def test_a_bad_entity_does_not_affect_the_others() -> None:
    entities = [incident(f"inc-{number}") for number in range(100)]
    entities[57]["status"] = "burning"

    submission = judged({"incidents": entities})

    rejected = [verdict for verdict in submission.verdicts if not verdict.accepted]
    assert [verdict.id for verdict in rejected] == ["inc-57"]
    assert places(rejected[0].details) == [("incidents[57].status", "literal_error")]
    assert len(submission.accepted) == 99
    assert EntityKey(Kind.INCIDENT, "inc-57") not in {state.key for state in submission.accepted}


def test_verdicts_follow_the_submissions_order_incidents_first() -> None:
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
def test_the_accepted_entities_match_the_accepting_verdicts_in_order(
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


def test_every_state_of_an_entity_gets_its_own_verdict() -> None:
    body = {"incidents": [incident("i", 2), incident("i", 1), incident("i", 2)]}

    assert [state.sequence for state in judged(body).accepted] == [2, 1, 2]


def test_up_to_ten_findings_of_an_entity_are_returned() -> None:
    found = places(judged({"incidents": [{"id": "i", "status": "burning"}]}).verdicts[0].details)

    assert ("incidents[0].status", "literal_error") in found
    assert ("incidents[0].summary", "missing") in found
    assert len(found) == 9

    fields = dict.fromkeys((f"unknown{number}" for number in range(FIELDS_MAX // 2)), 1)
    verdict = judged({"incidents": [incident() | fields]}).verdicts[0]
    assert len(verdict.details) == DETAILS_SHOWN_MAX
    assert len(refused(fields).details) == DETAILS_SHOWN_MAX


def test_unknown_fields_are_named_up_to_a_limit() -> None:
    fields = dict.fromkeys((f"unknown{number}" for number in range(FIELDS_MAX + 1)), 1)

    for entity, path in (
        (fields, "incidents[0]"),
        (incident(severity=fields), "incidents[0].severity"),
        (incident(associations=[fields]), "incidents[0].associations[0]"),
    ):
        verdict = judged({"incidents": [entity]}).verdicts[0]
        assert places(verdict.details) == [(path, "too_many_fields")]
    assert places(refused(fields).details) == [("", "too_many_fields")]
    assert places(refused(with_properties(fields)).details) == [("properties", "too_many_fields")]
    metadata = {"incidents": [incident()], "providerMetadata": fields}
    assert places(refused(metadata).details) == [("providerMetadata", "too_many_fields")]


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
def test_a_rejected_entity_is_named_by_its_id_if_it_has_one(
    entity: Any, expected: str | None
) -> None:
    assert judged({"incidents": [entity]}).verdicts[0].id == expected


# --- Output ---


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
def test_no_submitted_value_is_repeated(changed: dict[str, Any]) -> None:
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


def test_a_long_submitted_name_is_truncated() -> None:
    name = '"' * MIB

    assert len(judged({"incidents": [incident() | {name: 1}]}).verdicts[0].details[0].path) < 150
    assert len(refused({name: 1}).details[0].path) < 150


# --- Size limits ---


def test_an_entity_too_large_for_the_record_is_rejected_before_it_is_queued() -> None:
    # Within every single limit of Jira's, but larger than one item of the database.
    large = [{"associationType": "issueIdOrKeys", "values": ["🔥" * TEXT_MAX] * 500}]
    half = [{"associationType": "issueIdOrKeys", "values": ["🔥" * TEXT_MAX] * 250}]

    verdicts = judged(
        {"incidents": [incident(associations=large), incident(associations=half)]}
    ).verdicts

    assert places(verdicts[0].details) == [("incidents[0]", "max_bytes")]
    assert verdicts[1].accepted


def test_the_largest_entity_is_exactly_as_large_as_documented() -> None:
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
        # Each of these becomes four bytes instead of one.
        whole, rest = divmod(missing, 3 * 200)
        grown = ["🔥" * 200] * whole + ["🔥" * (rest // 3) + "x" * (200 - rest // 3)]
        document["associations"][0]["values"] = grown + values[len(grown) :]
        document["summary"] += "x" * (rest % 3)
        return document

    assert judged({"incidents": [sized(0)]}).verdicts[0].accepted
    assert not judged({"incidents": [sized(1)]}).verdicts[0].accepted


@pytest.mark.parametrize("junk", [b"1", b"{}", b"NaN", b'"\\ud83d"'])
def test_four_mebibytes_of_junk_are_refused_early(junk: bytes) -> None:
    count = 4 * MIB // (len(junk) + 1) - 10
    body = b'{"incidents":[%s]}' % b",".join([junk] * count)
    assert len(body) <= 4 * MIB

    error = refused(body)

    assert isinstance(error, TooLarge)
    assert error.details[0].rule == "max_details"
    assert count > DETAILS_MAX


def test_as_many_details_as_fit_are_returned() -> None:
    body = b'{"reviews":[%s]}' % b",".join([b"1"] * DETAILS_MAX)

    assert len(judged(body).verdicts) == DETAILS_MAX


@pytest.mark.parametrize("opened", [b"[", b'{"a":', b'[{"a":'])
def test_extreme_nesting_is_refused_without_a_crash(opened: bytes) -> None:
    deep = opened * (4 * MIB // len(opened))

    assert places(refused(deep).details) == [("", "json")]
    assert places(refused(b'{"incidents":[' + deep).details) == [("", "json")]


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


def test_a_number_with_millions_of_digits_is_rejected() -> None:
    (verdict,) = judged(b'{"incidents":[%s]}' % (b"9" * 4 * MIB)).verdicts

    assert places(verdict.details) == [("incidents[0]", "model_type")]


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
def test_any_json_gets_verdicts_or_is_refused(document: Any) -> None:
    body = json.dumps(document).encode()
    verdicts: tuple[Verdict, ...] = ()
    with suppress(BadRequest):
        verdicts = judged(body).verdicts

    lists = (document.get(name) or [] for name in ("incidents", "reviews")) if verdicts else ()
    assert len(verdicts) == sum(map(len, lists))


@given(st.binary(max_size=200))
@example(b'{"incidents":[\x00]}')
@settings(deadline=None)
def test_random_bytes_are_never_accepted(body: bytes) -> None:
    """They are refused as a whole, or each as an invalid entity."""
    with suppress(BadRequest):
        assert parse_submission(body).accepted == ()
