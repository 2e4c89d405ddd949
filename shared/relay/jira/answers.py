"""Jira's answers, read tolerantly: a field that is missing or of another shape counts as empty."""

import json
from dataclasses import dataclass
from typing import Any

import httpx

WORDS_MAX = 20
WORD_LENGTH_MAX = 500
# They are kept with each entity that they concern, and an answer may name any number.
PROJECT_KEYS_MAX = 100
PROJECT_KEY_LENGTH_MAX = 255


@dataclass(frozen=True, slots=True)
class SubmitAnswer:
    """The 202 of a submission of entities: by id, what was accepted and what failed, and why."""

    accepted: frozenset[str]
    failed: dict[str, tuple[str, ...]]
    unknown_project_keys: tuple[str, ...]


def submit_answer(response: httpx.Response) -> SubmitAnswer:
    """Reviews have no documented keys of their own; both namings are read."""
    document = _object(json_of(response))
    failed: dict[str, tuple[str, ...]] = {}
    accepted: set[str] = set()
    for kind in ("Incidents", "Reviews", "Components"):
        accepted.update(strings_of(document, f"accepted{kind}"))
        refusals = document.get(f"failed{kind}")
        if isinstance(refusals, dict):
            failed |= {
                entity_id: messages_of(errors) or ("Jira gave no reason.",)
                for entity_id, errors in refusals.items()
            }
    keys = strings_of(document, "unknownProjectKeys")[:PROJECT_KEYS_MAX]
    return SubmitAnswer(
        frozenset(accepted), failed, tuple(key[:PROJECT_KEY_LENGTH_MAX] for key in keys)
    )


def json_of(response: httpx.Response) -> Any:
    """The body as JSON, or None where it is none."""
    try:
        text = json.dumps(response.json(), ensure_ascii=False)
        # Half of a surrogate pair is JSON to Python, and could be neither kept nor sent on.
        return json.loads(text.encode(errors="replace"))
    except (ValueError, RecursionError):
        return None


def messages_of(errors: Any) -> tuple[str, ...]:
    """The words of `[{"message", "errorTraceId"?}]`, the trace id beside its message.

    Some of Jira's gateways answer with one such object, or with plain words.
    """
    entries = errors if isinstance(errors, list) else [errors]
    return tuple(
        _message(entry)[:WORD_LENGTH_MAX]
        for entry in entries[:WORDS_MAX]
        if isinstance(entry, dict | str)
    )


def _message(entry: dict[str, Any] | str) -> str:
    if isinstance(entry, str):
        return entry
    trace = entry.get("errorTraceId")
    message = str(entry.get("message") or "no message")
    return f"{message} (errorTraceId {trace})" if trace else message


def strings_of(document: Any, name: str) -> list[str]:
    """The strings of a document's list."""
    values = _object(document).get(name)
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []


def _object(document: Any) -> dict[str, Any]:
    return document if isinstance(document, dict) else {}
