"""An answer to an HTTP call, as a function returns it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Lambda answers with at most 6 MB of JSON, in which the body stands escaped, headers beside it.
ANSWER_BYTES_MAX = 6_000_000
# Of a character of four bytes: it has two escapes.
_CHARACTER_BYTES_MAX = 12


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_too_large(self) -> bool:
        """Lambda would refuse it, and API Gateway answer 500 in its place."""
        # Most are so short that they need not be measured.
        longest = len(self.body) * _CHARACTER_BYTES_MAX
        return longest > ANSWER_BYTES_MAX and escaped_bytes(self.body) > ANSWER_BYTES_MAX


def text_answer(status: int, media_type: str, body: str) -> Answer:
    return Answer(status, body, {"Content-Type": media_type})


def json_answer(status: int, document: Any) -> Answer:
    return text_answer(status, "application/json", json.dumps(document, ensure_ascii=False))


def escaped_bytes(body: str) -> int:
    """What Lambda counts for a body, at most: its runtime for Python 3.11 writes ASCII alone."""
    return len(json.dumps(body))


def no_content() -> Answer:
    return Answer(204)
