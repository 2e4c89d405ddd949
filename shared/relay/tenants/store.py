"""The tenants' table.

| pk | sk | holds |
|---|---|---|
| `tenant#<id>` | `tenant` | the tenant |
| `clientKey#<clientKey>` | `tenant` | the one tenant's id |
| `baseUrl#<baseUrl>` | `<id>` | a tenant's id; a site import makes several of one base URL |
| `installationId#<installationId>` | `tenant` | the one tenant's id |
| `forgeCloudId#<cloudId>` | `tenant` | the one tenant's id, as Forge itself has proven |
| `tenants` | `<id>` | nothing more: the list of all |
| `tenant#<id>` | `workspace#<workspaceId>` | a link (see `links`) |
| `tenant#<id>` | `offer#<workspaceId>` | an offer of one |
| `workspace#<workspaceId>` | `tenant#<id>` | the same link, found from its other end |
| `tenant#<id>` | `trouble`, `replay#<workspaceId>` | see `troubles`, `replays` |
"""

import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from relay.aws import to_item
from relay.errors import Conflict, NotFound, Unavailable
from relay.secrets import EncryptedSecret, Secrets
from relay.table import Table
from relay.tenants.item import tenant_of, to_item_values
from relay.tenants.lifecycle import LifecycleToken, TokenHistory
from relay.tenants.tenant import (
    ForgeIdentity,
    ForgeInstallation,
    Installation,
    Tenant,
    TenantState,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_TENANT_ID = re.compile("[0-9a-f]{32}", re.ASCII)
_ATTEMPTS = 5
_NOT_THERE = {"ConditionExpression": "attribute_not_exists(pk)"}
# Tokens count time in seconds and have no number of their own, so that two installs of one second
# may bring the same one. Longer after its first use, a token with another body is a replay.
_SAME_TOKEN_SECONDS = 5


def unknown_site(tenant_id: str) -> NotFound:
    return NotFound(f"There is no site {tenant_id!r}.", code="unknown_site")


class TenantStore:
    def __init__(self, dynamodb: "DynamoDBClient", table: str, secrets: Secrets) -> None:
        self._dynamodb = dynamodb
        self._table = Table(dynamodb, table)
        self._secrets = secrets

    def get(self, tenant_id: str) -> Tenant | None:
        item = self._table.get(f"tenant#{tenant_id}", "tenant")
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
        return self._pointer(f"clientKey#{client_key}")

    def find_by_installation_id(self, installation_id: str) -> Tenant | None:
        return self.current(self._pointer(f"installationId#{installation_id}"))

    def current(self, tenant_id: str | None) -> Tenant | None:
        """The tenant of this id, or the one that it was merged into; None stands for no id."""
        # Read in any case: an unknown site's refusal takes as long as a known one's.
        tenant = self.get(tenant_id or "nobody")
        return self.get(tenant.merged_into) if tenant and tenant.merged_into else tenant

    def find_by_base_url(self, base_url: str) -> list[Tenant]:
        """Every tenant that is or was at this URL: after a site import there are several."""
        return list(self._each(f"baseUrl#{base_url}"))

    def all(self) -> list[Tenant]:
        return list(self._each("tenants"))

    def ids(self, after: str, limit: int) -> list[str]:
        """The next ids of tenants in their order."""
        return [item["sk"] for item in self._table.query("tenants", after=after, limit=limit)]

    def secret_of(self, tenant: Tenant) -> str | None:
        """The secret that the site shares with the app; None where it has none (any more)."""
        if tenant.secret is None:
            return None
        return self._secrets.decrypt(tenant.owner, tenant.secret)

    def install(self, installation: Installation, token: LifecycleToken) -> Tenant:
        """Make the tenant of this clientKey, or renew it: its base URL, its secret, its state.

        Where the call names a Forge installation that another tenant is of, the two become one.
        All of it or nothing is written. Raises Conflict where a newer lifecycle call has been
        taken already, or this one's token was used for another install before; a call that only
        comes again changes nothing.
        """
        for _ in range(_ATTEMPTS):
            known = self.find_by_client_key(installation.client_key)
            pointers = self._pointers_to(installation.installation_id)
            same_site = self._named_by(installation, known, pointers)
            if known and self._is_repeated(known, installation, token) and same_site is None:
                return known
            if known is None:
                known, same_site = same_site, None
            tenant = self._installed(known, installation, token)
            written = self._written(tenant, known, same_site, pointers)
            if written:
                return written
        raise Unavailable("The tenant is being changed by others; try again.")

    def uninstall(self, client_key: str, token: LifecycleToken) -> Tenant | None:
        """Remove the tenant's secret and keep the rest; None where there is no such tenant."""
        for _ in range(_ATTEMPTS):
            known = self.find_by_client_key(client_key)
            if known is None or _first_use(known, token):
                return known
            # Under Forge the site still has the app; Jira may have deleted what Connect sent.
            begins_anew = known.is_forge_installed and known.secret is not None
            gone = replace(
                known,
                state=_state(None, known.forge),
                secret=None,
                installs=known.installs + begins_anew,
            )
            tenant = _advanced(gone, token)
            if self._write(tenant, known):
                return tenant
        raise Unavailable("The tenant is being changed by others; try again.")

    def install_forge(self, installation: ForgeInstallation, token: LifecycleToken) -> Tenant:
        """Make the tenant of this Forge installation, or renew it: its system token, its state.

        It is the tenant of the clientKey that Jira told, unless Forge has proven that one to be
        another site's; of the installationId; or of the cloudId, where Forge itself has proven that
        one before. Two that are found to be one become one. A
        token older than the newest brings nothing else. All of it or nothing is written.
        """
        for _ in range(_ATTEMPTS):
            believed = self._believed(installation)
            pointers = self._pointers_to(believed.installation_id, believed.cloud_id)
            known, same_site = self._found_by_forge(believed, pointers)
            late = known is not None and _is_late(known.forge, token)
            if known and late and same_site is None:
                return known
            tenant = known if known and late else self._forge_installed(known, believed, token)
            written = self._written(tenant, known, same_site, pointers)
            if written:
                return written
        raise Unavailable("The tenant is being changed by others; try again.")

    def uninstall_forge(self, installation_id: str, token: LifecycleToken) -> Tenant | None:
        """Remove the installation and its token; the site stays active under Connect, if it is."""
        for _ in range(_ATTEMPTS):
            known = self.find_by_installation_id(installation_id)
            forge = known and known.forge
            if not (known and forge) or forge.installation_id != installation_id:
                return None
            if _is_late(forge, token):
                return known
            gone = ForgeIdentity(forge.cloud_id, tokens=forge.tokens.including(token))
            tenant = replace(
                known,
                state=_state(known.secret, gone),
                forge=gone,
                version=known.version + 1,
            )
            if self._write(tenant, known):
                return tenant
        raise Unavailable("The tenant is being changed by others; try again.")

    def system_token_of(self, tenant: Tenant) -> str | None:
        """The credential that Forge brought last; None where there is none (any more)."""
        if tenant.forge is None or tenant.forge.system_token is None:
            return None
        return self._secrets.decrypt(tenant.owner, tenant.forge.system_token)

    def _is_repeated(
        self, known: Tenant, installation: Installation, token: LifecycleToken
    ) -> bool:
        """Whether this call has been taken, and the tenant is as it left it.

        Raises Conflict where its token was used for another body, unless this is another install of
        the same second: the next call, a few seconds after the first.
        """
        first = _first_use(known, token)
        if first is None:
            return False
        same_secret = self._has_secret(known, installation.shared_secret)
        same_name = installation.installation_id in (None, known.installation_id)
        if same_secret and same_name and known.base_url == installation.base_url:
            return True
        is_late = token.seen_at - first.seen_at > _SAME_TOKEN_SECONDS
        if is_late or not known.tokens.is_newest(token):
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
            version=0,
        )
        # After an uninstall Jira has deleted what it was sent. A new secret hints at one that was
        # never heard of: Jira calls `uninstalled` once only.
        begins_anew = not self._has_secret(tenant, installation.shared_secret)
        renewed = replace(
            tenant,
            client_key=installation.client_key,
            installs=tenant.installs + (known is not None and begins_anew),
            base_url=installation.base_url,
            state=TenantState.ACTIVE,
            installed_at=datetime.now(UTC),
            display_url=installation.display_url,
            installation_id=installation.installation_id or tenant.installation_id,
            secret=self._secrets.encrypt(tenant.owner, installation.shared_secret),
        )
        return _advanced(renewed, token)

    def _forge_installed(
        self, known: Tenant | None, installation: ForgeInstallation, token: LifecycleToken
    ) -> Tenant:
        tenant = known or Tenant(
            id=uuid4().hex,
            client_key=installation.client_key,
            # Forge names no other URL; Connect's own `installed` call replaces it.
            base_url=installation.api_base_url,
            state=TenantState.ACTIVE,
            installed_at=datetime.now(UTC),
            version=0,
        )
        before = tenant.forge
        is_same = before is not None and before.installation_id == installation.installation_id
        sent = installation.system_token
        kept = before.system_token if before and is_same else None
        identity = ForgeIdentity(
            cloud_id=installation.cloud_id,
            installation_id=installation.installation_id,
            api_base_url=installation.api_base_url,
            system_token=self._secrets.encrypt(tenant.owner, sent) if sent else kept,
            tokens=(before.tokens if before else TokenHistory()).including(token),
        )
        # Another installation hints at an uninstall, heard of or not, as a new secret does.
        begins_anew = tenant.state is TenantState.UNINSTALLED or (before and not is_same)
        renewed = known is None or begins_anew
        return replace(
            tenant,
            client_key=tenant.client_key or installation.client_key,
            state=TenantState.ACTIVE,
            installs=tenant.installs + bool(begins_anew),
            installed_at=datetime.now(UTC) if renewed else tenant.installed_at,
            installation_id=installation.installation_id,
            forge=identity,
            version=tenant.version + 1,
        )

    def _named_by(
        self, installation: Installation, known: Tenant | None, pointers: "_Pointers"
    ) -> Tenant | None:
        """The other tenant, which Forge made of the installation that this Connect call names."""
        found = next(map(self.current, pointers.values()), None)
        if found is None or found.client_key not in (None, installation.client_key):
            return None
        return None if known and (known.id == found.id or _are_two(known, found)) else found

    def _believed(self, installation: ForgeInstallation) -> ForgeInstallation:
        """Without the clientKey that Jira told, where Forge has proven it to be another site's."""
        if installation.client_key is None:
            return installation
        known = self.find_by_client_key(installation.client_key)
        if known is None or known.forge is None or known.forge.cloud_id == installation.cloud_id:
            return installation
        return replace(installation, client_key=None)

    def _found_by_forge(
        self, installation: ForgeInstallation, pointers: "_Pointers"
    ) -> tuple[Tenant | None, Tenant | None]:
        """The tenant that this installation is of, and another one that turns out to be the same
        site, if there is one."""
        by_id, by_cloud = map(self.current, pointers.values())
        key = installation.client_key
        by_key = self.find_by_client_key(key) if key else None
        by_forge = by_id or by_cloud
        if by_key is None or by_forge is None or by_key.id == by_forge.id:
            return by_key or by_forge, None
        if by_forge.client_key is not None:
            # Of two Connect identities, as after a site import, neither takes the other's place.
            return by_id or by_key, None
        return by_key, by_forge

    def _written(
        self,
        tenant: Tenant,
        known: Tenant | None,
        same_site: Tenant | None,
        pointers: "_Pointers",
    ) -> Tenant | None:
        """The tenant as it was written, the other merged into it; None as `_write` has it."""
        if known is None or same_site is None:
            return tenant if self._write(tenant, known, pointers) else None
        merged = replace(self._merged(tenant, same_site), version=known.version + 1)
        left = replace(
            same_site,
            state=TenantState.UNINSTALLED,
            forge=None,
            secret=None,
            merged_into=tenant.id,
            version=same_site.version + 1,
        )
        return merged if self._write(merged, known, pointers, (left, same_site)) else None

    def _merged(self, tenant: Tenant, other: Tenant) -> Tenant:
        """The tenant with the newest that Forge told of either. All begins anew, above every
        sequence that either was sent."""
        replays = self._table.query(f"tenant#{other.id}", "replay#")
        resets = max((int(item["resets"]) for item in replays), default=0)
        identity = self._newest_identity(tenant, other)
        return replace(
            tenant,
            state=_state(tenant.secret, identity),
            installs=tenant.installs + other.installs + resets + 1,
            forge=identity,
        )

    def _newest_identity(self, tenant: Tenant, other: Tenant) -> ForgeIdentity | None:
        mine, its = tenant.forge, other.forge
        if its is None or (mine and mine.tokens.at >= its.tokens.at):
            return mine
        if its.system_token is None:
            return its
        # It is bound to its owner, so it has to be encrypted for the new one.
        token = self._secrets.decrypt(other.owner, its.system_token)
        return replace(its, system_token=self._secrets.encrypt(tenant.owner, token))

    def _pointers_to(self, installation_id: str | None, cloud_id: str | None = None) -> "_Pointers":
        """What is found under them now; a write then goes wrong where that has changed."""
        names = {"installationId": installation_id, "forgeCloudId": cloud_id}
        pks = [f"{name}#{value}" for name, value in names.items() if value is not None]
        return {pk: self._pointer(pk) for pk in pks}

    def _pointer(self, pk: str) -> str | None:
        item = self._table.get(pk, "tenant")
        return item["tenantId"] if item else None

    def _has_secret(self, tenant: Tenant, secret: str) -> bool:
        kept = self.secret_of(tenant) or ""
        return hmac.compare_digest(kept.encode(), secret.encode())

    def _write(
        self,
        tenant: Tenant,
        known: Tenant | None,
        pointers: "_Pointers | None" = None,
        other: tuple[Tenant, Tenant] | None = None,
    ) -> bool:
        """Write the tenant and what finds it, at once, and with it the other, which has to be as it
        was, like `pointers`; False if another write came between."""
        seen = pointers or {}
        actions = [self._put(to_item_values(tenant), **_unchanged(known))]
        actions += [
            self._put(item, **(_still(seen[item["pk"]]) if item["pk"] in seen else {}))
            for item in _pointing_to(tenant, known)
        ]
        if known is None:
            actions.append(self._put({"pk": "tenants", "sk": tenant.id}))
        if tenant.client_key and (known is None or known.client_key is None):
            pointer = {"pk": f"clientKey#{tenant.client_key}", "sk": "tenant"}
            actions.append(self._put(pointer | {"tenantId": tenant.id}, **_NOT_THERE))
        if other:
            left, before = other
            actions.append(self._put(to_item_values(left), **_unchanged(before)))
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


_Pointers = Mapping[str, str | None]


def _still(tenant_id: str | None) -> dict[str, Any]:
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


def _pointing_to(tenant: Tenant, known: Tenant | None) -> Iterator[dict[str, Any]]:
    """What finds the tenant, where that is new."""
    if known is None or known.base_url != tenant.base_url:
        yield {"pk": f"baseUrl#{tenant.base_url}", "sk": tenant.id}
    identity = tenant.forge
    if identity and identity.installation_id and identity != (known and known.forge):
        for pk in (
            f"installationId#{identity.installation_id}",
            f"forgeCloudId#{identity.cloud_id}",
        ):
            yield {"pk": pk, "sk": "tenant", "tenantId": tenant.id}


def _state(secret: EncryptedSecret | None, identity: ForgeIdentity | None) -> TenantState:
    """A site has the app as long as either identity is installed."""
    is_installed = secret or (identity and identity.installation_id)
    return TenantState.ACTIVE if is_installed else TenantState.UNINSTALLED


def _are_two(one: Tenant, other: Tenant) -> bool:
    """Whether Forge has proven them to be two sites."""
    return bool(one.forge and other.forge and one.forge.cloud_id != other.forge.cloud_id)


def _is_late(identity: ForgeIdentity | None, token: LifecycleToken) -> bool:
    """Whether a newer call has been taken, or this very one; what it brings is then old."""
    if identity is None:
        return False
    return identity.tokens.is_outdated(token) or identity.tokens.first_use(token) is not None


def _first_use(known: Tenant, token: LifecycleToken) -> LifecycleToken | None:
    """The token as it was first taken; raises Conflict where a newer call has been."""
    if known.tokens.is_outdated(token):
        raise Conflict(
            "A newer lifecycle call of this site has been taken already.", code="outdated"
        )
    return known.tokens.first_use(token)


def _advanced(tenant: Tenant, token: LifecycleToken) -> Tenant:
    return replace(tenant, tokens=tenant.tokens.including(token), version=tenant.version + 1)
