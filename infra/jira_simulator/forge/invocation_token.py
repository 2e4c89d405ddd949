"""Forge Invocation Tokens (FIT): who calls the remote, and about which installation."""

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

_LIFE_SECONDS = 25


def invocation_claims(
    site: Site, installation: ForgeInstallation, endpoint: Endpoint
) -> dict[str, Any]:
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
        "exp": now + _LIFE_SECONDS,
        "jti": secrets.token_hex(20),
    }


def changed(claims: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with other values, by dotted path: `{"app.environment.type": "STAGING"}`.

    None takes a claim away. What is on the path and no object becomes one.
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
    """The claims may be of any type: a test may want to see a wrong one refused."""
    from jwt.api_jws import PyJWS  # loaded here, since it takes a good part of the time to start

    headers = {"kid": key.kid, "typ": "JWT"}
    return PyJWS().encode(json.dumps(claims).encode(), key.private_key, "RS256", headers)
