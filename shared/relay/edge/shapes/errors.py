"""Errors, as `relay.errors.RelayError.as_body` writes them, and API Gateway's own."""

from typing import NotRequired

from typing_extensions import TypedDict


class ErrorDetail(TypedDict):
    """One broken rule."""

    path: str
    """Where: a field of the body such as `incidents[1].summary`, or a parameter; empty for the
    whole body."""
    rule: str
    """The rule's stable name, such as `string_too_long`."""
    message: str
    """The rule in words."""


class ErrorContent(TypedDict):
    """What is wrong."""

    code: str
    """The error's stable name, such as `unknown_workspace`."""
    message: str
    """The error in words."""
    details: list[ErrorDetail]
    """The broken rules, or the entities that were not accepted; empty if there are none."""
    jiraStatus: NotRequired[int]
    """The HTTP status that Jira answered with, such as 401. Absent if the error is not due to
    Jira's answer."""


class Error(TypedDict):
    """The shape of every error that Relay answers."""

    error: ErrorContent
    """The error."""


class MigrationError(Error):
    """An error of a data residency migration."""

    errorResponseCode: str
    """Forge's code for the error. Forge does not retry a call that is answered with it."""


class GatewayError(TypedDict):
    """API Gateway's own answer: the call did not reach Relay, or Relay did not answer in time."""

    message: str
    """API Gateway's words, such as `Too Many Requests`."""
