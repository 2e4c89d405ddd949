"""JSON bodies of requests: their size limits, the errors for a bad one, and a tolerant reading.

A strict parser stops at the first value that it can't represent: half of a surrogate pair, invalid
UTF-8, a number of thousands of digits, NaN, deep nesting. `split_elements` cuts a body into the
elements of its lists instead, and each is read by itself: such a value becomes one that no field of
an entity accepts, so the model names the field and the rule, and the other entities are unaffected.
Nothing in it recurses, and every step takes time in proportion to the text.
"""

import codecs
import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import pydantic_core
from pydantic import BaseModel, ValidationError

from relay.errors import BadRequest, Detail, TooLarge

# The sizes of bodies, in bytes, after inflating. A document may be a list of a thousand ids; a
# submission is bounded by the 6 MB that Lambda takes as an event.
DOCUMENT_BYTES_MAX = 256 * 1024
CONTAINERS_BYTES_MAX = 1024 * 1024
SUBMISSION_BYTES_MAX = 4 * 1024 * 1024

DETAILS_SHOWN_MAX = 10
_NAME_SHOWN_MAX = 100

ModelT = TypeVar("ModelT", bound=BaseModel)


def parse_document(
    model: type[ModelT], body: bytes, what: str, bytes_max: int = DOCUMENT_BYTES_MAX
) -> ModelT:
    """Raises TooLarge, and BadRequest where the body is not `what` it should be."""
    check_size(body, bytes_max)
    try:
        return model.model_validate_json(without_mark(body))
    except ValidationError as error:
        raise BadRequest(f"The body is not {what}.", details_of(error)) from None


def check_size(body: bytes, bytes_max: int) -> None:
    """Raises TooLarge."""
    if len(body) > bytes_max:
        rule = Detail("", "max_bytes", f"At most {bytes_max} bytes, after inflating")
        raise TooLarge("The body is too large.", [rule])


def without_mark(body: bytes) -> bytes:
    """The body without the byte order mark that tools on Windows put before it."""
    return body.removeprefix(codecs.BOM_UTF8)


def details_of(error: ValidationError, prefix: str = "") -> tuple[Detail, ...]:
    """pydantic's findings as Relay's details, at most ten; no value of the input is repeated."""
    findings = error.errors(include_url=False, include_input=False, include_context=False)
    return tuple(
        Detail(_path(prefix, finding["loc"]), finding["type"], finding["msg"])
        for finding in findings[:DETAILS_SHOWN_MAX]
    )


def _path(prefix: str, location: Sequence[str | int]) -> str:
    path = prefix
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            # The name of an unknown field is its sender's, and may be as long as the body.
            name = part if len(part) <= _NAME_SHOWN_MAX else f"{part[:_NAME_SHOWN_MAX]}…"
            # Half of a surrogate pair could not be answered.
            name = name.encode(errors="replace").decode()
            path += f".{name}" if path else name
    return path


# All up to the next bracket or comma that is not in a string, or up to the end; a quote there
# begins a string that is never closed. The possessive quantifiers keep no positions to go back to,
# so that 4 MiB of escapes cost no memory.
_NEXT = re.compile(rb'(?:[^"\[\]{},]++|"(?:[^"\\]++|\\.)*+")*+(?P<mark>["\[\]{},]|\Z)', re.DOTALL)
_QUOTE, _COMMA, _LIST = b'",['
_OPENING, _CLOSING = frozenset(b"[{"), frozenset(b"]}")
_SPACE = b" \t\r\n"
# In its list in the body, an entity nests six deep (associations, one of them, its values): what
# lies below this depth is part of a value that no field accepts.
_DEPTH_MAX = 10
# Enough to be out of the range of any number that an entity holds, and quick to convert.
_DIGITS_MAX = 30


class Split(NamedTuple):
    """`skeleton` is the text with each element of the lists at depth two replaced by its index in
    `elements`; in both, NaN, which is not JSON, stands for what was nested too deep."""

    skeleton: bytes
    elements: list[bytes]


def split_elements(text: bytes, elements_max: int) -> Split:
    """Cut `{"name": [element, …], …}`.

    Stops after one element more than `elements_max`, with a skeleton that is cut off. Raises
    ValueError where a string or a bracket is not closed; text that is broken in another way has a
    skeleton or an element that is broken.
    """
    skeleton: list[bytes] = []
    elements: list[bytes] = []
    # What was read since the last cut: the pieces, and the text from `copied` on.
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
            # A missing element stays missing, for the parser to refuse.
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
    """Raises ValueError, also for a number that JSON does not know, such as NaN."""
    return pydantic_core.from_json(text, allow_inf_nan=False)


def read_json(text: bytes) -> tuple[Any, str]:
    """The value, and why the text is not strict JSON, which is empty if it is.

    If it is not, the value holds something that no field of an entity accepts in place of what is
    wrong, and is None where it can't be read at all. The text must not be nested deep.
    """
    try:
        return strict_json(text), ""
    except ValueError as error:
        fault = str(error)
    try:
        # A byte that is not UTF-8 becomes half of a surrogate pair, which no text may hold.
        readable = text.decode(errors="surrogateescape")
        return json.loads(readable, parse_int=lambda digits: int(digits[:_DIGITS_MAX])), fault
    except ValueError:
        return None, fault


def is_text(text: str) -> bool:
    """Whether it can be encoded: half of a surrogate pair can't."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
