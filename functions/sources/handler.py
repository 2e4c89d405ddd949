"""Sources of a workspace: made, listed, tried, with their deliveries."""

from typing import TYPE_CHECKING

from relay.aws import dynamodb_client, kms_client
from relay.catalog.source_deliveries import SourceDeliveryStore
from relay.catalog.sources import SourceStore
from relay.catalog.workspaces import WorkspaceStore
from relay.edge.answer import Answer, json_answer, no_content
from relay.edge.http import HttpFunction
from relay.edge.query import page_limit, page_start, query_value, submission_cursor
from relay.edge.request import json_body
from relay.edge.source_documents import (
    address_url,
    checked_source_id,
    delivery_page,
    delivery_state,
    kinds_document,
    preview_document,
    source_document,
    source_page,
    source_request,
)
from relay.edge.workspace_calls import WorkspaceCalls
from relay.identity.api_keys import ApiKeyVerifier
from relay.provider.source_intake import mapped_for, read
from relay.secrets import Secrets
from relay.settings import SourcesSettings
from relay.sources.payload import BODY_BYTES_MAX

if TYPE_CHECKING:
    from relay.edge.shapes.sources import SourceUrl

settings = SourcesSettings.from_environment()
dynamodb = dynamodb_client()
sources = SourceStore(dynamodb, settings.catalog_table, Secrets(kms_client(), settings.secrets_key))
deliveries = SourceDeliveryStore(dynamodb, settings.catalog_table)
workspaces = WorkspaceStore(dynamodb, settings.catalog_table)

handler = HttpFunction(settings.base_url)
calls = WorkspaceCalls(handler, ApiKeyVerifier(dynamodb, settings.api_keys_table), workspaces)


@handler.get("/v1/source-kinds")
def list_source_kinds() -> Answer:
    """List the kinds of sources, and the steps to take in each tool."""
    calls.by_any_key()
    return json_answer(200, kinds_document())


@handler.get("/v1/workspaces/{workspaceId}/sources", query=("limit", "after"))
def list_sources(workspace_id: str) -> Answer:
    """List a workspace's sources."""
    request = calls.about(workspace_id)
    limit = page_limit(request)
    return json_answer(
        200, source_page(sources.page(workspace_id, page_start(request), limit), limit)
    )


@handler.put("/v1/workspaces/{workspaceId}/sources/{sourceId}")
def put_source(workspace_id: str, source_id: str) -> Answer:
    """Create or update a source.

    The answer to the call that makes the source has its `url`, which Relay does not show again.
    Later, settings are replaced, and the secret stays unless a new one is given.
    """
    request = calls.about(workspace_id)
    wanted = source_request(request)
    source, address = sources.put(workspace_id, checked_source_id(source_id), wanted)
    return json_answer(200, source_document(source, address_url(request, address)))


@handler.get("/v1/workspaces/{workspaceId}/sources/{sourceId}")
def get_source(workspace_id: str, source_id: str) -> Answer:
    """Get a source, with the number of its deliveries."""
    calls.about(workspace_id)
    return json_answer(
        200, source_document(sources.get(workspace_id, checked_source_id(source_id)))
    )


@handler.delete("/v1/workspaces/{workspaceId}/sources/{sourceId}")
def delete_source(workspace_id: str, source_id: str) -> Answer:
    """Delete a source.

    Its address is refused from then on. The incidents that came of it stay.
    """
    calls.about(workspace_id)
    sources.delete(workspace_id, checked_source_id(source_id))
    return no_content()


@handler.post("/v1/workspaces/{workspaceId}/sources/{sourceId}/url")
def renew_source_url(workspace_id: str, source_id: str) -> Answer:
    """Give a source a new URL.

    The old one is refused at once.
    """
    request = calls.about(workspace_id)
    address = sources.renew_address(workspace_id, checked_source_id(source_id))
    answer: SourceUrl = {"url": address_url(request, address) or ""}
    return json_answer(200, answer)


@handler.get(
    "/v1/workspaces/{workspaceId}/sources/{sourceId}/deliveries", query=("state", "limit", "after")
)
def list_source_deliveries(workspace_id: str, source_id: str) -> Answer:
    """List what came of the calls of a source's webhook in the last 14 days, newest first."""
    request = calls.about(workspace_id)
    state = delivery_state(query_value(request, "state"))
    source = sources.get(workspace_id, checked_source_id(source_id))
    found = deliveries.page(source, state, submission_cursor(request), page_limit(request))
    return json_answer(200, delivery_page(*found))


@handler.post("/v1/workspaces/{workspaceId}/sources/{sourceId}/preview")
def preview_source(workspace_id: str, source_id: str) -> Answer:
    """Show what Jira would get of a payload.

    Nothing is taken, and the payload needs no signature.
    """
    request = calls.about(workspace_id)
    source = sources.get(workspace_id, checked_source_id(source_id))
    url = workspaces.get(workspace_id).url
    reading = read(source, json_body(request, BODY_BYTES_MAX))
    # As if the alarm, if it is one, were not known yet.
    return json_answer(200, preview_document(reading, mapped_for(source, reading, url, {})))
