"""A tenant as an item of its table, and back."""

from datetime import datetime
from typing import Any

from relay.secrets import EncryptedSecret
from relay.tenants.lifecycle import LifecycleToken, TokenHistory
from relay.tenants.tenant import ForgeIdentity, Tenant, TenantState


def to_item_values(tenant: Tenant) -> dict[str, Any]:
    return {
        "pk": f"tenant#{tenant.id}",
        "sk": "tenant",
        "tenantId": tenant.id,
        "clientKey": tenant.client_key,
        "baseUrl": tenant.base_url,
        "displayUrl": tenant.display_url,
        "installationId": tenant.installation_id,
        "state": tenant.state.value,
        "installedAt": tenant.installed_at.isoformat(),
        "lifecycleAt": tenant.tokens.at,
        "tokensSeen": _token_values(tenant.tokens),
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
        "forgeTokenAt": identity.tokens.at,
        "forgeTokensSeen": _token_values(identity.tokens),
    }


def _token_values(tokens: TokenHistory) -> list[dict[str, Any]]:
    return [
        {"digest": used.digest, "issuedAt": used.issued_at, "seenAt": used.seen_at}
        for used in tokens.used
    ]


def _history(at: Any, used: list[Any]) -> TokenHistory:
    return TokenHistory(int(at), tuple(_used_token(int(at), each) for each in used))


def _used_token(at: int, values: Any) -> LifecycleToken:
    # Items of an earlier version hold digests alone, all of tokens issued at this second.
    if isinstance(values, str):
        return LifecycleToken(at, values, at)
    return LifecycleToken(int(values["issuedAt"]), values["digest"], int(values["seenAt"]))


def _forge_identity(values: dict[str, Any]) -> ForgeIdentity | None:
    if "forgeCloudId" not in values:
        return None
    return ForgeIdentity(
        cloud_id=values["forgeCloudId"],
        installation_id=values.get("forgeInstallationId"),
        api_base_url=values.get("apiBaseUrl"),
        system_token=_secret(values, "systemToken"),
        tokens=_history(values["forgeTokenAt"], values["forgeTokensSeen"]),
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
        tokens=_history(values["lifecycleAt"], values["tokensSeen"]),
        version=int(values["version"]),
        installs=int(values.get("installs", 0)),
        secret=_secret(values, "secret"),
        display_url=values.get("displayUrl"),
        installation_id=values.get("installationId"),
        forge=_forge_identity(values),
        merged_into=values.get("mergedInto"),
    )
