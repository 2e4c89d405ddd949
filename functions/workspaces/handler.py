"""The catalog's workspaces, as the operations tool keeps them."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from relay.aws import dynamodb_client
from relay.catalog import WorkspaceStore
from relay.edge.documents import checked_workspace_id, workspace_document
from relay.edge.http import HttpFunction, json_answer
from relay.identity import ApiKeyVerifier
from relay.settings import WorkspacesSettings

settings = WorkspacesSettings.from_environment()
dynamodb = dynamodb_client()
api_key = ApiKeyVerifier(dynamodb, settings.api_keys_table)
workspaces = WorkspaceStore(dynamodb, settings.catalog_table)

handler = HttpFunction(settings.base_url)


@handler.put("/v1/workspaces/<workspace_id>")
def put_workspace(workspace_id: str) -> Response[Any]:
    caller, request = handler.caller(api_key)
    caller.check_workspace(workspace_id)
    workspace = workspaces.put(checked_workspace_id(workspace_id), workspace_document(request))
    return json_answer(200, workspace.model_dump(exclude_none=True))


@handler.get("/v1/workspaces/<workspace_id>")
def get_workspace(workspace_id: str) -> Response[Any]:
    caller, _ = handler.caller(api_key)
    caller.check_workspace(workspace_id)
    return json_answer(200, workspaces.get(workspace_id).model_dump(exclude_none=True))
