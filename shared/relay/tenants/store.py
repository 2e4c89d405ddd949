"""The tenants' table.

| pk | sk | holds |
|---|---|---|
| `tenant#<id>` | `tenant` | the tenant |
| `clientKey#<clientKey>` | `tenant` | the one tenant's id |
| `baseUrl#<baseUrl>` | `<id>` | a tenant's id; a site import makes several of one base URL |
| `cloudId#<cloudId>` | `<id>` | the same |
| `tenants` | `<id>` | nothing more: the list of all |
| `tenant#<id>` | `workspace#<workspaceId>` | a link (see `links`) |
| `tenant#<id>` | `offer#<workspaceId>` | an offer of one |
| `workspace#<workspaceId>` | `tenant#<id>` | the same link, found from its other end |
| `tenant#<id>` | `trouble`, `replay#<workspaceId>` | see `troubles`, `replays` |
"""

import hmac
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from relay.aws import to_item
from relay.errors import Conflict, NotFound, Unavailable
from relay.secrets import EncryptedSecret, Secrets
from relay.table import Table
from relay.tenants.tenant import (
    Installation,
    LifecycleToken,
    Tenant,
    TenantState,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_TENANT_ID = re.compile("[0-9a-f]{32}", re.ASCII)
_ATTEMPTS = 5
# Tokens count time in seconds and have no number of their own, so that two installs of one second
# may bring the same one. Later, a token with another body is a replay.
_SAME_TOKEN_SECONDS = 5


class TenantStore:
    def __init__(self, dynamodb: "DynamoDBClient", table: str, secrets: Secrets) -> None:
        self._dynamodb = dynamodb
        self._table = Table(dynamodb, table)
        self._secrets = secrets

    def get(self, tenant_id: str) -> Tenant | None:
        item = self._table.get(f"tenant#{tenant_id}", "tenant")
        return _from_values(item) if item else None

    def existing(self, tenant_id: str) -> Tenant:
        """Raises NotFound."""
        tenant = self.get(tenant_id) if _TENANT_ID.fullmatch(tenant_id) else None
        if tenant is None:
            raise NotFound(f"There is no site {tenant_id!r}.", code="unknown_site")
        return tenant

    def find_by_client_key(self, client_key: str) -> Tenant | None:
        pointer = self._table.get(f"clientKey#{client_key}", "tenant")
        # Looked for in any case: an unknown site's refusal takes as long as a known one's.
        return self.get(pointer["tenantId"] if pointer else "nobody")

    def find_by_base_url(self, base_url: str) -> list[Tenant]:
        """Every tenant that is or was at this URL: after a site import there are several."""
        return list(self._each(f"baseUrl#{base_url}"))

    def all(self) -> list[Tenant]:
        return list(self._each("tenants"))

    def secret_of(self, tenant: Tenant) -> str | None:
        """The secret that the site shares with the app; None where it has none (any more)."""
        if tenant.secret is None:
            return None
        return self._secrets.decrypt(tenant.owner, tenant.secret)

    def install(self, installation: Installation, token: LifecycleToken) -> Tenant:
        """Make the tenant of this clientKey, or renew it: its base URL, its secret, its state.

        All of it or nothing is written. Raises Conflict where a newer lifecycle call has been
        taken already, or this one's token was used for another install before; a call that only
        comes again changes nothing.
        """
        for _ in range(_ATTEMPTS):
            known = self.find_by_client_key(installation.client_key)
            if (
                known
                and _already_taken(known, token)
                and self._is_repeated(known, installation, token)
            ):
                return known
            tenant = self._installed(known, installation, token)
            if self._write(tenant, known):
                return tenant
        raise Unavailable("The tenant is being changed by others; try again.")

    def uninstall(self, client_key: str, token: LifecycleToken) -> Tenant | None:
        """Remove the tenant's secret and keep the rest; None where there is no such tenant."""
        for _ in range(_ATTEMPTS):
            known = self.find_by_client_key(client_key)
            if known is None or _already_taken(known, token):
                return known
            tenant = _advance(replace(known, state=TenantState.UNINSTALLED, secret=None), token)
            if self._write(tenant, known):
                return tenant
        raise Unavailable("The tenant is being changed by others; try again.")

    def learn_cloud_id(self, tenant: Tenant, cloud_id: str) -> None:
        """Keep the site's cloudId, which Jira tells in passing; the tenant is found by it, too."""
        for _ in range(_ATTEMPTS):
            known = self.get(tenant.id)
            if known is None or known.cloud_id == cloud_id:
                return
            told = replace(known, cloud_id=cloud_id, version=known.version + 1)
            if self._write(told, known):
                return
        raise Unavailable("The tenant is being changed by others; try again.")

    def find_by_cloud_id(self, cloud_id: str) -> list[Tenant]:
        """Every tenant of this cloud site: after a site import there are several."""
        return list(self._each(f"cloudId#{cloud_id}"))

    def _is_repeated(
        self, known: Tenant, installation: Installation, token: LifecycleToken
    ) -> bool:
        """Whether the tenant is as this call would leave it; raises Conflict where it is not, and
        the token is too old to be of another call made in the same second."""
        same_secret = self._has_secret(known, installation.shared_secret)
        if same_secret and known.base_url == installation.base_url:
            return True
        if time.time() - token.issued_at > _SAME_TOKEN_SECONDS:
            raise Conflict("The token of this call has been used already.", code="token_used")
        return False

    def _installed(
        self, known: Tenant | None, installation: Installation, token: LifecycleToken
    ) -> Tenant:
        tenant = known or Tenant(
            id=uuid4().hex,
            client_key=installation.client_key,
            base_url=installation.base_url,
            state=TenantState.ACTIVE,
            installed_at=datetime.now(UTC),
            lifecycle_at=token.issued_at,
            tokens_seen=frozenset(),
            version=0,
        )
        # After an uninstall Jira has deleted what it was sent. A new secret hints at one that was
        # never heard of: Jira calls `uninstalled` once only.
        begins_anew = not self._has_secret(tenant, installation.shared_secret)
        renewed = replace(
            tenant,
            installs=tenant.installs + (known is not None and begins_anew),
            base_url=installation.base_url,
            state=TenantState.ACTIVE,
            installed_at=datetime.now(UTC),
            display_url=installation.display_url,
            installation_id=installation.installation_id or tenant.installation_id,
            secret=self._secrets.encrypt(tenant.owner, installation.shared_secret),
        )
        return _advance(renewed, token)

    def _has_secret(self, tenant: Tenant, secret: str) -> bool:
        kept = self.secret_of(tenant) or ""
        return hmac.compare_digest(kept.encode(), secret.encode())

    def _write(self, tenant: Tenant, known: Tenant | None) -> bool:
        """Write the tenant and what finds it, at once; False if another write came between."""
        unchanged = (
            {
                "ConditionExpression": "version = :version",
                "ExpressionAttributeValues": {":version": {"N": str(known.version)}},
            }
            if known
            else {"ConditionExpression": "attribute_not_exists(pk)"}
        )
        actions = [self._put(_to_values(tenant), **unchanged)]
        if known is None:
            pointer = {
                "pk": f"clientKey#{tenant.client_key}",
                "sk": "tenant",
                "tenantId": tenant.id,
            }
            actions.append(self._put(pointer, ConditionExpression="attribute_not_exists(pk)"))
            actions.append(self._put({"pk": "tenants", "sk": tenant.id}))
        if known is None or known.base_url != tenant.base_url:
            actions.append(self._put({"pk": f"baseUrl#{tenant.base_url}", "sk": tenant.id}))
        if tenant.cloud_id and (known is None or known.cloud_id != tenant.cloud_id):
            actions.append(self._put({"pk": f"cloudId#{tenant.cloud_id}", "sk": tenant.id}))
        try:
            self._dynamodb.transact_write_items(TransactItems=actions)
        except self._dynamodb.exceptions.TransactionCanceledException:
            return False
        return True

    def _put(self, values: dict[str, Any], **condition: Any) -> Any:
        return {"Put": {"TableName": self._table.name, "Item": to_item(values), **condition}}

    def _each(self, pk: str) -> Iterator[Tenant]:
        tenants = (self.get(pointer["sk"]) for pointer in self._table.query(pk))
        return (tenant for tenant in tenants if tenant)


def _already_taken(known: Tenant, token: LifecycleToken) -> bool:
    """Whether this very token has been taken before; an older one is refused."""
    if token.issued_at < known.lifecycle_at:
        raise Conflict(
            "A newer lifecycle call of this site has been taken already.", code="outdated"
        )
    return token.issued_at == known.lifecycle_at and token.digest in known.tokens_seen


def _advance(tenant: Tenant, token: LifecycleToken) -> Tenant:
    seen = tenant.tokens_seen if token.issued_at == tenant.lifecycle_at else frozenset()
    return replace(
        tenant,
        lifecycle_at=token.issued_at,
        tokens_seen=seen | {token.digest},
        version=tenant.version + 1,
    )


def _to_values(tenant: Tenant) -> dict[str, Any]:
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
    }


def _from_values(values: dict[str, Any]) -> Tenant:
    secret = EncryptedSecret(values["secret"], values["secretKey"]) if "secret" in values else None
    return Tenant(
        id=values["tenantId"],
        client_key=values["clientKey"],
        base_url=values["baseUrl"],
        state=TenantState(values["state"]),
        installed_at=datetime.fromisoformat(values["installedAt"]),
        lifecycle_at=int(values["lifecycleAt"]),
        tokens_seen=frozenset(values["tokensSeen"]),
        version=int(values["version"]),
        installs=int(values.get("installs", 0)),
        secret=secret,
        display_url=values.get("displayUrl"),
        cloud_id=values.get("cloudId"),
        installation_id=values.get("installationId"),
    )
