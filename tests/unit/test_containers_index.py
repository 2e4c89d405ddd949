"""The index of names: every searchable part of a name begins a row."""

import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.catalog.containers import normalized, rests_of
from relay.entities.moment import moment_of

# Few letters, so that names are repetitive.
NAMES = st.one_of(st.text("ab ", max_size=255), st.text(max_size=255)).map(normalized)
INDEXED = 100


@given(NAMES, st.data())
def test_every_part_of_a_name_begins_a_row(name: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(name)))
    part = normalized(name[start : data.draw(st.integers(start, len(name)))])
    assert any(rest.startswith(part[:INDEXED]) for rest, _ in rests_of(name))


@given(NAMES)
def test_the_whole_name_has_the_one_row_that_is_marked_as_such(name: str) -> None:
    rows = list(rests_of(name))
    assert [rest for rest, mark in rows if mark == "0"] == [name[:INDEXED]]


@given(NAMES)
def test_every_row_is_needed(name: str) -> None:
    rests = [rest for rest, _ in rests_of(name)]
    assert len(set(rests)) == len(rests) <= max(len(name), 1)
    whole, *others = rests
    for rest in others:
        assert rest in name
        assert not any(one != rest and one.startswith(rest) for one in (whole, *others))


@pytest.mark.parametrize(
    ("name", "rests"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("aaaa", ["aaaa"]),
        ("banana", ["banana", "anana", "nana"]),
        ("api of api", ["api of api", "pi of api", "i of api", "of api", "f api"]),
    ],
)
def test_a_prefix_of_another_row_has_no_row(name: str, rests: list[str]) -> None:
    assert sorted(rest for rest, _ in rests_of(name)) == sorted(rests)


@given(st.text())
def test_names_are_compared_ignoring_case_accents_and_extra_space(text: str) -> None:
    plain = normalized(text)
    assert normalized(plain) == plain
    assert plain == plain.strip()
    assert "\0" not in plain
    assert not any(unicodedata.combining(mark) for mark in plain)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("ÜBER", "uber"),
        ("Straße", "STRASSE"),
        ("İstanbul", "istanbul"),
        ("ℌello", "hello"),  # noqa: RUF001
        ("ﬁle", "FILE"),
        ("Ångström", "A\u030angstro\u0308m"),
        ("  a \t b ", "A\u00a0B"),
        ("ᾳ", "ΑΙ"),  # noqa: RUF001
    ],
)
def test_equivalent_names_are_the_same_name(text: str, other: str) -> None:
    assert normalized(text) == normalized(other)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T09:30:00Z", datetime(2026, 1, 31, 9, 30, tzinfo=UTC)),
        ("2026-01-31t23:59:60z", datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)),
        ("2026-01-31T09:30:00.123456789+05:30", datetime(2026, 1, 31, 4, 0, 0, 123456, UTC)),
        ("0001-01-01T00:00:00+14:00", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59-14:00", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_every_rfc_3339_date_is_parsed(text: str, moment: datetime) -> None:
    assert moment_of(text) == moment
