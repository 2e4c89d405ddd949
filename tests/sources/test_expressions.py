"""JMESPath expressions: mistakes with their column, and a budget for what they do."""

import json
import tracemalloc
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.sources.expressions import DEPTH_MAX, Evaluator, Mistake, Unusable, compiled
from relay.sources.payload import BODY_BYTES_MAX

TOO_DEEP = f"The expression is nested too deeply: at most {DEPTH_MAX} levels."


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("state = 'x'", "Column 7: unexpected `=`; a comparison is written `==`."),
        ("a.b)", "Column 4: unexpected `)`."),
        ("{a b}", "Column 4: expected `:`, found `b`."),
        ("a..b", "Column 3: expected a quoted name or a name or `[` or `{`, found `.`."),
        ("a || 'x", "Column 6: unclosed ' delimiter."),
        ("a[", "Column 3: the expression ends too early; a value or a closing bracket is"),
        ("a || ", "Column 6: the expression ends too early; a value or a closing bracket is"),
        (" ", "Column 2: the expression ends too early; a value or a closing bracket is"),
        ("a || b#", "Column 7: unknown token #."),
        ("a || joined(b)", "Column 6: unknown function joined; there are abs, avg, ceil, "),
        ("a || join (b)", "Column 6: join takes 2 argument(s), not 1."),
        ("not_null()", "Column 1: not_null takes at least 1 argument(s), not 0."),
        ("!" * (DEPTH_MAX + 1) + "a", TOO_DEEP),
        ("(" * 499 + "a" + ")" * 499, TOO_DEEP),
        (" || ".join("a" * (DEPTH_MAX + 1)), TOO_DEEP),
    ],
)
def test_a_mistake(expression: str, message: str) -> None:
    with pytest.raises(Mistake) as found:
        compiled(expression)

    assert str(found.value).startswith(message)


@given(st.text("abc.[]{}()*?:|&!=<>'`\"@-1,#\\ \u00e4", min_size=1, max_size=40))
def test_any_text_is_an_expression_or_a_mistake(text: str) -> None:
    with suppress(Mistake):
        assert compiled(text)


@pytest.mark.parametrize(
    ("expression", "document", "value"),
    [
        ("state == 'closed' && 'resolved' || 'open'", {"state": "closed"}, "resolved"),
        ("state == 'closed' && 'resolved' || 'open'", {}, "open"),
        ("alerts[?team == 'ops'].name | [0]", {"alerts": [{"team": "ops", "name": "a"}]}, "a"),
        ("[[a, b][], {c: a}]", {"a": [1], "b": [2, [3]]}, [[1, 2, [3]], {"c": [1]}]),
        ("a > `1`", {"a": 2}, True),
        ("a != b", {"a": [1], "b": [1]}, False),
        ("join('-', [a, 'x'])", {"a": "1"}, "1-x"),
        ("`open`", None, "open"),
        ("missing[]", {}, None),
    ],
)
def test_a_value(expression: str, document: Any, value: Any) -> None:
    assert Evaluator().value(expression, document) == value


NUMBERS = list(range(50_000))
# A hundred times the largest payload.
MEMORY_MAX = 100 * BODY_BYTES_MAX


@pytest.mark.parametrize(
    ("expression", "document"),
    [
        ("|".join(["[@,@][]"] * 24), [1]),
        ("|".join(["[@,@]"] * 40) + "|to_string(@)", 1),
        ("[" + "|".join(["[@,@]"] * 30) + "," + "|".join(["[@,@]"] * 30) + "]|[0]==[1]", 1),
        ("|".join(["{a:@,b:@}"] * 40), 1),
        ("|".join(["join('',[@,@])"] * 40), "x"),
        ("join(s, t)", {"s": "x" * 100_000, "t": ["y"] * 100_000}),
        (f"map(&`{json.dumps([1] * 300)}`, @)[]", NUMBERS),
        (f"map(&`{json.dumps([1] * 300)}`, @) == @", NUMBERS),
        (f"map(&`{json.dumps([1] * 300)}`, @) | to_string(@)", NUMBERS),
        (f"[*].['{'x' * 900}'][]", NUMBERS),
        ("[*].[" + ",".join("@" * 60) + "]", NUMBERS),
    ],
)
def test_what_would_take_all_memory_ends(expression: str, document: Any) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(Unusable) as found:
            Evaluator().value(expression, document)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert found.value.rule == "too_costly"
    assert peak < MEMORY_MAX


def test_the_expressions_of_a_delivery_share_the_budget() -> None:
    evaluator = Evaluator()
    with pytest.raises(Unusable):
        evaluator.value("|".join(["[@,@]"] * 40), 1)

    with pytest.raises(Unusable) as found:
        evaluator.value("[*]", NUMBERS)
    assert found.value.rule == "too_costly"


def test_a_wrong_argument_is_named_without_its_value() -> None:
    with pytest.raises(Unusable) as found:
        Evaluator().value("join(',', @)", ["private", 7])

    assert str(found.value) == "The function join got number; it takes array-string."
