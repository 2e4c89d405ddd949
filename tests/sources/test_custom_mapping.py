"""The mapping of a custom source: checked when it is saved, and safe whatever it says."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from relay.errors import BadRequest
from relay.sources.custom_mapping import EXPRESSION_MAX, CustomMapping
from relay.sources.settings import SourceSettings
from relay.sources.tool import tool_of
from tests.sources.samples import samples, settings_of, translated
from tests.sources.test_all import ANY_JSON

ALARMS = samples("custom")["two_alarms"]
MAPPING = settings_of("custom")["mapping"]


def test_a_source_without_a_mapping_is_refused() -> None:
    check = tool_of("custom").check
    assert check

    with pytest.raises(BadRequest) as refused:
        check(SourceSettings())

    assert [one.path for one in refused.value.details] == ["settings.mapping"]


def test_each_mistake_is_named_with_its_column() -> None:
    check = tool_of("custom").check
    assert check
    check(SourceSettings.model_validate(settings_of("custom")))

    wrong = {**MAPPING, "url": "links.page)", "severity": "level = 'red'"}
    with pytest.raises(BadRequest) as refused:
        check(SourceSettings.model_validate({"mapping": wrong}))

    assert {one.path: one.message for one in refused.value.details} == {
        "settings.mapping.url": "Column 11: unexpected `)`.",
        "settings.mapping.severity": "Column 7: unexpected `=`; a comparison is written `==`.",
    }
    assert {one.rule for one in refused.value.details} == {"jmespath"}


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"titel": "name"}, "extra_forbidden"),
        ({"id": ""}, "string_too_short"),
        ({"id": "a" * (EXPRESSION_MAX + 1)}, "string_too_long"),
        ({"id": 7}, "string_type"),
        ({"status": None}, "string_type"),
    ],
)
def test_a_mapping_of_another_shape_is_refused(fields: dict[str, Any], rule: str) -> None:
    with pytest.raises(ValidationError) as refused:
        SourceSettings.model_validate({"mapping": {**MAPPING, **fields}})

    assert [error["type"] for error in refused.value.errors()] == [rule]


def test_only_custom_sources_have_a_mapping() -> None:
    assert tool_of("custom").own_settings == ("mapping",)


# --- Any mapping of any payload ---


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    functions = ["length", "to_string", "keys", "values", "sort", "sum", "avg", "max", "reverse"]
    more = ["join", "contains", "starts_with", "merge", "not_null"]
    return st.one_of(
        st.builds("{}.{}".format, inner, st.sampled_from(["alarms", "key", "*", "[@, @]"])),
        st.builds("{}{}".format, inner, st.sampled_from(["[0]", "[*]", "[]", "[::2]", "[::0]"])),
        st.builds("{}({})".format, st.sampled_from(functions), inner),
        st.builds("{}({}, {})".format, st.sampled_from(more), inner, inner),
        st.builds("{}(&{}, {})".format, st.just("map"), inner, inner),
        st.builds("{}({}, &{})".format, st.sampled_from(["sort_by", "max_by"]), inner, inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(["|", "||", "&&"]), inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(["==", "!=", "<", ">="]), inner),
        st.builds("{}[?{}]".format, inner, inner),
        st.builds("{{a: {}, id: {}}}".format, inner, inner),
        st.builds("!{}".format, inner),
    )


EXPRESSIONS = st.recursive(
    st.sampled_from(["@", "alarms", "key", "changed", "name", "'open'", "`1e999`", "`[1, {}]`"]),
    combined,
    max_leaves=6,
).filter(lambda expression: len(expression) <= EXPRESSION_MAX)
OWN = st.sampled_from(sorted(MAPPING)).flatmap(lambda name: st.just(MAPPING[name]))


REQUIRED = [name for name, field in CustomMapping.model_fields.items() if field.is_required()]
OPTIONAL = sorted({*CustomMapping.model_fields} - {*REQUIRED})


@given(
    st.fixed_dictionaries(
        dict.fromkeys(REQUIRED, EXPRESSIONS | OWN), optional=dict.fromkeys(OPTIONAL, EXPRESSIONS)
    ),
    ANY_JSON | st.just(ALARMS) | st.just(ALARMS["alarms"][0]),
)
def test_any_mapping_of_any_payload(mapping: dict[str, str], payload: Any) -> None:
    check = tool_of("custom").check
    assert check
    check(SourceSettings.model_validate({"mapping": mapping}))

    with suppress(BadRequest):
        translated("custom", payload, mapping=mapping)
