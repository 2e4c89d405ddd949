"""Incidents and reviews: every limit of Jira's, at it and on both sides of it."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from infra.jira_simulator import schemas as jira
from relay.entities import fields
from relay.entities.document import details_of
from relay.entities.model import MODELS, Kind
from tests.support.bodies import IDS
from tests.support.entities import incident, review

Make = Callable[[int], Any]

ASSOCIATION = {"associationType": "issueIdOrKeys", "values": ["OPS-1"]}
LISTS = {Kind.INCIDENT: "affectedComponents", Kind.REVIEW: "reviews"}
STATUSES = {
    Kind.INCIDENT: ["open", "resolved", "unknown"],
    Kind.REVIEW: ["in progress", "outstanding actions", "completed", "unknown"],
}
OPTIONAL = {Kind.INCIDENT: ["severity", "associations"], Kind.REVIEW: ["associations"]}

both_kinds = pytest.mark.parametrize("kind", Kind)


def entity(kind: Kind, **changed: Any) -> dict[str, Any]:
    changed = {"url": "https://ops.example.com/1"} | changed
    return incident(**changed) if kind is Kind.INCIDENT else review(**changed)


def broken_rules(kind: Kind, document: Any) -> list[tuple[str, str]]:
    """The (path, rule) of each finding; empty for an accepted entity."""
    try:
        MODELS[kind].model_validate(document)
    except ValidationError as error:
        return [(detail.path, detail.rule) for detail in details_of(error)]
    return []


# --- Limits ---


@dataclass(frozen=True)
class Limit:
    """`make(n)` is the field's value at size n. `at` is the path that a finding names, and
    `too_much` its rule above the maximum.
    """

    field: str
    make: Make
    least: int
    most: int
    at: str = ""
    too_much: str = "string_too_long"

    def __str__(self) -> str:
        return self.at or self.field

    def of(self, kind: Kind, size: int) -> dict[str, Any]:
        return entity(kind, **{self.field: self.make(size)})


def _association(**changed: Any) -> dict[str, Any]:
    return ASSOCIATION | changed


def _limits(kind: Kind) -> list[Limit]:
    ids = LISTS[kind]
    return [
        Limit("id", "x".__mul__, 1, fields.ID_MAX),
        # None of its bytes is ASCII: characters are counted, not bytes.
        Limit("id", "🔥".__mul__, 1, fields.ID_MAX),
        Limit(
            "updateSequenceNumber",
            int,
            fields.INT64_MIN,
            fields.INT64_MAX,
            too_much="less_than_equal",
        ),
        Limit("summary", "é".__mul__, 0, fields.TEXT_MAX),
        Limit("description", "\n".__mul__, 0, fields.DESCRIPTION_MAX),
        Limit("url", lambda size: "https://a/".ljust(size, "b")[:size], 9, fields.URL_MAX),
        Limit(ids, lambda size: ["api"] * size, 1, fields.LIST_MAX, too_much="too_long"),
        Limit(ids, lambda size: ["ok", "x" * size], 1, fields.ID_MAX, f"{ids}[1]"),
        Limit(
            "associations",
            lambda size: [ASSOCIATION] * size,
            1,
            fields.LIST_MAX,
            too_much="too_long",
        ),
        Limit(
            "associations",
            lambda size: [_association(values=["OPS-1"] * size)],
            0,
            fields.ASSOCIATION_VALUES_MAX,
            "associations[0].values",
            "too_long",
        ),
        Limit(
            "associations",
            lambda size: [_association(values=["x" * size])],
            0,
            fields.TEXT_MAX,
            "associations[0].values[0]",
        ),
        Limit(
            "lastUpdated",
            lambda size: "2026-01-31T09:30:00.".ljust(size - 1, "1") + "Z",
            22,
            fields.DATE_TIME_MAX,
        ),
    ]


def _each(least: int | None = None) -> list[Any]:
    return [
        pytest.param(kind, limit, id=f"{kind} {limit}")
        for kind in Kind
        for limit in _limits(kind)
        if limit.least != least
    ]


every_limit = pytest.mark.parametrize(("kind", "limit"), _each())


def test_the_limits_are_the_numbers_of_jiras_reference() -> None:
    assert (fields.INT64_MIN, fields.INT64_MAX) == (-(2**63), 2**63 - 1)
    assert (fields.ID_MAX, fields.TEXT_MAX, fields.DESCRIPTION_MAX) == (255 - 9, 255, 5000)
    assert (fields.URL_MAX, fields.LIST_MAX, fields.PROPERTIES_MAX) == (2000, 100, 5 - 1)
    assert fields.ASSOCIATION_VALUES_MAX == 500


@every_limit
def test_a_value_within_its_limits_is_accepted(kind: Kind, limit: Limit) -> None:
    for size in (limit.least, limit.least + 1, limit.most - 1, limit.most):
        assert broken_rules(kind, limit.of(kind, size)) == []


@every_limit
def test_one_above_the_maximum_is_refused_with_its_path(kind: Kind, limit: Limit) -> None:
    assert broken_rules(kind, limit.of(kind, limit.most + 1)) == [(str(limit), limit.too_much)]


@pytest.mark.parametrize(("kind", "limit"), _each(least=0))
def test_one_below_the_minimum_is_refused_with_its_path(kind: Kind, limit: Limit) -> None:
    assert [path for path, _ in broken_rules(kind, limit.of(kind, limit.least - 1))] == [str(limit)]


@both_kinds
def test_all_associations_together_have_500_values_at_most(kind: Kind) -> None:
    def spread(*counts: int) -> list[dict[str, Any]]:
        return [_association(values=["OPS-1"] * count) for count in counts]

    assert broken_rules(kind, entity(kind, associations=spread(250, 250))) == []
    assert broken_rules(kind, entity(kind, associations=spread(250, 251))) == [
        ("associations", "too_many_values")
    ]


# --- Fields ---


@pytest.mark.parametrize(
    ("kind", "field"), [(kind, field) for kind in Kind for field in entity(kind)]
)
def test_each_required_field_must_be_present(kind: Kind, field: str) -> None:
    document = entity(kind)
    del document[field]

    expected = [] if field in OPTIONAL[kind] else [(field, "missing")]
    assert broken_rules(kind, document) == expected


@both_kinds
def test_an_unknown_field_is_refused(kind: Kind) -> None:
    found = broken_rules(kind, entity(kind, priority="high"))

    assert found == [("priority", "extra_forbidden")]


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"severity": {"level": "P1", "name": "Critical"}}, "severity.name"),
        ({"associations": [_association(extra=1)]}, "associations[0].extra"),
    ],
)
def test_an_unknown_field_within_a_field_is_refused(changed: dict[str, Any], path: str) -> None:
    assert broken_rules(Kind.INCIDENT, incident(**changed)) == [(path, "extra_forbidden")]


def test_a_field_of_the_other_entity_kind_is_refused() -> None:
    assert broken_rules(Kind.INCIDENT, incident(reviews=["inc-1"])) == [
        ("reviews", "extra_forbidden")
    ]
    found = broken_rules(Kind.REVIEW, review(affectedComponents=["a"], severity={"level": "P1"}))
    assert sorted(found) == [
        ("affectedComponents", "extra_forbidden"),
        ("severity", "extra_forbidden"),
    ]


@both_kinds
def test_null_for_an_optional_field_counts_as_absent_and_is_not_sent(kind: Kind) -> None:
    document = entity(kind, **dict.fromkeys(OPTIONAL[kind]))
    sent = MODELS[kind].model_validate(document).as_json()

    assert sent == {name: value for name, value in document.items() if value is not None}


@both_kinds
def test_null_for_a_required_field_is_refused(kind: Kind) -> None:
    for field in entity(kind):
        if field not in OPTIONAL[kind]:
            assert [path for path, _ in broken_rules(kind, entity(kind, **{field: None}))] == [
                field
            ]


@both_kinds
def test_the_submitted_entity_is_sent_to_jira_unchanged(kind: Kind) -> None:
    document = entity(kind, associations=[ASSOCIATION], description="**Zürich** 🔥\n")

    assert MODELS[kind].model_validate(document).as_json() == document


# --- Types ---

NO_TEXT = [True, 1, 1.5, [], {}, ["text"], b"text"]
NO_INTEGER = [True, False, 1.0, 1e3, float("nan"), float("inf"), "1", [1], {}]
NO_LIST = ["api", {"0": "api"}, 1, True, ("api",), {"api"}]
NO_OBJECT = ["P1", ["P1"], 1, True]
WRONG_TYPES: dict[str, list[Any]] = {
    "schemaVersion": [*NO_TEXT, 1.0],
    "id": NO_TEXT,
    "updateSequenceNumber": NO_INTEGER,
    "summary": NO_TEXT,
    "description": NO_TEXT,
    "url": NO_TEXT,
    "createdDate": [*NO_TEXT, 1769851800000],
    "lastUpdated": NO_TEXT,
    "status": NO_TEXT,
    "associations": [*NO_LIST, ["OPS-1"], [None], [[]]],
}


@pytest.mark.parametrize(
    ("kind", "field", "values"),
    [(kind, field, values) for kind in Kind for field, values in WRONG_TYPES.items()]
    + [(Kind.INCIDENT, "severity", NO_OBJECT)]
    + [(kind, field, [*NO_LIST, [1], [None], [["api"]]]) for kind, field in LISTS.items()],
)
def test_no_value_is_converted_to_another_type(kind: Kind, field: str, values: list[Any]) -> None:
    for value in values:
        found = broken_rules(kind, entity(kind, **{field: value}))
        assert found, f"{value!r} was taken"
        assert all(re.split(r"[.\[]", path)[0] == field for path, _ in found)


@both_kinds
@pytest.mark.parametrize("document", [None, True, 1, "incident", [], [{}]])
def test_an_entity_must_be_an_object(kind: Kind, document: Any) -> None:
    assert [path for path, _ in broken_rules(kind, document)] == [""]


@both_kinds
@pytest.mark.parametrize("field", ["id", "summary", "description", "url"])
def test_a_lone_surrogate_is_no_valid_string(kind: Kind, field: str) -> None:
    assert broken_rules(kind, entity(kind, **{field: "https://a/\ud83d"})) == [
        (field, "string_unicode")
    ]


# --- Enumerations ---


@both_kinds
def test_each_status_of_the_kind_is_accepted_and_no_other(kind: Kind) -> None:
    everything = {status for statuses in STATUSES.values() for status in statuses}
    others = (everything - set(STATUSES[kind])) | {"", "Open", "OPEN", " unknown", "closed"}

    for status in STATUSES[kind]:
        assert broken_rules(kind, entity(kind, status=status)) == []
    for status in others:
        assert broken_rules(kind, entity(kind, status=status)) == [("status", "literal_error")]


@pytest.mark.parametrize("level", ["P1", "P2", "P3", "P4", "P5", "unknown"])
def test_each_level_of_severity_is_accepted(level: str) -> None:
    assert broken_rules(Kind.INCIDENT, incident(severity={"level": level})) == []


@pytest.mark.parametrize("level", ["P0", "P6", "p1", "", "high", 1, None])
def test_any_other_level_of_severity_is_refused(level: Any) -> None:
    found = broken_rules(Kind.INCIDENT, incident(severity={"level": level}))
    assert found == [("severity.level", "literal_error")]


def test_a_severity_needs_a_level() -> None:
    assert broken_rules(Kind.INCIDENT, incident(severity={})) == [("severity.level", "missing")]


@pytest.mark.parametrize(
    "known", ["issueIdOrKeys", "serviceIdOrKeys", "ati:cloud:compass:event-source"]
)
def test_each_type_of_association_is_accepted(known: str) -> None:
    associations = [_association(associationType=known)]
    assert broken_rules(Kind.REVIEW, review(associations=associations)) == []


@pytest.mark.parametrize("unknown", ["issueKeys", "", "ISSUEIDORKEYS", None])
def test_any_other_type_of_association_is_refused(unknown: Any) -> None:
    found = broken_rules(Kind.REVIEW, review(associations=[_association(associationType=unknown)]))
    assert found == [("associations[0].associationType", "literal_error")]


@pytest.mark.parametrize("version", ["1", "1.1", "2.0", "", "1.0 "])
def test_the_schema_version_is_1_0(version: str) -> None:
    found = broken_rules(Kind.INCIDENT, incident(schemaVersion=version))

    assert found == [("schemaVersion", "literal_error")]


# --- Date-times ---

DATE_TIMES = [
    "2026-01-31T09:30:00Z",
    "2026-01-31t09:30:00z",
    "2026-01-31T09:30:00.1Z",
    "2026-01-31T09:30:00.123456789Z",
    "2026-01-31T09:30:00+01:00",
    "2026-01-31T09:30:00-23:59",
    "2026-01-31T09:30:00-00:00",
    "2026-01-31T09:30:00.000+00:00",
    "2026-01-31T09:30:00+23:59",
    "2026-01-31T09:30:00.12345678901234567890123456789012Z",
    # before the first year, and after the last, in UTC
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2024-02-29T00:00:00Z",
    "2000-02-29T23:59:59Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    # a leap second: in the last minute of a UTC day, in any time zone
    "2016-12-31T23:59:60Z",
    "2017-01-01T00:59:60+01:00",
    "2016-12-31T15:59:60.5-08:00",
]
NO_DATE_TIMES = [
    "",
    "today",
    "1769851800",
    "1769850000000",
    "2026-01-31",
    "2026-01-31T09:30:00",
    "2026-01-31T09:30Z",
    "2026-01-31 09:30:00Z",
    "2026-01-31T09:30:00 Z",
    " 2026-01-31T09:30:00Z",
    "2026-01-31T09:30:00Z\n",
    "2026-01-31T09:30:00.Z",
    "2026-01-31T09:30:00,5Z",
    "2026-01-31T9:30:00Z",
    "20260131T093000Z",
    "2026-W05-6T09:30:00Z",
    "26-01-31T09:30:00Z",
    "12026-01-31T09:30:00Z",
    "0000-01-01T00:00:00Z",
    "2026-00-31T09:30:00Z",
    "2026-13-31T09:30:00Z",
    "2026-01-00T09:30:00Z",
    "2026-01-32T09:30:00Z",
    "2026-04-31T09:30:00Z",
    "2026-02-29T09:30:00Z",
    "2026-02-30T00:00:00Z",
    "1900-02-29T09:30:00Z",
    "2026-01-31T24:00:00Z",
    "2026-01-31T09:60:00Z",
    "2026-01-31T09:30:61Z",
    "2016-12-31T23:58:60Z",
    "2016-12-31T22:59:60Z",
    "2016-12-31T23:59:60+01:00",
    "2026-01-31T09:30:00+24:00",
    "2026-01-31T09:30:00+01:60",
    "2026-01-31T09:30:00+0100",
    "2026-01-31T09:30:00+0000",
    "2026-01-31T09:30:00+01",
    "2026-01-31T09:30:00+1:00",
    "2026-01-31T09:30:00ZZ",
    "2026-01-31T09:30:00 CET",
    # digits that RFC 3339 does not allow
    "\u0662\u0660\u0662\u0666-01-31T09:30:00Z",
    "\uff12026-01-31T09:30:00Z",
    "\uff12\uff10\uff12\uff16-01-31T09:30:00Z",
]


@pytest.mark.parametrize("field", ["createdDate", "lastUpdated"])
def test_rfc_3339_is_accepted_and_preserved(field: str) -> None:
    for value in DATE_TIMES:
        valid = MODELS[Kind.INCIDENT].model_validate(entity(Kind.INCIDENT, **{field: value}))
        assert valid.as_json()[field] == value


@pytest.mark.parametrize("field", ["createdDate", "lastUpdated"])
@pytest.mark.parametrize("value", NO_DATE_TIMES)
def test_a_date_outside_rfc_3339_is_refused(field: str, value: str) -> None:
    document = entity(Kind.INCIDENT, **{field: value})
    assert broken_rules(Kind.INCIDENT, document) == [(field, "date_time")]


# --- URLs ---

URLS = [
    "https://ops.example.com/incidents/1",
    "https://ops.example.com",
    "HTTPS://OPS.EXAMPLE.COM/",
    "http://user:secret@ops.example.com:8443/a/b;c=d?e=f&g=/?#h?/i",
    "https://ops.example.com:/",
    "https://127.0.0.1/",
    "https://[2001:db8::1]:8443/x",
    "https://[::ffff:192.0.2.1]/",
    "https://xn--zrich-kva.example/%C3%A9",
    "https://ops.example.com/a%20b",
    "https://ops.example.com//double//slashes/../",
    "https://ops.example.com:1/",
    "https://ops.example.com:65535/",
    # a private network may have its own names and addresses
    "http://localhost",
    "https://[::1]/x",
    "https://xn--nxasmq6b/",
    # credentials in a link are the link's own business
    "https://user:pw@ops.example.com/",
]
NO_URLS = [
    # a scheme that a person does not follow in a browser
    "javascript:alert(1)",
    "JavaScript://ops.example.com/%0aalert(1)",
    "data:text/html,x",
    "mailto:oncall@example.com",
    "urn:incident:1",
    "pagerduty+app://incidents/1",
    "file:///var/log",
    "ftp://x",
    "x:",
    "//ops.example.com/x",
    # no server can listen there
    "https://ops.example.com:99999/",
    "https://ops.example.com:65536/",
    "https://ops.example.com:0/",
    # an address as a browser shows it: RFC 3986 has these percent-encoded, and the host in punycode
    "https://ops.example.com/i/1?q=a|b",
    "https://grafana.example.com/d/x?var={a,b}&from=now-1h",
    "https://ops.example.com/ünïcode",
    "https://例え.jp/",
    "",
    " ",
    "incidents/1",
    "/incidents/1",
    "//ops.example.com/incidents/1",
    "ops.example.com/incidents/1",
    "#1",
    ":",
    "1https://ops.example.com",
    "ht tps://ops.example.com",
    "https:",
    "https://",
    "https:///incidents/1",
    "https://:443/",
    "https://user@/",
    "https:incidents/1",
    "https://ops.example.com/a b",
    " https://ops.example.com/",
    "https://ops.example.com/\n",
    "https://ops.example.com/\tx",
    "https://ops.example.com/\x00",
    "https://ops.example.com/é",
    "https://zürich.example/",
    "https://ops.example.com/%",
    "https://ops.example.com/%2",
    "https://ops.example.com/%zz",
    "https://ops.example.com/[1]",
    "https://ops.example.com/?q=[1]",
    "https://ops.example.com/<script>",
    'https://ops.example.com/"',
    "https://ops.example.com/{id}",
    "https://ops.example.com/a|b",
    "https://ops.example.com/a\\b",
    "https://ops.example.com/a^b`",
    "https://ops.example.com/#a#b",
    "https://ops.example.com:port/",
    "https://[2001:db8::1/",
    "https://[]/",
    "https://[1]/",
    "https://[:::]/",
    "https://[::1]x/",
    "https://a@b@c/",
]


@pytest.mark.parametrize("value", URLS)
def test_an_http_url_with_a_host_is_accepted(value: str) -> None:
    assert broken_rules(Kind.INCIDENT, incident(url=value)) == []


@pytest.mark.parametrize("value", NO_URLS)
def test_a_link_without_http_or_a_host_is_refused(value: str) -> None:
    assert broken_rules(Kind.INCIDENT, incident(url=value)) == [("url", "uri")]


# --- Against an independent implementation of the contract: the Jira simulator's ---

JIRAS_KINDS = {Kind.INCIDENT: jira.Kind.INCIDENT, Kind.REVIEW: jira.Kind.REVIEW}


def in_jira(kind: Kind, document: Any) -> list[str]:
    """The simulator's objections to an entity."""
    return jira.ENTITY[JIRAS_KINDS[kind]].problems(document)


def is_only_relays(field: str, rule: str) -> bool:
    """Whether Relay deliberately refuses what Jira documents as valid: a URI that is not an HTTP
    URL, an id without room for the workspace's key, and an empty id in a list of ids.
    """
    return (field, rule) in {("url", "uri"), ("id", "string_too_long")} or (
        field.endswith("]") and rule == "string_too_short"
    )


def _sized(least: int, most: int) -> st.SearchStrategy[str]:
    """Any text, and text at and around its limits."""
    sizes = [size for size in (0, least, most - 1, most, most + 1) if size >= least]
    return st.text(min_size=least, max_size=20) | st.sampled_from(sizes).map("x".__mul__)


ids = _sized(1, fields.ID_MAX)
lists_of_ids = st.lists(st.text(min_size=1, max_size=5), max_size=3) | st.sampled_from(
    [99, 100, 101]
).map(lambda size: ["api"] * size)

date_times = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["2026-01-31", "2024-02-29", "2023-02-29", "2026-13-01", "2026-1-31"]),
        st.sampled_from(["T", "t", " ", "", "_"]),
        st.sampled_from(["09:30:00", "23:59:59.5", "24:00:00", "09:60:00", "09:30", "09:30:00."]),
        st.sampled_from(["Z", "z", "", "+01:00", "-23:59", "+24:00", "+0100", "+01:60", "Z\n"]),
    ),
) | st.sampled_from([value for value in DATE_TIMES + NO_DATE_TIMES if ":60" not in value])

uris = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["https:", "HTTP:", "mailto:", "a+b.c-1:", "1a:", ":", ""]),
        st.sampled_from(["//", "//a", "//u@h:1", "//[::1]", "//[::1", "//:1", "", "/", "//a@b@c"]),
        st.text("ab/:@%20;=é []|", max_size=6),
        st.sampled_from(["", "?", "?a=b?/", "? ", "?[", "#", "#a?/", "#a#b"]),
    ),
) | st.sampled_from(
    [value for value in URLS + NO_URLS if "[1]/" not in value and ":::" not in value]
)

associations = st.fixed_dictionaries(
    {
        "associationType": st.sampled_from(
            ["issueIdOrKeys", "serviceIdOrKeys", "ati:cloud:compass:event-source", "issueKeys"]
        ),
        "values": st.lists(st.text(max_size=5), max_size=3),
    }
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
junk = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)


def _fields(kind: Kind) -> dict[str, st.SearchStrategy[Any]]:
    """For each field, valid values and some just beyond."""
    edges = st.sampled_from([-(2**63), -(2**63) - 1, 2**63 - 1, 2**63])
    strategies: dict[str, st.SearchStrategy[Any]] = {
        "id": ids,
        "updateSequenceNumber": st.integers() | edges,
        "summary": _sized(0, fields.TEXT_MAX),
        "description": _sized(0, fields.DESCRIPTION_MAX),
        "url": uris,
        "createdDate": date_times,
        "lastUpdated": date_times,
        "status": st.sampled_from([*STATUSES[kind], "closed"]),
        "associations": st.none() | st.lists(associations, max_size=2),
        LISTS[kind]: lists_of_ids,
    }
    levels = st.sampled_from(["P1", "P5", "unknown", "P6"])
    severity = st.none() | st.fixed_dictionaries({"level": levels})
    return strategies | ({"severity": severity} if kind is Kind.INCIDENT else {})


@st.composite
def nearly_valid(draw: st.DrawFn, kind: Kind) -> dict[str, Any]:
    """A valid entity with some fields redrawn, sometimes with invalid values."""
    document = entity(kind)
    strategies = _fields(kind)
    for field in draw(st.sets(st.sampled_from(sorted(strategies)), max_size=3)):
        document[field] = draw(strategies[field])
    change = draw(st.sampled_from(["none", "none", "none", "drop", "add", "replace", "add within"]))
    field = draw(st.sampled_from(sorted(document)))
    if change == "drop":
        del document[field]
    elif change == "add":
        document[draw(st.text(max_size=5))] = draw(junk)
    elif change == "replace":
        document[field] = draw(junk)
    elif change == "add within" and document.get("associations"):
        document["associations"][0][draw(st.text(max_size=3))] = draw(scalars)
    return document


@both_kinds
@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_relay_accepts_exactly_what_jira_accepts(kind: Kind, data: st.DataObject) -> None:
    document = data.draw(nearly_valid(kind))
    # For Relay, null is an absent optional field, and it sends none.
    without_null = {
        name: value
        for name, value in document.items()
        if not (value is None and name in OPTIONAL[kind])
    }

    findings = broken_rules(kind, document)

    if not findings or not all(is_only_relays(*finding) for finding in findings):
        objections = in_jira(kind, without_null)
        assert bool(findings) == bool(objections), (findings, objections)
    if not findings:
        sent = IDS.entity_at_site(MODELS[kind].model_validate(document).as_json())
        assert in_jira(kind, sent) == []


@settings(deadline=None, max_examples=200)
@given(value=date_times)
def test_relay_and_the_simulator_accept_the_same_date_times(value: str) -> None:
    document = entity(Kind.REVIEW, createdDate=value)

    assert bool(broken_rules(Kind.REVIEW, document)) == bool(in_jira(Kind.REVIEW, document))


def leads_to_a_server(uri: str) -> bool:
    parts = urlsplit(uri)
    try:
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0


@settings(deadline=None, max_examples=300)
@given(value=uris)
def test_relay_and_the_simulator_accept_the_same_http_urls(value: str) -> None:
    document = entity(Kind.REVIEW, url=value)
    is_good = not broken_rules(Kind.REVIEW, document)

    assert is_good == (not in_jira(Kind.REVIEW, document) and leads_to_a_server(value))


@both_kinds
def test_jira_accepts_every_entity_that_relay_accepts_at_its_limits(kind: Kind) -> None:
    for limit in _limits(kind):
        for size in (limit.least, limit.most):
            sent = MODELS[kind].model_validate(limit.of(kind, size)).as_json()
            assert in_jira(kind, json.loads(json.dumps(sent))) == []
