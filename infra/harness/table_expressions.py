"""DynamoDB's expressions, as far as Relay uses them: conditions and updates of one item."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

Document = dict[str, Any]

# Conditions: attribute_(not_)exists, comparisons, AND, OR. Updates: SET, REMOVE, ADD.
_CONDITION = re.compile(
    r"attribute_(not_)?exists\(([#\w]+)\)|(:\w+)|\b(AND|OR)\b|(<>|<=|>=|=)|([#\w]+)"
)
_ACTION = re.compile(
    r"(?:(SET|REMOVE|ADD) )?([#\w]+)(?:(?: = | )(if_not_exists\([#\w]+, )?(:\w+)\)?)?,?\s*"
)


class _Absent:
    """An absent attribute: every comparison with it is false."""

    def _never(self, _: object) -> bool:
        return False

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _never
    __hash__ = None  # type: ignore[assignment]


_ABSENT = _Absent()


@cache
def _condition(expression: str) -> Callable[[Callable[[str], Any], Callable[[str], Any]], Any]:
    """The condition in Python, where AND and OR have the same precedence."""

    def python(found: re.Match[str]) -> str:
        is_absent, checked, value, word, sign, name = found.groups()
        if checked:
            return f"(attribute({checked!r}) is {'' if is_absent else 'not '}_ABSENT)"
        if word or sign:
            return word.lower() if word else {"=": "==", "<>": "!="}.get(sign, sign)
        return f"value({value!r})" if value else f"attribute({name!r})"

    source = f"lambda attribute, value: {_CONDITION.sub(python, expression)}"
    condition: Callable[..., Any] = eval(source)  # noqa: S307 - built from Relay's own expressions
    return condition


def holds(expression: str, item: Document, request: Document) -> bool:
    """Whether the item, empty if there is none, meets the request's condition."""
    values = values_of(request)

    def attribute(place: str) -> Any:
        name = name_of(place, request)
        return _comparable(item[name]) if name in item else _ABSENT

    return bool(_condition(expression)(attribute, lambda place: _comparable(values[place])))


def updated(item: Document, request: Document) -> Document:
    """The item after the request's update; for a new one, `item` is its key."""
    updated = dict(item)
    for clause, place, keeps, value in _actions(request["UpdateExpression"]):
        name = name_of(place, request)
        if clause == "REMOVE":
            updated.pop(name, None)
        elif clause == "ADD":
            before = Decimal(item.get(name, {"N": "0"})["N"])
            updated[name] = {"N": str(before + Decimal(values_of(request)[value]["N"]))}
        elif not (keeps and name in item):
            updated[name] = values_of(request)[value]
    return updated


@cache
def _actions(expression: str) -> list[tuple[str, str, str, str]]:
    """(clause, name, non-empty if an existing attribute stays, value)."""
    actions, clause = [], ""
    for found in _ACTION.finditer(expression):
        clause = found[1] or clause
        actions.append((clause, found[2], found[3] or "", found[4] or ""))
    return actions


def _comparable(value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    return Decimal(content) if kind == "N" else content


def name_of(place: str, request: Document) -> str:
    """The attribute's name for a placeholder, or a plain name."""
    return str(request["ExpressionAttributeNames"][place]) if place.startswith("#") else place


def values_of(request: Document) -> Document:
    """The request's values by placeholder."""
    return request.get("ExpressionAttributeValues") or {}
