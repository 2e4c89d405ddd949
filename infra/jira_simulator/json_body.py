"""JSON as Jira's parser reads it: UTF-8, no NaN, no half of a surrogate pair."""

import json
from typing import Any, NoReturn

from .refusal import Refusal


def parse_json(raw: bytes) -> Any:
    """The document in `raw`; a Refusal (400) where it is not JSON."""
    try:
        document = json.loads(raw.decode(), parse_constant=_refuse_constant)
        if b"\\ud" in raw.lower():
            # Python lets a lone surrogate through, which nothing could encode later.
            json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"The request body is not JSON: {error}") from error
    return document


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")
