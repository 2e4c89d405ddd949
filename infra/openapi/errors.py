"""The errors that an operation may answer, each as `relay.errors` makes it."""

from collections.abc import Iterator

from infra.openapi.operation import Caller, Operation
from infra.openapi.schemas import Shape
from relay.actions.residency import MigrationRefused
from relay.entities.document import DOCUMENT_BYTES_MAX
from relay.entities.fields import ID_MAX, WORKSPACE_ID_MAX
from relay.errors import (
    AnswerTooLarge,
    BadRequest,
    Conflict,
    Detail,
    Forbidden,
    NotFound,
    RelayError,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMedia,
)
from relay.jira.errors import AccessRefused, JiraUnreachable


class ErrorDetail(Shape):
    """One rule that is broken."""

    path: str
    """Where: a field of the body such as `incidents[1].summary`, or a parameter; empty for the
    whole body."""
    rule: str
    """The rule's name, which programs may rely on, such as `string_too_long`."""
    message: str
    """The rule in words."""


class ErrorContent(Shape):
    """What is wrong."""

    code: str
    """The error's name, which programs may rely on, such as `unknown_workspace`."""
    message: str
    """The error in words."""
    details: list[ErrorDetail]
    """Which rules are broken, or what was not taken; empty where it is neither."""


class Error(Shape):
    """The one shape of every error of Relay."""

    error: ErrorContent
    """The error."""


class MigrationError(Error):
    """An error that Forge reads, too."""

    errorResponseCode: str
    """Forge's own word for the error, by which it does not try again."""


class GatewayError(Shape):
    """API Gateway's own answer, where a call did not reach Relay or was not answered in time."""

    message: str
    """API Gateway's words, such as `Too Many Requests`."""


BAD_ID = BadRequest(
    "This is no id for a workspace.",
    [
        Detail(
            "workspaceId", "pattern", f"1 to {WORKSPACE_ID_MAX} characters of A-Z a-z 0-9 . _ ~ -"
        )
    ],
)
BAD_BODY = BadRequest(
    "The body is not a workspace.",
    [Detail("name", "string_too_long", "String should have at most 255 characters")],
)
LONG_ID = BadRequest(
    "incident is no id.", [Detail("incident", "max_length", f"At most {ID_MAX} characters")]
)
BAD_QUERY = BadRequest(
    "The limit is out of range.", [Detail("limit", "range", "A whole number from 1 to 100")]
)
UNKNOWN_PARAMETER = BadRequest(
    "The query is not understood; nothing was done.",
    [Detail("dryrun", "unknown_parameter", "Known here: dryRun")],
)
REPEATED_PARAMETER = BadRequest(
    "The query is not understood; nothing was done.",
    [Detail("limit", "repeated_parameter", "Once at most")],
)
BAD_PATH = BadRequest(
    "The path is not the one that API Gateway matched.",
    [Detail("", "path", "The ids that API Gateway matched, filled into the route's path")],
)
CHANGED_PATH = BadRequest(
    "The path was changed on its way.",
    [Detail("x-relay-path", "path", "The path below the base URL, percent-encoded once")],
)
UNSUPPORTED = UnsupportedMedia("The Content-Type must be application/json.")
TOO_LARGE = TooLarge(
    "The body is too large.",
    [Detail("", "max_bytes", f"At most {DOCUMENT_BYTES_MAX} bytes, after inflating")],
)
ANSWER_TOO_LARGE = AnswerTooLarge()
UNKNOWN_WORKSPACE = NotFound("There is no workspace 'payments'.", code="unknown_workspace")
UNKNOWN_CONTAINER = NotFound("There is no container 'checkout-api'.", code="unknown_container")
UNKNOWN_WEBHOOK = NotFound("The workspace has no webhook.", code="unknown_webhook")
UNKNOWN_SITE = NotFound("There is no site '5f0c5b1e8d3a4f7f9c2e6b7a8d9e0f1a'.", code="unknown_site")
UNKNOWN_LINK = NotFound("The workspace is not linked to the site.", code="unknown_link")
UNKNOWN_ENTITY = NotFound("There is no incident 'inc-1'.", code="unknown_entity")
UNKNOWN_INCIDENT = NotFound("There is no incident 'inc-1'.", code="unknown_incident")
NO_APP = Conflict("The site has uninstalled the app.", code="uninstalled")
ONE_WORKSPACE = Conflict("A site with plain ids takes one workspace only.", code="one_workspace")
SAME_SITE = Conflict("A site can't take its own place.", code="same_site")
OUTDATED = Conflict("A newer lifecycle call of this site has been taken already.", code="outdated")
TOKEN_USED = Conflict("The token of this call has been used already.", code="token_used")
NOT_QUEUED = Unavailable(
    "Not all could be queued; submit these again.",
    [Detail("incidents[0]", "not_queued", "This incident was not taken")],
    code="not_queued",
)
JIRA_REFUSED = AccessRefused(403, ("The app lacks a scope",))
JIRA_UNAVAILABLE = JiraUnreachable("Jira gave no answer: ConnectTimeout")

# An id with a slash in it, where none can be, or an empty one, leads past every route.
NOTHING_THERE = NotFound("There is nothing at this method and path.")
_ALWAYS = (
    RelayError("Something went wrong inside Relay."),
    Unavailable("A part of Relay can't answer now; try again."),
)


def errors_of(operation: Operation) -> Iterator[RelayError]:
    """The operation's own errors, and those that follow from who calls and what is sent."""
    yield from operation.errors
    if any(parameter.where == "path" for parameter in operation.parameters):
        yield NOTHING_THERE
        yield from (BAD_PATH, CHANGED_PATH)
    if operation.caller is not Caller.ANYONE:
        yield Unauthenticated("")
    if operation.caller is Caller.PROVIDER:
        yield Forbidden("This API key is not for workspace 'payments'.")
        yield from (UNKNOWN_PARAMETER, REPEATED_PARAMETER)
        if any(parameter.name == "workspaceId" for parameter in operation.parameters):
            yield BAD_ID
        if operation.route.path.startswith("/v1/workspaces/{workspaceId}/"):
            yield UNKNOWN_WORKSPACE
    if operation.body:
        yield TOO_LARGE
        if operation.caller in (Caller.PROVIDER, Caller.FORGE):
            yield UNSUPPORTED
    yield from _ALWAYS


def shape_of(error: RelayError) -> type[Error]:
    return MigrationError if isinstance(error, MigrationRefused) else Error
