"""Forge Invocation Tokens (FIT), which identify the caller and the installation."""

import copy
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

from ..sites import Site
from .endpoints import Endpoint
from .installation import ForgeInstallation
from .keys import ForgeKey

_LIFETIME_SECONDS = 25


def invocation_claims(
    site: Site, installation: ForgeInstallation, endpoint: Endpoint
) -> dict[str, Any]:
    """The claims of a token for a call of this endpoint, valid for 25 seconds."""
    now = int(time.time())
    context = {"name": "jira", "apiBaseUrl": site.api_base_url, "cloudId": site.cloud_id}
    return {
        "app": {
            "id": installation.app_id,
            "version": installation.app_version.partition(".")[0],
            "appVersion": installation.app_version,
            "installationId": installation.installation_id,
            "installation": {"id": installation.installation_id, "contexts": [context]},
            "apiBaseUrl": site.api_base_url,
            "environment": {
                "type": installation.environment_type,
                "id": installation.environment_id,
            },
            "module": {"type": endpoint.type, "key": endpoint.key},
        },
        "context": {
            "cloudId": site.cloud_id,
            "siteUrl": site.base_url,
            "moduleKey": endpoint.module_key,
        },
        "aud": installation.app_id,
        "iss": "forge/invocation-token",
        "iat": now,
        "nbf": now,
        "exp": now + _LIFETIME_SECONDS,
        "jti": secrets.token_hex(20),
    }


def changed(claims: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with new values by dotted path, such as `{"app.environment.type": "STAGING"}`.

    None removes a claim. A value on the path that is not an object is replaced by one.
    """
    copied = copy.deepcopy(claims)
    for path, value in changes.items():
        *parents, name = path.split(".")
        within = copied
        for parent in parents:
            if not isinstance(within.get(parent), dict):
                within[parent] = {}
            within = within[parent]
        if value is None:
            within.pop(name, None)
        else:
            within[name] = value
    return copied


def signed(claims: dict[str, Any], key: ForgeKey) -> str:
    """Signs the claims. They may have any type, so that tests can send invalid ones."""
    from jwt.api_jws import PyJWS  # imported here, because the import would slow down the start

    headers = {"kid": key.kid, "typ": "JWT"}
    return PyJWS().encode(json.dumps(claims).encode(), key.private_key, "RS256", headers)
