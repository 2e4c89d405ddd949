"""The part of DynamoDB's expressions that Relay writes, compiled once each."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from operator import eq, ge, gt, le, lt, ne
from typing import Any

Attributes = Mapping[str, Any]


@dataclass(frozen=True)
class Given:
    """What an expression's `#names` and `:values` stand for."""

    names: Mapping[str, str] = field(default_factory=dict)
    values: Attributes = field(default_factory=dict)

    def attribute(self, place: str) -> str:
        return self.names[place] if place.startswith("#") else place


Condition = Callable[[Attributes, Given], bool]

_TOKEN = re.compile(r"\(|\)|,|<>|<=|>=|=|<|>|[#:\w]+")
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": eq,
    "<>": ne,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}
_CLAUSE = re.compile(r"\b(SET|REMOVE|ADD)\b")
_ASSIGNMENT = re.compile(r"(\S+) = (?:if_not_exists\(\S+, (\S+?)\)|(\S+?))(?:, |$)")


@cache
def condition(expression: str) -> Condition:
    """Comparisons and attribute_(not_)exists, joined by AND, OR and parentheses."""
    return _any_of(_Tokens(_TOKEN.findall(expression)))


def updated(item: Attributes, expression: str, given: Given) -> dict[str, Any]:
    """The item after SET (with if_not_exists), REMOVE and ADD."""
    made = dict(item)
    for clause, text in _clauses(expression):
        if clause == "SET":
            made |= _assigned(item, text, given)
        elif clause == "ADD":
            place, _, value = text.partition(" ")
            name = given.attribute(place)
            known = made.get(name, {"N": "0"})
            made[name] = {"N": str(Decimal(known["N"]) + Decimal(given.values[value]["N"]))}
        else:
            for place in text.split(", "):
                made.pop(given.attribute(place), None)
    return made


@cache
def _clauses(expression: str) -> list[tuple[str, str]]:
    _, *parts = _CLAUSE.split(expression)
    return [(name, text.strip()) for name, text in zip(parts[0::2], parts[1::2], strict=True)]


@cache
def _assignments(text: str) -> list[tuple[str, str, bool]]:
    """(name, value, only where it is missing)."""
    return [
        (found[1], found[2] or found[3], found[2] is not None)
        for found in _ASSIGNMENT.finditer(text)
    ]


def _assigned(item: Attributes, text: str, given: Given) -> Iterator[tuple[str, Any]]:
    for place, value, if_missing in _assignments(text):
        name = given.attribute(place)
        if not (if_missing and name in item):
            yield name, given.values[value]


class _Tokens:
    def __init__(self, tokens: list[str]) -> None:
        self._left = tokens[::-1]

    def next_is(self, word: str) -> bool:
        """Takes it, if it is."""
        found = bool(self._left) and self._left[-1] == word
        if found:
            self._left.pop()
        return found

    def take(self) -> str:
        return self._left.pop()


def _any_of(tokens: _Tokens) -> Condition:
    parts = [_all_of(tokens)]
    while tokens.next_is("OR"):
        parts.append(_all_of(tokens))
    return lambda item, given: any(part(item, given) for part in parts)


def _all_of(tokens: _Tokens) -> Condition:
    parts = [_term(tokens)]
    while tokens.next_is("AND"):
        parts.append(_term(tokens))
    return lambda item, given: all(part(item, given) for part in parts)


def _term(tokens: _Tokens) -> Condition:
    if tokens.next_is("("):
        inner = _any_of(tokens)
        tokens.take()
        return inner
    word = tokens.take()
    if word in ("attribute_exists", "attribute_not_exists"):
        tokens.take()
        place, _ = tokens.take(), tokens.take()
        wanted = word == "attribute_exists"
        return lambda item, given: (given.attribute(place) in item) is wanted
    sign, value = tokens.take(), tokens.take()
    compare = _COMPARE[sign]
    return lambda item, given: _compared(
        item.get(given.attribute(word)), given.values[value], compare
    )


def _compared(there: Any, wanted: Any, compare: Callable[[Any, Any], bool]) -> bool:
    """Values of different types are different, and neither is less; what is missing is neither."""
    if there is None:
        return False
    ((kind, left),), ((other, right),) = there.items(), wanted.items()
    if kind != other:
        return compare is ne
    return compare(Decimal(left), Decimal(right)) if kind == "N" else compare(left, right)
