"""A tenant as an item of its table, and back."""

from datetime import datetime
from typing import Any

from relay.secrets import EncryptedSecret
from relay.tenants.tenant import ForgeIdentity, Tenant, TenantState


def to_item_values(tenant: Tenant) -> dict[str, Any]:
    return {
        "pk": f"tenant#{tenant.id}",
        "sk": "tenant",
        "tenantId": tenant.id,
        "clientKey": tenant.client_key,
        "baseUrl": tenant.base_url,
        "displayUrl": tenant.display_url,
        "cloudId": tenant.cloud_id,
        "installationId": tenant.installation_id,
        "state": tenant.state.value,
        "installedAt": tenant.installed_at.isoformat(),
        "lifecycleAt": tenant.lifecycle_at,
        "tokensSeen": sorted(tenant.tokens_seen),
        "version": tenant.version,
        "installs": tenant.installs,
        "secret": tenant.secret and tenant.secret.ciphertext,
        "secretKey": tenant.secret and tenant.secret.data_key,
        "mergedInto": tenant.merged_into,
        **_forge_values(tenant.forge),
    }


def _forge_values(identity: ForgeIdentity | None) -> dict[str, Any]:
    if identity is None:
        return {}
    return {
        "forgeCloudId": identity.cloud_id,
        "forgeInstallationId": identity.installation_id,
        "apiBaseUrl": identity.api_base_url,
        "systemToken": identity.system_token and identity.system_token.ciphertext,
        "systemTokenKey": identity.system_token and identity.system_token.data_key,
        "forgeTokenAt": identity.token_at,
        "forgeTokensSeen": sorted(identity.seen),
    }


def _forge_identity(values: dict[str, Any]) -> ForgeIdentity | None:
    if "forgeCloudId" not in values:
        return None
    return ForgeIdentity(
        cloud_id=values["forgeCloudId"],
        installation_id=values.get("forgeInstallationId"),
        api_base_url=values.get("apiBaseUrl"),
        system_token=_secret(values, "systemToken"),
        token_at=int(values["forgeTokenAt"]),
        seen=frozenset(values["forgeTokensSeen"]),
    )


def _secret(values: dict[str, Any], name: str) -> EncryptedSecret | None:
    return EncryptedSecret(values[name], values[f"{name}Key"]) if name in values else None


def tenant_of(values: dict[str, Any]) -> Tenant:
    return Tenant(
        id=values["tenantId"],
        client_key=values.get("clientKey"),
        base_url=values["baseUrl"],
        state=TenantState(values["state"]),
        installed_at=datetime.fromisoformat(values["installedAt"]),
        lifecycle_at=int(values["lifecycleAt"]),
        tokens_seen=frozenset(values["tokensSeen"]),
        version=int(values["version"]),
        installs=int(values.get("installs", 0)),
        secret=_secret(values, "secret"),
        display_url=values.get("displayUrl"),
        cloud_id=values.get("cloudId"),
        installation_id=values.get("installationId"),
        forge=_forge_identity(values),
        merged_into=values.get("mergedInto"),
    )
