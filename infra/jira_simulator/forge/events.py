"""The bodies of Forge's calls. A remote should rely on the signed token instead."""

import secrets
from typing import Any

from ..sites import Site
from .endpoints import Endpoint
from .installation import ForgeInstallation


def installed_event(site: Site, installation: ForgeInstallation) -> dict[str, Any]:
    """The body of `avi:forge:installed:app`."""
    event = _lifecycle_event(site, installation, "avi:forge:installed:app")
    return {**event, "installerAccountId": installation.installer_account_id}


def upgraded_event(site: Site, installation: ForgeInstallation) -> dict[str, Any]:
    """The body of `avi:forge:upgraded:app`."""
    event = _lifecycle_event(site, installation, "avi:forge:upgraded:app")
    permissions = {"scopes": sorted(installation.scopes), "external": {}}
    upgrader = {"upgraderAccountId": installation.installer_account_id}
    return {**event, **upgrader, "permissions": permissions}


def trigger_payload(site: Site, endpoint: Endpoint) -> dict[str, Any]:
    """The body of a scheduled trigger and of an uninstall; its token has no meaning for an app."""
    context = {"cloudId": site.cloud_id, "moduleKey": endpoint.module_key}
    return {"context": context, "contextToken": secrets.token_urlsafe(64)}


def _lifecycle_event(
    site: Site, installation: ForgeInstallation, event_type: str
) -> dict[str, Any]:
    return {
        "id": _uuid(installation.installation_id),
        "app": {"id": _uuid(installation.app_id), "version": installation.app_version},
        "environment": {"id": installation.environment_uuid},
        "context": f"ari:cloud:jira::site/{site.cloud_id}",
        "eventType": event_type,
    }


def _uuid(resource_name: str) -> str:
    return resource_name.rpartition("/")[2]
