"""Stores tenants: finds them, and applies lifecycle calls to them.

Pointers, which are items that hold a tenant's id, find it by its other ids. They are written with
the tenant in one transaction. A global index would lag behind, and Jira signs its next call with
the new secret as soon as Relay has responded to `installed`.
"""

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from relay import keys
from relay.errors import NotFound, Unavailable
from relay.secrets import EncryptedSecret, Secrets
from relay.table import Table
from relay.tenants import changes
from relay.tenants.generation_minimum import GenerationMinimum
from relay.tenants.item import Pointers, puts_of, tenant_of
from relay.tenants.lifecycle import LifecycleToken
from relay.tenants.tenant import ForgeInstallation, Installation, Tenant

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TENANT_ID = re.compile("[0-9a-f]{32}", re.ASCII)
_ATTEMPTS = 5
TenantT = TypeVar("TenantT", Tenant, Tenant | None)


@dataclass(frozen=True, slots=True)
class _Seen:
    """The state on which a change was decided, which must still hold when the change is written:
    the tenant, another tenant of the same site, and the pointers of Forge's ids."""

    known: Tenant | None
    same_site: Tenant | None = None
    pointers: Pointers = field(default_factory=dict)


def unknown_site(tenant_id: str) -> NotFound:
    """The error for a tenant id that does not exist."""
    return NotFound(f"There is no site {tenant_id!r}.", code="unknown_site")


class TenantStore:
    """Every method raises TABLE_ERRORS when DynamoDB or KMS fails."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str, secrets: Secrets) -> None:
        self._dynamodb = dynamodb
        self._table = Table(dynamodb, table)
        self._secrets = secrets
        self._minimum = GenerationMinimum(dynamodb, table)

    # --- Finding a tenant ---

    def get(self, tenant_id: str) -> Tenant | None:
        """The tenant of this id, even if it was merged; None if there is none."""
        item = self._table.get(*keys.tenant_item(tenant_id))
        return tenant_of(item) if item else None

    def existing(self, tenant_id: str) -> Tenant:
        """The tenant of this id. Raises NotFound."""
        tenant = self.get(tenant_id) if TENANT_ID.fullmatch(tenant_id) else None
        if tenant is None:
            raise unknown_site(tenant_id)
        return tenant

    def find_by_client_key(self, client_key: str) -> Tenant | None:
        """The current tenant of this clientKey; None if there is none."""
        return self.current(self.id_of_client_key(client_key))

    def id_of_client_key(self, client_key: str) -> str | None:
        """The id of the clientKey's tenant, or None; pass it to `current`. It changes only if the
        tenant is forgotten."""
        return self._pointer(keys.client_key(client_key))

    def find_by_installation_id(self, installation_id: str) -> Tenant | None:
        """The current tenant of this installationId; None if there is none."""
        return self.current(self._pointer(keys.installation_id(installation_id)))

    def current(self, tenant_id: str | None) -> Tenant | None:
        """The tenant of this id, or the one it was merged into; None if there is none."""
        # Always reads, so that the response time does not reveal whether a site is known.
        tenant = self.get(tenant_id or "none")
        return self.get(tenant.merged_into) if tenant and tenant.merged_into else tenant

    def find_by_base_url(self, base_url: str) -> list[Tenant]:
        """Every tenant that is or was at this URL; after a site import, there are several."""
        return self._each(keys.base_url(base_url))

    def all(self) -> list[Tenant]:
        """Every tenant, in the order of their ids."""
        return self._each(keys.TENANTS)

    def ids(self, after: str, limit: int) -> list[str]:
        """At most `limit` tenant ids after `after`, sorted."""
        return [item["sk"] for item in self._table.query(keys.TENANTS, after=after, limit=limit)]

    # --- Its secrets ---

    def secret_of(self, tenant: Tenant) -> str | None:
        """Connect's shared secret of the site; None if it has none."""
        return self._secrets.decrypt(tenant.owner, tenant.secret) if tenant.secret else None

    def system_token_of(self, tenant: Tenant) -> str | None:
        """The newest system token from Forge; None if there is none."""
        if tenant.forge is None or tenant.forge.system_token is None:
            return None
        return self._secrets.decrypt(tenant.owner, tenant.forge.system_token)

    # --- Lifecycle calls: read, decide (see `changes`), write if nothing has changed meanwhile ---

    def install(self, installation: Installation, token: LifecycleToken) -> Tenant:
        """Create or update the tenant of this clientKey: its base URL, secret and state.

        If the call names a Forge installation of another tenant, the two are merged. The write is
        atomic, and a repeated call changes nothing. Raises Conflict if a newer lifecycle call was
        already handled, or if this call's token was used for another install; Unavailable.
        """

        def decide() -> tuple[_Seen, Tenant]:
            known = self.find_by_client_key(installation.client_key)
            pointers = self._pointers_to(installation.installation_id)
            seen = _Seen(known, self._named_by(installation, known, pointers), pointers)
            # An outdated call is refused before a secret is decrypted.
            first_use = changes.first_use(known, token) if known else None
            tenant = known or seen.same_site
            same_secret = tenant is not None and self._has_secret(
                tenant, installation.shared_secret
            )
            if (
                (known and first_use)
                and changes.is_repeated(known, installation, token, first_use, same_secret)
                and seen.same_site is None
            ):
                return seen, known
            least = self._minimum.installs_min(installation.client_key, None)
            seal = self._seal
            return seen, changes.installed(tenant, installation, token, same_secret, seal, least)

        return self._change(decide)

    def uninstall(self, client_key: str, token: LifecycleToken) -> Tenant | None:
        """Delete the tenant's secret, and nothing else; None if there is no such tenant.

        Raises Conflict if a newer lifecycle call was already handled; Unavailable.
        """

        def decide() -> tuple[_Seen, Tenant | None]:
            known = self.find_by_client_key(client_key)
            if known is None or changes.first_use(known, token):
                return _Seen(known), known
            return _Seen(known), changes.uninstalled(known, token)

        return self._change(decide)

    def install_forge(self, installation: ForgeInstallation, token: LifecycleToken) -> Tenant:
        """Create or update the tenant of this Forge installation: its system token and state.

        It is the tenant of the clientKey that Jira returned, unless Forge has named another cloudId
        for that one; or that of the installationId; or that of the cloudId. Two tenants of one site
        are merged. An outdated call changes nothing else. The write is atomic. Raises
        Unavailable.
        """

        def decide() -> tuple[_Seen, Tenant]:
            believed = self._believed(installation)
            pointers = self._pointers_to(believed.installation_id, believed.cloud_id)
            seen = _Seen(*self._found_by_forge(believed, pointers), pointers)
            if seen.known and changes.is_superseded(seen.known.forge, token):
                return seen, seen.known
            least = self._minimum.installs_min(believed.client_key, believed.cloud_id)
            return seen, changes.forge_installed(seen.known, believed, token, self._seal, least)

        return self._change(decide)

    def uninstall_forge(self, installation_id: str, token: LifecycleToken) -> Tenant | None:
        """Delete the installation and its token; None if no tenant has this installation."""

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
        """Write the tenant that `decide` returns. If the seen state has changed meanwhile, decide
        again. If the known tenant stays as it is, write nothing.

        Raises Unavailable if other calls keep changing the tenant.
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
        """Another tenant of the same site: that of the Forge installation that this call names."""
        found = next(map(self.current, pointers.values()), None)
        if found is None or found.client_key not in (None, installation.client_key):
            return None
        is_other = known is None or (
            known.id != found.id and not changes.are_different_sites(known, found)
        )
        return found if is_other else None

    def _believed(self, installation: ForgeInstallation) -> ForgeInstallation:
        """The installation, without its clientKey if Forge has named another cloudId for it."""
        if installation.client_key is None:
            return installation
        known = self.find_by_client_key(installation.client_key)
        if known is None or known.forge is None or known.forge.cloud_id == installation.cloud_id:
            return installation
        return replace(installation, client_key=None)

    def _found_by_forge(
        self, installation: ForgeInstallation, pointers: Pointers
    ) -> tuple[Tenant | None, Tenant | None]:
        """This installation's tenant, and another tenant of the same site; each may be None."""
        by_id, by_cloud = map(self.current, pointers.values())
        key = installation.client_key
        by_key = self.find_by_client_key(key) if key else None
        by_forge = by_id or by_cloud
        if by_key is None or by_forge is None or by_key.id == by_forge.id:
            return by_key or by_forge, None
        if by_forge.client_key is not None:
            # There are two Connect identities, as after a site import: never merge them.
            return by_id or by_key, None
        return by_key, by_forge

    def _pointers_to(self, installation_id: str | None, cloud_id: str | None = None) -> Pointers:
        """The current pointers of these ids; a write fails if they have changed."""
        pks = []
        if installation_id is not None:
            pks.append(keys.installation_id(installation_id))
        if cloud_id is not None:
            pks.append(keys.forge_cloud_id(cloud_id))
        return {pk: self._pointer(pk) for pk in pks}

    def _pointer(self, pk: str) -> str | None:
        item = self._table.get(pk, keys.TENANT)
        return item["tenantId"] if item else None

    def _each(self, pk: str) -> list[Tenant]:
        places = [keys.tenant_item(pointer["sk"]) for pointer in self._table.query(pk)]
        return sorted(map(tenant_of, self._table.get_all(places)), key=lambda tenant: tenant.id)

    # --- Secrets, and the write ---

    def _seal(self, tenant: Tenant, secret: str) -> EncryptedSecret:
        return self._secrets.encrypt(tenant.owner, secret)

    def _has_secret(self, tenant: Tenant, secret: str) -> bool:
        known = self.secret_of(tenant) or ""
        return hmac.compare_digest(known.encode(), secret.encode())

    def _written(self, tenant: Tenant, seen: _Seen) -> Tenant | None:
        """The written tenant, with the other one of its site merged into it; None if the seen state
        has changed."""
        known, other = seen.known, seen.same_site
        if known is None or other is None:
            known = known or other
            return tenant if self._write((tenant, known), pointers=seen.pointers) else None

        def reseal(secret: EncryptedSecret) -> EncryptedSecret:
            return self._seal(tenant, self._secrets.decrypt(other.owner, secret))

        resets = self._minimum.highest_resets(other)
        remaining, merged_away = changes.merged(known, tenant, other, resets, reseal)
        is_written = self._write((remaining, known), (merged_away, other), pointers=seen.pointers)
        return remaining if is_written else None

    def _write(self, *changed: tuple[Tenant, Tenant | None], pointers: Pointers) -> bool:
        """Write each tenant, with its pointers, in one transaction; False if a tenant or a pointer
        has changed since it was seen."""
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
