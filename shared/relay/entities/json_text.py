"""Tolerant reading of JSON: one bad value costs its own entity, and not the whole text.

A strict parser stops at the first value that it can't represent: half of a surrogate pair, invalid
UTF-8, a number of thousands of digits, NaN, deep nesting. `split_elements` cuts a body into the
elements of its lists instead, and each is read by itself: such a value becomes one that no field of
an entity accepts, so the model names the field and the rule, and the other entities are unaffected.
Nothing in it recurses, and every step takes time in proportion to the text.
"""

import json
import re
from typing import Any, NamedTuple

import pydantic_core

# Matches up to the next bracket or comma outside a string, or up to the end; a quote as the mark
# starts a string that is never closed. The possessive quantifiers never backtrack, so that 4 MiB of
# escapes cost no memory.
_NEXT = re.compile(rb'(?:[^"\[\]{},]++|"(?:[^"\\]++|\\.)*+")*+(?P<mark>["\[\]{},]|\Z)', re.DOTALL)
_QUOTE, _COMMA, _LIST = b'",['
_OPENING, _CLOSING = frozenset(b"[{"), frozenset(b"]}")
_SPACE = b" \t\r\n"
# An entity in its list nests six levels deep (associations, one of them, its values). Anything
# deeper than this is part of a value that no field accepts.
_DEPTH_MAX = 10
# Enough digits to exceed the range of any number in an entity, and few enough to convert quickly.
_DIGITS_MAX = 30


class Split(NamedTuple):
    """`skeleton` is the text in which each element of the lists at depth two is replaced by its
    index in `elements`. In both, NaN, which is not JSON, replaces anything nested too deeply."""

    skeleton: bytes
    elements: list[bytes]


def split_elements(text: bytes, elements_max: int) -> Split:
    """Split `{"name": [element, …], …}`.

    Stops after one element more than `elements_max`, with an incomplete skeleton. Raises ValueError
    for a string or a bracket that is not closed. Any other syntax error remains in the skeleton or
    in an element.
    """
    skeleton: list[bytes] = []
    elements: list[bytes] = []
    # The text since the last split: `pieces`, then the text from `copied` on.
    pieces: list[bytes] = []
    depth = copied = 0
    in_list = False
    for match in _NEXT.finditer(text):
        place = match.start("mark")
        if place == len(text) or len(elements) > elements_max:
            break
        mark = text[place]
        if mark == _QUOTE:
            raise ValueError("a string is not closed")
        if depth == 2 and in_list and (mark == _COMMA or mark in _CLOSING):
            element = b"".join((*pieces, text[copied:place])).strip(_SPACE)
            # A missing element stays missing, so that the parser reports it.
            if element:
                skeleton.append(b"%d" % len(elements))
                elements.append(element)
            skeleton.append(text[place : place + 1])
            pieces, copied = [], place + 1
        if mark in _OPENING:
            depth += 1
            if depth == 2:
                in_list = mark == _LIST
                skeleton += [*pieces, text[copied : place + 1]]
                pieces, copied = [], place + 1
            elif depth == _DEPTH_MAX + 1:
                pieces += [text[copied:place], b"NaN"]
        elif mark in _CLOSING:
            if depth == _DEPTH_MAX + 1:
                copied = place + 1
            depth -= 1
    if depth and len(elements) <= elements_max:
        raise ValueError("a bracket is not closed")
    return Split(b"".join((*skeleton, *pieces, text[copied:])), elements)


def strict_json(text: bytes) -> Any:
    """The value. Raises ValueError, also for a number that is not JSON, such as NaN."""
    return pydantic_core.from_json(text, allow_inf_nan=False)


def read_json(text: bytes) -> tuple[Any, str]:
    """The value, and why the text is not strict JSON: "" if it is.

    If it is not, the invalid parts are replaced by values that no field of an entity accepts; the
    value is None for text that can't be read at all. The text must not be nested deeply.
    """
    try:
        return strict_json(text), ""
    except ValueError as error:
        fault = str(error)
    try:
        # An invalid byte becomes half of a surrogate pair, which no text field accepts.
        readable = text.decode(errors="surrogateescape")
        return json.loads(readable, parse_int=lambda digits: int(digits[:_DIGITS_MAX])), fault
    except ValueError:
        return None, fault


def is_text(text: str) -> bool:
    """Whether the text can be encoded in UTF-8; half of a surrogate pair can't."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
