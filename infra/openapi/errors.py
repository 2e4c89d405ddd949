"""The errors that operations may answer, raised by Relay's own code where one call does it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from infra.openapi.operation import Caller, Operation
from infra.openapi.parameters import SITE_ID
from infra.openapi.shapes import SHAPES
from relay.actions.residency import MigrationRefused
from relay.catalog.workspaces import WorkspaceDocument, being_erased
from relay.edge.action_documents import component_url, parse_ids
from relay.edge.documents import checked_key_id, checked_workspace_id
from relay.edge.entity_documents import checked_properties, searched_text
from relay.edge.export_documents import DeletionsRequest
from relay.edge.forge_documents import migration_id_of, migration_request
from relay.edge.page_documents import page_replay_request, search_text, unsettled_state
from relay.edge.query import check_query, page_limit, query_id
from relay.edge.receipt_documents import checked_submission_id, receipt_document
from relay.edge.request import PATH_HEADER, check_sent_path, json_body
from relay.edge.site_documents import move_request, replay_request
from relay.edge.source_documents import delivery_state
from relay.entities.association import parse_associated
from relay.entities.document import DOCUMENT_BYTES_MAX, check_size, parse_document
from relay.entities.submission import parse_submission
from relay.errors import (
    AnswerTooLarge,
    BadRequest,
    Conflict,
    Detail,
    Forbidden,
    NotFound,
    RelayError,
    Unauthenticated,
    Unavailable,
)
from relay.identity.caller import Request
from relay.identity.signed_install import LifecycleBody
from relay.jira.errors import AccessRefused, JiraUnreachable
from relay.provider.tracking import state_named
from relay.sources.document import SourceDocument, check_document
from relay.sources.settings import SourceSettings
from relay.sources.tool import tool_of
from relay.tenants.store import unknown_site


def _raised(function: Callable[..., Any], *arguments: Any) -> RelayError:
    try:
        function(*arguments)
    except RelayError as error:
        return error
    raise ValueError(f"{function.__name__} raises nothing")


def _request(query: str = "", body: bytes = b"{}", media: str = "application/json") -> Request:
    return Request("GET", "/", query, {"content-type": media}, "https://relay.example.com", body)


_LONG_NAME = b'{"name": "%s", "url": "https://ops.example.com/teams/payments"}' % (b"x" * 256)
# The errors of single operations, by their names in document.yaml.
ERRORS: Mapping[str, RelayError] = {
    "bad_body": _raised(parse_document, WorkspaceDocument, _LONG_NAME, "a workspace"),
    "bad_submission": _raised(parse_submission, b'{"incident": {}}'),
    "bad_deletions": _raised(
        parse_document, DeletionsRequest, b'{"deletions": []}', "a list of deletions"
    ),
    "bad_move": _raised(move_request, _request()),
    "bad_replay": _raised(
        replay_request, _request(body=b'{"what": "all", "since": "2026-01-31T08:00:00Z"}')
    ),
    "bad_key_id": _raised(checked_key_id, "relay_0123456789abcdef_x"),
    "bad_submission_id": _raised(checked_submission_id, "8f14e45f-ceea-467f-a8f2-0d1a3c5e7b90"),
    "bad_lifecycle": _raised(
        parse_document, LifecycleBody, b'{"key": "relay-operations"}', "a lifecycle call"
    ),
    "bad_migration": _raised(migration_request, _request()),
    "no_migration_id": _raised(migration_id_of, _request()),
    "bad_source": _raised(parse_document, SourceDocument, b'{"kind": "pager"}', "a source"),
    "unsigned_source": _raised(check_document, SourceDocument(kind="pagerduty"), None, False),
    "unknown_source": NotFound("There is no source 'alertmanager'.", code="unknown_source"),
    "unknown_delivery_state": _raised(delivery_state, "lost"),
    "wrong_payload": _raised(tool_of("alertmanager").read, {}, SourceSettings()),
    "no_ids": _raised(parse_ids, b"{}"),
    "no_component": _raised(component_url, b"{}"),
    "no_association": _raised(parse_associated, b'{"associatedWith": {}}'),
    "no_incident": BadRequest(
        "`incident` is missing.",
        [Detail("incident", "missing", "The query must have the incident's id")],
    ),
    "no_properties": _raised(checked_properties, _request()),
    "long_id": _raised(query_id, _request("incident=" + "x" * 256), "incident"),
    "unknown_submission": _raised(receipt_document, "1769852700123-8f14e45f", None),
    "unknown_state": _raised(state_named, "lost"),
    "blank_text": _raised(searched_text, _request("text=%20")),
    "unknown_workspace": NotFound("There is no workspace 'payments'.", code="unknown_workspace"),
    "unknown_erasure": NotFound("The workspace 'payments' is not erased.", code="unknown_erasure"),
    "unknown_container": NotFound(
        "There is no container 'checkout-api'.", code="unknown_container"
    ),
    "unknown_component": NotFound("There is no component at this URL.", code="unknown_component"),
    "unknown_webhook": NotFound("The workspace has no webhook.", code="unknown_webhook"),
    "unknown_link": NotFound("The workspace is not linked to the site.", code="unknown_link"),
    "unknown_offer": NotFound("The workspace is not offered to the site.", code="unknown_offer"),
    "no_page_state": _raised(unsettled_state, _request()),
    "long_query": _raised(search_text, _request("query=" + "x" * 256)),
    "bad_page_replay": _raised(page_replay_request, _request()),
    "unknown_entity": NotFound("There is no incident 'inc-1'.", code="unknown_entity"),
    "unknown_incident": NotFound("There is no incident 'inc-1'.", code="unknown_incident"),
    "unknown_migration": MigrationRefused(
        "The migration is unknown.", "unknown_migration", "E0001"
    ),
    "other_region": MigrationRefused(
        "This deployment serves EU; migrate the site manually.", "other_region", "E0002"
    ),
    "uninstalled": Conflict("The site has uninstalled the app.", code="uninstalled"),
    "one_workspace": Conflict(
        "With plain ids, a site can be linked to one workspace only. Unlink 'payments' first.",
        code="one_workspace",
    ),
    "installed": Conflict("The site has the app. Uninstall it there first.", code="installed"),
    "not_erased": NotFound(f"The site {SITE_ID!r} is not erased.", code="unknown_erasure"),
    "same_site": Conflict("A site can't replace itself.", code="same_site"),
    "outdated": Conflict(
        "A newer lifecycle call of this site was already handled.", code="outdated"
    ),
    "token_used": Conflict("This call's token was already used.", code="token_used"),
    "not_queued": Unavailable(
        "Not all entities could be queued; submit these again.",
        [Detail("incidents[0]", "not_queued", "This incident was not queued")],
        code="not_queued",
    ),
    "jira_refused": AccessRefused(403, ("The app lacks a scope",)),
    "jira_unavailable": JiraUnreachable("Jira gave no answer: ConnectTimeout"),
    "answer_too_large": AnswerTooLarge(),
}
_COMMON_ERRORS = (
    RelayError("Relay failed unexpectedly."),
    Unavailable("A service that Relay depends on is unavailable; try again."),
)
_PATH_ERRORS = (
    # An id that is empty or contains a slash may match no route.
    NotFound("No route has this method and path."),
    BadRequest(
        "The path does not match the ids that API Gateway found.",
        [Detail("", "path", "The route's path, with the ids that API Gateway matched")],
    ),
    _raised(check_sent_path, {PATH_HEADER: "/v1/keys"}, "/v1/sites"),
)
_PROVIDER_ERRORS = (
    Forbidden("This API key is not for workspace 'payments'."),
    _raised(check_query, _request("dryrun=true"), ["dryRun"]),
    _raised(check_query, _request("limit=1&limit=2"), ["limit"]),
)
_PAGE_ERRORS = (
    Forbidden("Only an admin of this Jira may use this page.", code="not_an_admin"),
    _raised(check_query, _request("what=owed"), []),
    _raised(check_query, _request("limit=1&limit=2"), ["limit"]),
    ERRORS["jira_unavailable"],
)


def errors_of(operation: Operation) -> Iterator[RelayError]:
    """Yields the operation's own errors and those of its caller, parameters and body."""
    names = {parameter.name for parameter in operation.parameters}
    yield from operation.errors
    if "{" in operation.route.path:
        yield from _PATH_ERRORS
    if operation.callers or "address" in names:
        yield Unauthenticated("")
    if operation.caller is Caller.PROVIDER:
        yield from _PROVIDER_ERRORS
    if operation.caller is Caller.PAGE:
        yield from _PAGE_ERRORS
    if "site" in names:
        yield unknown_site(SITE_ID)
    if "limit" in names:
        yield _raised(page_limit, _request("limit=0"))
    if operation.caller in (Caller.PROVIDER, Caller.PAGE) and "workspaceId" in names:
        yield _raised(checked_workspace_id, "a workspace")
    if operation.route.path.startswith("/v1/workspaces/{workspaceId}/"):
        yield ERRORS["unknown_workspace"]
    if "unknown_erasure" not in {error.error_code for error in operation.errors} and (
        operation.route.path.startswith("/v1/workspaces/{workspaceId}")
    ):
        yield being_erased()
    if operation.body:
        yield _raised(check_size, b" " * (DOCUMENT_BYTES_MAX + 1), DOCUMENT_BYTES_MAX)
        if operation.caller in (Caller.PROVIDER, Caller.FORGE, Caller.PAGE):
            yield _raised(json_body, _request(media="text/plain"), DOCUMENT_BYTES_MAX)
    yield from _COMMON_ERRORS


def shape_of(error: RelayError) -> type:
    """The shape of the error's body."""
    return SHAPES["MigrationError" if isinstance(error, MigrationRefused) else "Error"]
