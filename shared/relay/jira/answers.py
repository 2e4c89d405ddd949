"""Parsing Jira's answers: messages, lists, and the result of a submission."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

MESSAGES_MAX = 20
MESSAGE_LENGTH_MAX = 500
NO_MESSAGE = "no message"


@dataclass(frozen=True, slots=True)
class SubmitAnswer:
    """Jira's 202 to a submission: the ids that it accepted, and the messages of each failed id."""

    accepted: frozenset[str]
    failed: dict[str, tuple[str, ...]]
    unknown_project_keys: tuple[str, ...]


def is_submit_answer(document: Any) -> bool:
    """True for an object with at least one of the documented lists, each of the documented type."""
    if not isinstance(document, dict):
        return False
    found = [
        (is_list, document[name])
        for name, is_list in _LISTS.items()
        if document.get(name) is not None
    ]
    return bool(found) and all(is_list(value) for is_list, value in found)


def submit_answer(document: Any) -> SubmitAnswer:
    """Parse a document that passes `is_submit_answer`.

    Jira documents no lists of their own for reviews, so both names are read.
    """
    failed: dict[str, tuple[str, ...]] = {}
    accepted: set[str] = set()
    for kind in _KINDS:
        accepted.update(document.get(f"accepted{kind}") or ())
        for entity_id, errors in (document.get(f"failed{kind}") or {}).items():
            failed[entity_id] = messages_of(errors) or ("Jira gave no reason.",)
    keys = tuple(document.get("unknownProjectKeys") or ())
    return SubmitAnswer(frozenset(accepted), failed, keys)


def json_of(response: "httpx.Response") -> Any:
    """The body as JSON; None if it is not valid JSON."""
    try:
        text = json.dumps(response.json(), ensure_ascii=False)
        # Python accepts half of a surrogate pair in JSON, but it can't be encoded as UTF-8.
        return json.loads(text.encode(errors="replace"))
    except (ValueError, RecursionError):
        return None


def messages_of(errors: Any) -> tuple[str, ...]:
    """The messages of `[{"message", "errorTraceId"?}]`, each followed by its trace id.

    At most MESSAGES_MAX messages of at most MESSAGE_LENGTH_MAX characters. Some of Jira's gateways
    send a single object or a plain string instead of the list.
    """
    entries = errors if isinstance(errors, list) else [errors]
    return tuple(
        _message(entry)[:MESSAGE_LENGTH_MAX]
        for entry in entries[:MESSAGES_MAX]
        if isinstance(entry, dict | str)
    )


def _message(entry: dict[str, Any] | str) -> str:
    if isinstance(entry, str):
        return entry
    trace = entry.get("errorTraceId")
    message = str(entry.get("message") or NO_MESSAGE)
    return f"{message} (errorTraceId {trace})" if trace else message


def strings_of(document: Any, name: str) -> list[str]:
    """The strings in the document's list of this name; [] if there is no such list."""
    values = _object(document).get(name)
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []


def _are_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _are_failures(value: Any) -> bool:
    """True for errors by entity id: `{id: [{"message", "errorTraceId"?}]}`."""
    return isinstance(value, dict) and all(
        isinstance(errors, list) and all(isinstance(error, dict) for error in errors)
        for errors in value.values()
    )


_KINDS = ("Incidents", "Reviews", "Components")
_LISTS: dict[str, Callable[[Any], bool]] = {
    **{f"accepted{kind}": _are_strings for kind in _KINDS},
    **{f"failed{kind}": _are_failures for kind in _KINDS},
    "unknownProjectKeys": _are_strings,
}


def _object(document: Any) -> dict[str, Any]:
    return document if isinstance(document, dict) else {}
