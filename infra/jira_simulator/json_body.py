"""JSON as Jira's parser reads it: UTF-8, no NaN, no half of a surrogate pair."""

import json
from typing import Any, NoReturn

from .refusal import Refusal


def parse_json(raw: bytes) -> Any:
    """Parses `raw`. Raises a Refusal (400) if it is not JSON."""
    try:
        document = json.loads(raw.decode(), parse_constant=_refuse_constant)
        if b"\\ud" in raw.lower():
            # Python accepts a lone surrogate, which can't be encoded later.
            json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"The request body is not JSON: {error}") from error
    return document


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")
