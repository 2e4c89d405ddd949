"""Documents of the operations tool's API, in and out."""

import re
from typing import Any

from pydantic import ValidationError

from relay.catalog import WorkspaceDocument
from relay.edge.request import json_body
from relay.entities import details_of
from relay.entities.fields import WORKSPACE_ID_PATTERN
from relay.errors import BadRequest, Detail
from relay.identity import Request
from relay.tenants import Tenant


def checked_workspace_id(workspace_id: str) -> str:
    """Raises BadRequest for an id that would be fragile in a path."""
    if not re.fullmatch(WORKSPACE_ID_PATTERN, workspace_id, re.ASCII):
        rule = Detail("workspaceId", "pattern", "1 to 255 characters of A-Z a-z 0-9 . _ ~ -")
        raise BadRequest("This is no id for a workspace.", [rule])
    return workspace_id


def workspace_document(request: Request) -> WorkspaceDocument:
    try:
        return WorkspaceDocument.model_validate_json(json_body(request))
    except ValidationError as error:
        raise BadRequest("The body is not a workspace.", details_of(error)) from None


def site_document(tenant: Tenant) -> dict[str, Any]:
    return {
        "id": tenant.id,
        "clientKey": tenant.client_key,
        "baseUrl": tenant.base_url,
        "state": tenant.state.value,
        "installedAt": tenant.installed_at.isoformat(),
    }
