"""JMESPath expressions that users write: checked when they are saved, evaluated within a budget.

They run beside the deliveries of other tenants, and a few hundred characters can double a value
until no memory is left. So what an evaluation visits, copies and compares is counted.
"""

import re
import warnings
from functools import lru_cache
from typing import Any

import jmespath
from jmespath.ast import literal
from jmespath.exceptions import (
    IncompleteExpressionError,
    JMESPathTypeError,
    LexerError,
    ParseError,
)
from jmespath.functions import TYPES_MAP, Functions, signature
from jmespath.visitor import Options, TreeInterpreter

# For all expressions of one delivery; about a second.
STEPS_MAX = 1_000_000
DEPTH_MAX = 50
_CACHED = 512
_SHOWN_MAX = 40
_TOO_DEEP = f"The expression is nested too deeply: at most {DEPTH_MAX} levels."
_SYMBOLS = {
    "colon": "`:`",
    "comma": "`,`",
    "lbrace": "`{`",
    "lbracket": "`[`",
    "lparen": "`(`",
    "quoted_identifier": "a quoted name",
    "rbrace": "`}`",
    "rbracket": "`]`",
    "rparen": "`)`",
    "star": "`*`",
    "unquoted_identifier": "a name",
}


class Unusable(ValueError):
    """What an expression gives can't be used; the message holds no value of the payload."""

    def __init__(self, message: str, rule: str) -> None:
        super().__init__(message)
        self.rule = rule


class Mistake(Unusable):
    """The expression is not JMESPath; the message has the column."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "jmespath")


class _TooCostly(Exception):
    pass


@lru_cache(_CACHED)
def compiled(expression: str) -> Any:
    """The expression's syntax tree. Raises Mistake."""
    try:
        with warnings.catch_warnings():
            # A text in backquotes without double quotes is old JMESPath, and still read.
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            tree = jmespath.compile(expression).parsed
    except RecursionError:
        raise Mistake(_TOO_DEEP) from None
    except ParseError as error:
        raise Mistake(f"Column {error.lex_position + 1}: {_reason(error)}.") from None
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > DEPTH_MAX:
            raise Mistake(_TOO_DEEP)
        if node["type"] == "function_expression":
            _check_function(node, expression)
        # A slice's children are numbers.
        waiting += [(child, depth + 1) for child in node["children"] if isinstance(child, dict)]
    return tree


def _reason(error: ParseError) -> str:
    if isinstance(error, IncompleteExpressionError):
        return "the expression ends too early; a value or a closing bracket is expected"
    if isinstance(error, LexerError):
        if error.lexer_value == "=":
            return "unexpected `=`; a comparison is written `==`"
        return str(error.message)[:_SHOWN_MAX].lower()
    found = f"`{str(error.token_value)[:_SHOWN_MAX]}`"
    expected = re.match(r"Expecting: (.*), got: ", error.msg)
    if not expected:
        return f"unexpected {found}"
    names = [_SYMBOLS.get(name, name) for name in re.findall(r"\w+", expected[1])]
    return f"expected {' or '.join(names)}, found {found}"


def _check_function(node: Any, expression: str) -> None:
    """JMESPath itself looks functions up when it evaluates them."""
    name, given = node["value"], len(node["children"])
    place = re.search(rf"\b{re.escape(name)}\s*\(", expression)
    column = f"Column {place.start() + 1 if place else 1}"
    known = Functions.FUNCTION_TABLE.get(name)
    if not known:
        names = ", ".join(sorted(Functions.FUNCTION_TABLE))
        raise Mistake(f"{column}: unknown function {name[:_SHOWN_MAX]}; there are {names}.")
    wanted = len(known["signature"])
    more = bool(known["signature"][-1].get("variadic"))
    if given < wanted or (given > wanted and not more):
        least = "at least " if more else ""
        raise Mistake(f"{column}: {name} takes {least}{wanted} argument(s), not {given}.")


class Evaluator:
    """Evaluates the expressions of one delivery; all share STEPS_MAX."""

    def __init__(self) -> None:
        self._interpreter = _Interpreter(_Budget())

    def value(self, expression: str, document: Any) -> Any:
        """What the expression gives for the document. Raises Unusable."""
        try:
            return self._interpreter.visit(compiled(expression), document)
        except Unusable:
            raise
        except _TooCostly:
            message = f"The expressions need more than {STEPS_MAX} steps for this payload."
            raise Unusable(message, "too_costly") from None
        except JMESPathTypeError as error:
            # Its own message has the value.
            found = TYPES_MAP.get(error.actual_type, error.actual_type)
            wanted = " or ".join(error.expected_types)
            message = f"The function {error.function_name} got {found}; it takes {wanted}."
            raise Unusable(message, "jmespath") from None
        except (ValueError, TypeError, ArithmeticError, RecursionError):
            message = "The expression can't be evaluated for this payload."
            raise Unusable(message, "jmespath") from None


class _Budget:
    def __init__(self) -> None:
        self._left = STEPS_MAX

    def spend(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise _TooCostly

    def weigh(self, *values: Any) -> None:
        """Spend the size of the values. A list may hold another one many times."""
        waiting = list(values)
        while waiting:
            value = waiting.pop()
            if isinstance(value, str | list | dict):
                self.spend(len(value))
            if isinstance(value, list):
                waiting += value
            elif isinstance(value, dict):
                waiting += value.keys()
                waiting += value.values()


class _Functions(Functions):  # type: ignore[misc]
    def __init__(self, budget: _Budget) -> None:
        self._budget = budget

    def call_function(self, function_name: str, resolved_args: list[Any]) -> Any:
        self._budget.weigh(*resolved_args)
        return super().call_function(function_name, resolved_args)

    @signature({"types": ["string"]}, {"types": ["array-string"]})  # type: ignore[untyped-decorator]
    def _func_join(self, separator: str, array: list[str]) -> str:
        self._budget.spend(len(separator) * len(array))
        return separator.join(array)


class _Interpreter(TreeInterpreter):  # type: ignore[misc]
    """JMESPath's interpreter, with a price for what can multiply a value or visits all of it."""

    def __init__(self, budget: _Budget) -> None:
        super().__init__(Options(custom_functions=_Functions(budget)))
        self._budget = budget

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        self._budget.spend(1)
        return super().visit(node, *args, **kwargs)

    def visit_multi_select_list(self, node: Any, value: Any) -> Any:
        return self._weighed(super().visit_multi_select_list(node, value))

    def visit_multi_select_dict(self, node: Any, value: Any) -> Any:
        return self._weighed(super().visit_multi_select_dict(node, value))

    def visit_flatten(self, node: Any, value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        lists = base if isinstance(base, list) else []
        self._budget.spend(sum(len(one) for one in lists if isinstance(one, list)))
        return super().visit_flatten({**node, "children": [literal(base)]}, value)

    def visit_comparator(self, node: Any, value: Any) -> Any:
        sides = [self._weighed(self.visit(child, value)) for child in node["children"]]
        return super().visit_comparator({**node, "children": [*map(literal, sides)]}, value)

    def _weighed(self, value: Any) -> Any:
        self._budget.weigh(value)
        return value
