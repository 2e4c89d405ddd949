"""An answer to an HTTP call, as a function returns it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from pydantic import BaseModel

# Lambda's limit for an answer's JSON, which holds the body escaped, and the headers.
ANSWER_BYTES_MAX = 6_000_000
# For the members; the rest of Lambda's limit is for what surrounds them.
PAGE_BYTES_MAX = 5_500_000
# For a character of four bytes: it has two escapes.
_CHARACTER_BYTES_MAX = 12

MemberT = TypeVar("MemberT")
DocumentT = TypeVar("DocumentT", bound=Mapping[str, object])


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body and the answer's own headers; `relay.edge.http` adds those of every answer.

    `content_security_policy` is for a page; without one, the answer's browser may load nothing.
    """

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_security_policy: str = ""

    @property
    def is_too_large(self) -> bool:
        """True if Lambda would refuse it; API Gateway would then answer 500."""
        # Most are so short that they need not be measured.
        longest = len(self.body) * _CHARACTER_BYTES_MAX
        return longest > ANSWER_BYTES_MAX and escaped_bytes(self.body) > ANSWER_BYTES_MAX


def text_answer(status: int, media_type: str, body: str) -> Answer:
    """An answer with this Content-Type."""
    return Answer(status, body, {"Content-Type": media_type})


def json_answer(status: int, document: object) -> Answer:
    """`document` has one of `relay.edge.shapes`, or is a model that is answered as it is."""
    return text_answer(status, "application/json", to_json(document))


def no_content() -> Answer:
    """204."""
    return Answer(204)


def present(document: DocumentT) -> DocumentT:
    """The document without the fields that are None: a shape's fields are absent, not null."""
    known = {name: value for name, value in document.items() if value is not None}
    return cast(DocumentT, known)


def to_json(document: object) -> str:
    """Models in it lose their null fields."""
    return json.dumps(document, ensure_ascii=False, default=_dumped)


def escaped_bytes(body: str) -> int:
    """The bytes that Lambda counts for a body, at most: its runtime for Python 3.11 writes ASCII
    only."""
    return len(json.dumps(body))


def _dumped(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(exclude_none=True)


def page_of(
    found: Iterable[tuple[str, MemberT]], following: str | None
) -> tuple[list[MemberT], str | None]:
    """The members that fit into one answer, at least one, and the cursor of the next page.

    Each member comes with the cursor of the page that begins after it. `following` is the next
    page's cursor if all members fit; None in the last page.
    """
    page: list[MemberT] = []
    left, last = PAGE_BYTES_MAX, ""
    for cursor, member in found:
        left -= document_bytes(member)
        if page and left < 0:
            return page, last
        page.append(member)
        last = cursor
    return page, following


def document_bytes(document: object) -> int:
    """The bytes that the document adds to an answer, at most."""
    return escaped_bytes(to_json(document))
