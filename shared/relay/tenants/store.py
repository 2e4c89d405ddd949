"""Tenants in their table: how they are found, and how a lifecycle call changes one.

A tenant is found by items that hold its id, written with it in one transaction. An index would lag
behind, and Jira signs its next call with the new secret as soon as `installed` is answered.
"""

import hmac
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from relay import keys
from relay.errors import NotFound, Unavailable
from relay.secrets import EncryptedSecret, Secrets
from relay.table import Table
from relay.tenants import changes
from relay.tenants.lifecycle import LifecycleToken
from relay.tenants.tenant import (
    ForgeInstallation,
    Installation,
    Pointers,
    Tenant,
    puts_of,
    tenant_of,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_TENANT_ID = re.compile("[0-9a-f]{32}", re.ASCII)
_ATTEMPTS = 5
TenantT = TypeVar("TenantT", Tenant, Tenant | None)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a change was decided on, and must still hold when it is written: the tenant; another one
    that turned out to be the same site; and what was found by Forge's ids."""

    known: Tenant | None
    same_site: Tenant | None = None
    pointers: Pointers = field(default_factory=dict)


def unknown_site(tenant_id: str) -> NotFound:
    return NotFound(f"There is no site {tenant_id!r}.", code="unknown_site")


class TenantStore:
    """Every method raises an AWS error where DynamoDB or KMS fails."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str, secrets: Secrets) -> None:
        self._dynamodb = dynamodb
        self._table = Table(dynamodb, table)
        self._secrets = secrets

    # --- Finding a tenant ---

    def get(self, tenant_id: str) -> Tenant | None:
        item = self._table.get(*keys.tenant_item(tenant_id))
        return tenant_of(item) if item else None

    def existing(self, tenant_id: str) -> Tenant:
        """Raises NotFound."""
        tenant = self.get(tenant_id) if _TENANT_ID.fullmatch(tenant_id) else None
        if tenant is None:
            raise unknown_site(tenant_id)
        return tenant

    def find_by_client_key(self, client_key: str) -> Tenant | None:
        return self.current(self.id_of_client_key(client_key))

    def id_of_client_key(self, client_key: str) -> str | None:
        """The id of its tenant, which never changes once there is one (see `current`)."""
        return self._pointer(keys.client_key(client_key))

    def find_by_installation_id(self, installation_id: str) -> Tenant | None:
        return self.current(self._pointer(keys.installation_id(installation_id)))

    def current(self, tenant_id: str | None) -> Tenant | None:
        """The tenant of this id, or the one that it was merged into; None stands for no id."""
        # Read in any case: refusing an unknown site takes as long as refusing a known one.
        tenant = self.get(tenant_id or "nobody")
        return self.get(tenant.merged_into) if tenant and tenant.merged_into else tenant

    def find_by_base_url(self, base_url: str) -> list[Tenant]:
        """Every tenant that is or was at this URL: after a site import there are several."""
        return list(self._each(keys.base_url(base_url)))

    def all(self) -> list[Tenant]:
        return list(self._each(keys.TENANTS))

    def ids(self, after: str, limit: int) -> list[str]:
        """The next ids of tenants in their order."""
        return [item["sk"] for item in self._table.query(keys.TENANTS, after=after, limit=limit)]

    # --- Its secrets ---

    def secret_of(self, tenant: Tenant) -> str | None:
        """The secret that the site shares with the app; None where it has none."""
        return self._secrets.decrypt(tenant.owner, tenant.secret) if tenant.secret else None

    def system_token_of(self, tenant: Tenant) -> str | None:
        """The newest credential from Forge; None where there is none."""
        if tenant.forge is None or tenant.forge.system_token is None:
            return None
        return self._secrets.decrypt(tenant.owner, tenant.forge.system_token)

    # --- Lifecycle calls: read, decide (see `changes`), write if nothing changed meanwhile ---

    def install(self, installation: Installation, token: LifecycleToken) -> Tenant:
        """Make the tenant of this clientKey, or renew it: its base URL, its secret, its state.

        Where the call names a Forge installation that another tenant has, the two become one. All
        of it or nothing is written; a repeated call changes nothing. Raises Conflict where a newer
        lifecycle call was handled already, or where this one's token was used for another install.
        """

        def decide() -> tuple[_Seen, Tenant]:
            known = self.find_by_client_key(installation.client_key)
            pointers = self._pointers_to(installation.installation_id)
            seen = _Seen(known, self._named_by(installation, known, pointers), pointers)
            tenant = known or seen.same_site
            same_secret = tenant is not None and self._has_secret(
                tenant, installation.shared_secret
            )
            if (
                known
                and changes.is_repeated(known, installation, token, same_secret)
                and seen.same_site is None
            ):
                return seen, known
            return seen, changes.installed(tenant, installation, token, same_secret, self._seal)

        return self._change(decide)

    def uninstall(self, client_key: str, token: LifecycleToken) -> Tenant | None:
        """Remove the tenant's secret and keep the rest; None where there is no such tenant.

        Raises Conflict where a newer lifecycle call was handled already.
        """

        def decide() -> tuple[_Seen, Tenant | None]:
            known = self.find_by_client_key(client_key)
            if known is None or changes.first_use(known, token):
                return _Seen(known), known
            return _Seen(known), changes.uninstalled(known, token)

        return self._change(decide)

    def install_forge(self, installation: ForgeInstallation, token: LifecycleToken) -> Tenant:
        """Make the tenant of this Forge installation, or renew it: its system token, its state.

        It is the tenant of the clientKey that Jira told, unless Forge has proven that one to be
        another site's; or that of the installationId; or that of the cloudId, where Forge itself
        has proven it before. Two that are found to be one become one. A token older than the newest
        changes nothing else. All of it or nothing is written.
        """

        def decide() -> tuple[_Seen, Tenant]:
            believed = self._believed(installation)
            pointers = self._pointers_to(believed.installation_id, believed.cloud_id)
            seen = _Seen(*self._found_by_forge(believed, pointers), pointers)
            if seen.known and changes.is_superseded(seen.known.forge, token):
                return seen, seen.known
            return seen, changes.forge_installed(seen.known, believed, token, self._seal)

        return self._change(decide)

    def uninstall_forge(self, installation_id: str, token: LifecycleToken) -> Tenant | None:
        """Remove the installation and its token; None where no tenant has this installation."""

        def decide() -> tuple[_Seen, Tenant | None]:
            known = self.find_by_installation_id(installation_id)
            forge = known and known.forge
            if not (known and forge) or forge.installation_id != installation_id:
                return _Seen(None), None
            if changes.is_superseded(forge, token):
                return _Seen(known), known
            return _Seen(known), changes.forge_uninstalled(known, forge, token)

        return self._change(decide)

    def _change(self, decide: Callable[[], tuple[_Seen, TenantT]]) -> TenantT:
        """Write the tenant that was decided on, unless what was seen has changed: then decide
        again. Nothing is written where the decision is to leave the known one as it is.

        Raises Unavailable where other calls keep changing it.
        """
        for _ in range(_ATTEMPTS):
            seen, tenant = decide()
            if tenant is None or (tenant is seen.known and seen.same_site is None):
                return tenant
            written = self._written(tenant, seen)
            if written:
                return written
        raise Unavailable("Other calls are changing this tenant; try again.")

    # --- Which tenant a call is about ---

    def _named_by(
        self, installation: Installation, known: Tenant | None, pointers: Pointers
    ) -> Tenant | None:
        """The other tenant, which Forge made of the installation that this Connect call names."""
        found = next(map(self.current, pointers.values()), None)
        if found is None or found.client_key not in (None, installation.client_key):
            return None
        is_other = known is None or (
            known.id != found.id and not changes.are_different_sites(known, found)
        )
        return found if is_other else None

    def _believed(self, installation: ForgeInstallation) -> ForgeInstallation:
        """Without the clientKey that Jira told, where Forge has proven it to be another site's."""
        if installation.client_key is None:
            return installation
        known = self.find_by_client_key(installation.client_key)
        if known is None or known.forge is None or known.forge.cloud_id == installation.cloud_id:
            return installation
        return replace(installation, client_key=None)

    def _found_by_forge(
        self, installation: ForgeInstallation, pointers: Pointers
    ) -> tuple[Tenant | None, Tenant | None]:
        """The tenant of this installation, and another one that turns out to be the same site, if
        there is one."""
        by_id, by_cloud = map(self.current, pointers.values())
        key = installation.client_key
        by_key = self.find_by_client_key(key) if key else None
        by_forge = by_id or by_cloud
        if by_key is None or by_forge is None or by_key.id == by_forge.id:
            return by_key or by_forge, None
        if by_forge.client_key is not None:
            # Of two Connect identities, as after a site import, neither replaces the other.
            return by_id or by_key, None
        return by_key, by_forge

    def _pointers_to(self, installation_id: str | None, cloud_id: str | None = None) -> Pointers:
        """What is found by them now; a write fails where that has changed."""
        pks = []
        if installation_id is not None:
            pks.append(keys.installation_id(installation_id))
        if cloud_id is not None:
            pks.append(keys.forge_cloud_id(cloud_id))
        return {pk: self._pointer(pk) for pk in pks}

    def _pointer(self, pk: str) -> str | None:
        item = self._table.get(pk, keys.TENANT)
        return item["tenantId"] if item else None

    def _each(self, pk: str) -> Iterator[Tenant]:
        tenants = (self.get(pointer["sk"]) for pointer in self._table.query(pk))
        return (tenant for tenant in tenants if tenant)

    # --- Secrets, and the write ---

    def _seal(self, tenant: Tenant, secret: str) -> EncryptedSecret:
        return self._secrets.encrypt(tenant.owner, secret)

    def _has_secret(self, tenant: Tenant, secret: str) -> bool:
        kept = self.secret_of(tenant) or ""
        return hmac.compare_digest(kept.encode(), secret.encode())

    def _written(self, tenant: Tenant, seen: _Seen) -> Tenant | None:
        """The tenant as it was written, the other one merged into it; None where what was seen has
        changed."""
        known, other = seen.known, seen.same_site
        if known is None or other is None:
            known = known or other
            return tenant if self._write((tenant, known), pointers=seen.pointers) else None

        def reseal(secret: EncryptedSecret) -> EncryptedSecret:
            return self._seal(tenant, self._secrets.decrypt(other.owner, secret))

        replays = self._table.query(*keys.replays(other.id))
        resets = max((int(item["resets"]) for item in replays), default=0)
        stays, left = changes.merged(known, tenant, other, resets, reseal)
        is_written = self._write((stays, known), (left, other), pointers=seen.pointers)
        return stays if is_written else None

    def _write(self, *changed: tuple[Tenant, Tenant | None], pointers: Pointers) -> bool:
        """Write each tenant, and the items that find it, in one transaction; False where one of
        them, or a pointer, is not as it was seen."""
        actions: Any = [
            {"Put": {"TableName": self._table.name, **put}}
            for tenant, known in changed
            for put in puts_of(tenant, known, pointers)
        ]
        try:
            self._dynamodb.transact_write_items(TransactItems=actions)
        except self._dynamodb.exceptions.TransactionCanceledException:
            return False
        return True
