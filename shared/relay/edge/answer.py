"""An answer to an HTTP call, as a function returns it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def text_answer(status: int, media_type: str, body: str) -> Answer:
    return Answer(status, body, {"Content-Type": media_type})


def json_answer(status: int, document: Any) -> Answer:
    return text_answer(status, "application/json", json.dumps(document, ensure_ascii=False))


def no_content() -> Answer:
    return Answer(204)
