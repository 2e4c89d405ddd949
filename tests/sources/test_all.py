"""What holds for every kind of source."""

import json
import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.errors import BadRequest
from relay.sources.tool import KINDS, tool_of
from tests.sources.samples import document, samples, translated
from tests.support.template import ROOT

PAGES = ROOT / "docs" / "sources"
ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "\0", "/", "x" * 6000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value inside the payload."""
    found = [path]
    if isinstance(value, dict):
        found += [place for name, inner in value.items() for place in places(inner, (*path, name))]
    if isinstance(value, list):
        found += [
            place for number, inner in enumerate(value) for place in places(inner, (*path, number))
        ]
    return found


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


def shown(kind: str) -> tuple[Any, Any]:
    """The example on the page of the kind: what the tool sends, and what Jira gets."""
    page = (PAGES / f"{kind}.md").read_text("utf-8")
    before, after = re.findall(r"```json\n(.*?)```", page[page.index("## Example") :], re.DOTALL)
    return json.loads(before), json.loads(after)


@pytest.mark.parametrize("kind", KINDS)
@given(st.data())
def test_any_value_at_any_place_is_mapped_or_refused(kind: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(samples(kind))))
    payload = samples(kind)[name]
    place = data.draw(st.sampled_from(places(payload)))
    broken = replaced(payload, place, data.draw(ANY_JSON))

    with suppress(BadRequest):
        translated(kind, broken)


@pytest.mark.parametrize("kind", KINDS)
def test_the_documented_sample_arrives(kind: str) -> None:
    found = translated(kind, shown(kind)[0])

    assert found.states
    assert not found.refused


@pytest.mark.parametrize("kind", KINDS)
def test_a_payload_of_another_tool_is_refused(kind: str) -> None:
    with pytest.raises(BadRequest) as refused:
        translated(kind, {"another": ["tool"]})

    assert refused.value.error_code == "wrong_payload"


@pytest.mark.parametrize("kind", KINDS)
def test_the_steps_name_the_address(kind: str) -> None:
    tool = tool_of(kind)

    assert any("{url}" in step for step in tool.setup)
    assert (tool.verify is None) == (tool.signing == "none")


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_shows_a_sample_before_and_after(kind: str) -> None:
    before, after = shown(kind)

    assert before in samples(kind).values()
    assert after == document(translated(kind, before))


def test_each_page_is_of_a_kind() -> None:
    assert sorted(path.stem for path in PAGES.glob("*.md")) == list(KINDS)
