"""The operations that Relay calls, and one check that an answer came from Jira.

A login page, a firewall, a gateway or a maintenance page may answer in Jira's place, with any
status. Only an answer that Jira documents counts as Jira's. Any other answer is Unreadable: Relay
retries the call, and never treats the answer as a verdict.

| answer | counts as Jira's if |
|---|---|
| 2xx | it has the operation's one documented status, and a body of the documented shape |
| 400, 413 | it is Jira's array of `{"message"}`, which Jira also documents for any other error |
| 401, 403, 404, other 4xx | it is not HTML: Jira documents no body for these |
| 429, 3xx, 5xx | always: these are not verdicts, and any request for fewer calls is obeyed |

Jira does not document these cases, so they are assumptions: null instead of one of a submission's
lists means that the list is absent; `{}` and `null` mean that there is no body; reviews may be
named in lists of their own.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from typing import Any

import httpx

from relay.jira.answers import NO_MESSAGE, is_submit_answer, json_of, messages_of, strings_of
from relay.jira.errors import Unreadable, error_type

_REFUSALS = (400, 413)
_SPACE = b" \t\r\n\xef\xbb\xbf"
_TITLE = re.compile(rb"<title[^>]*>([^<]*)</title", re.IGNORECASE)
# Bytes from the start of a page that are searched for its title.
_TITLE_WITHIN = 4096


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its method, its documented success status, and a check of its JSON.

    `is_body` is called with None for an empty body. With `has_own_scope`, an identity that Jira
    refuses for lack of it may still do everything else.
    """

    method: str
    status: int
    is_body: Callable[[Any], bool]
    has_own_scope: bool = False


def is_nothing(document: Any) -> bool:
    """True for an answer without content: no body, null or `{}`."""
    return document is None or document == {}


def is_entity(document: Any) -> bool:
    """True for an object with `id` and `updateSequenceNumber`, which Jira requires."""
    return (
        isinstance(document, dict)
        and isinstance(document.get("id"), str)
        and isinstance(document.get("updateSequenceNumber"), int)
    )


def is_property(document: Any) -> bool:
    """True for an app property: an object with `key` and `value`."""
    return isinstance(document, dict) and {"key", "value"} <= document.keys()


def lists(name: str) -> Callable[[Any], bool]:
    """A check for an object that has a list of strings of this name."""
    return lambda document: (
        isinstance(document, dict)
        and isinstance(document.get(name), list)
        and len(strings_of(document, name)) == len(document[name])
    )


SUBMIT_ENTITIES = Operation("POST", 202, is_submit_answer)
SUBMIT_COMPONENTS = Operation("POST", 202, is_submit_answer)
GET_ENTITY = Operation("GET", 200, is_entity)
SUBMIT_WORKSPACES = Operation("POST", 202, lists("acceptedWorkspaceIds"))
GET_WORKSPACES = Operation("GET", 200, lists("workspaceIds"))
# For entities, components, workspaces, and deletion by properties.
DELETE = Operation("DELETE", 202, is_nothing)
GET_PROPERTY = Operation("GET", 200, is_property)
CHECK_PERMISSIONS = Operation("POST", 200, lists("globalPermissions"), has_own_scope=True)


def answer_to(operation: Operation, response: httpx.Response) -> Any:
    """The JSON of a success; None for an empty body. Raises JiraAnswered for any other answer."""
    status = response.status_code
    document = json_of(response)
    must_be_documented = status // 100 in (2, 4) and status != httpx.codes.TOO_MANY_REQUESTS
    is_documented = not _is_html(response) and _is_documented(operation, response, document)
    if must_be_documented and not is_documented:
        raise Unreadable(status, _messages(response, document))
    if response.is_success:
        return document
    retry_after = response.headers.get("retry-after")
    messages = _messages(response, document)
    raise error_type(status)(status, messages, retry_after, _origin_of(response))


def _is_documented(operation: Operation, response: httpx.Response, document: Any) -> bool:
    status = response.status_code
    if status // 100 == 2:
        is_json = document is not None or response.content.strip(_SPACE) in (b"", b"null")
        return status == operation.status and is_json and operation.is_body(document)
    return status not in _REFUSALS or _are_messages(document)


def _are_messages(document: Any) -> bool:
    return bool(
        isinstance(document, list)
        and document
        and all(isinstance(one, dict) and isinstance(one.get("message"), str) for one in document)
    )


def _is_html(response: httpx.Response) -> bool:
    media_type = response.headers.get("content-type", "").lower()
    return "html" in media_type or response.content.lstrip(_SPACE).startswith(b"<")


def _messages(response: httpx.Response, document: Any) -> tuple[str, ...]:
    """The messages of the answer's JSON, or the title of an HTML page."""
    if document is not None:
        return tuple(message for message in messages_of(document) if message != NO_MESSAGE)
    title = _TITLE.search(response.content[:_TITLE_WITHIN])
    return messages_of(unescape(title[1].decode(errors="replace")).strip()) if title else ()


def _origin_of(response: httpx.Response) -> str:
    """The origin that a redirect points to; its path and query may repeat what was sent."""
    if not response.has_redirect_location:
        return ""
    try:
        target = response.url.join(response.headers["location"])
    except (httpx.InvalidURL, ValueError):
        return ""
    return f"{target.scheme}://{target.netloc.decode('ascii')}"
