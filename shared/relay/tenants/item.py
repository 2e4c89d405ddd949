"""A tenant as an item of its table: written with the items that find it, and read back."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from relay import keys
from relay.secrets import EncryptedSecret
from relay.table import key, to_item
from relay.tenants.lifecycle import LifecycleToken, TokenHistory
from relay.tenants.tenant import ForgeIdentity, Tenant, TenantState

_NOT_THERE = {"ConditionExpression": "attribute_not_exists(pk)"}
# Maps the pk of a pointer to the tenant id that it held when it was read, or None.
Pointers = Mapping[str, str | None]


def to_item_values(tenant: Tenant) -> dict[str, Any]:
    """The attributes of the tenant's item, with its key."""
    return {
        "pk": keys.tenant(tenant.id),
        "sk": keys.TENANT,
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
        "resetsMin": tenant.resets_min or None,
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
    tokens = (
        LifecycleToken(int(one["issuedAt"]), one["digest"], int(one["seenAt"])) for one in used
    )
    return TokenHistory(int(at), tuple(tokens))


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
    """The tenant in an item."""
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
        resets_min=int(values.get("resetsMin", 0)),
    )


def puts_of(tenant: Tenant, known: Tenant | None, pointers: Pointers) -> Iterator[dict[str, Any]]:
    """The puts of a tenant in place of `known`, and of its pointers. Their conditions fail if
    `known` or `pointers` have changed."""
    yield _put(to_item_values(tenant), _unchanged(known))
    for item in _new_pointers(tenant, known):
        yield _put(item, _points_to(pointers[item["pk"]]) if item["pk"] in pointers else {})
    if known is None:
        yield _put({"pk": keys.TENANTS, "sk": tenant.id})
    if tenant.client_key and (known is None or known.client_key is None):
        pointer = {"pk": keys.client_key(tenant.client_key), "sk": keys.TENANT}
        yield _put(pointer | {"tenantId": tenant.id}, _NOT_THERE)


def deletes_of(tenant: Tenant) -> list[dict[str, Any]]:
    """The deletes of a tenant, and of what an install and the list of tenants find it by. They fail
    if it has changed."""
    deletes: list[dict[str, Any]] = [
        {"Key": key(*keys.tenant_item(tenant.id)), **_unchanged(tenant)},
        {"Key": key(keys.TENANTS, tenant.id)},
    ]
    if tenant.client_key:
        deletes.append({"Key": key(keys.client_key(tenant.client_key), keys.TENANT)})
    return deletes


def _put(values: dict[str, Any], condition: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"Item": to_item(values), **(condition or {})}


def _points_to(tenant_id: str | None) -> dict[str, Any]:
    if tenant_id is None:
        return _NOT_THERE
    return {
        "ConditionExpression": "tenantId = :seen",
        "ExpressionAttributeValues": {":seen": {"S": tenant_id}},
    }


def _unchanged(known: Tenant | None) -> dict[str, Any]:
    if known is None:
        return _NOT_THERE
    return {
        "ConditionExpression": "version = :version",
        "ExpressionAttributeValues": {":version": {"N": str(known.version)}},
    }


def _new_pointers(tenant: Tenant, known: Tenant | None) -> Iterator[dict[str, Any]]:
    """The tenant's new pointers."""
    if known is None or known.base_url != tenant.base_url:
        yield {"pk": keys.base_url(tenant.base_url), "sk": tenant.id}
    identity = tenant.forge
    if identity and identity.installation_id and identity != (known and known.forge):
        for pk in (
            keys.installation_id(identity.installation_id),
            keys.forge_cloud_id(identity.cloud_id),
        ):
            yield {"pk": pk, "sk": keys.TENANT, "tenantId": tenant.id}
