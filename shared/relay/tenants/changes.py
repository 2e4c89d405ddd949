"""How a lifecycle call changes a tenant: from the stored one and the call to the new one.

They are pure, apart from `seal`, which encrypts a secret for its owner. `TenantStore` reads and
writes.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from relay.errors import Conflict
from relay.secrets import EncryptedSecret
from relay.tenants.lifecycle import LifecycleToken, TokenHistory
from relay.tenants.tenant import ForgeIdentity, ForgeInstallation, Installation, Tenant, TenantState

# Encrypts a secret for the tenant.
Seal = Callable[[Tenant, str], EncryptedSecret]

# Tokens have a resolution of one second and no unique id, so two installs within a second may have
# the same token. A token that returns with another body later than this is a replay.
_SAME_TOKEN_SECONDS = 5


def installed(
    known: Tenant | None,
    installation: Installation,
    token: LifecycleToken,
    same_secret: bool,
    seal: Seal,
    installs_min: int = 0,
) -> Tenant:
    """The tenant after Connect's `installed`. `same_secret`: it has the known secret. It has at
    least `installs_min`."""
    tenant = known or _new(installation.client_key, installation.base_url)
    # Jira deletes the app's data on an uninstall. A new secret indicates an uninstall whose call
    # was lost: Jira calls `uninstalled` only once.
    starts_over = known is not None and not same_secret
    renewed = replace(
        tenant,
        client_key=installation.client_key,
        installs=max(tenant.installs + starts_over, installs_min),
        base_url=installation.base_url,
        state=TenantState.ACTIVE,
        installed_at=datetime.now(UTC),
        display_url=installation.display_url,
        installation_id=installation.installation_id or tenant.installation_id,
        secret=seal(tenant, installation.shared_secret),
    )
    return _advanced(renewed, token)


def is_repeated(
    known: Tenant,
    installation: Installation,
    token: LifecycleToken,
    first: LifecycleToken,
    same_secret: bool,
) -> bool:
    """Whether this call of Connect's `installed` was handled before, and nothing changed since.

    `first` is the token as it was first used (see `first_use`). Raises Conflict if it was used with
    another body. A second install within the same second is exempt: the next call, a few seconds
    after the first.
    """
    same_installation = installation.installation_id in (None, known.installation_id)
    if same_secret and same_installation and known.base_url == installation.base_url:
        return True
    is_late = token.seen_at - first.seen_at > _SAME_TOKEN_SECONDS
    if is_late or not known.tokens.is_newest(token):
        raise Conflict("This call's token was already used.", code="token_used")
    return False


def uninstalled(known: Tenant, token: LifecycleToken) -> Tenant:
    """The tenant after Connect's `uninstalled`: without a secret; active if Forge is installed."""
    # The site still has the app under Forge, but Jira may have deleted the Connect app's data.
    starts_over = known.is_forge_installed and known.secret is not None
    changed = replace(
        known,
        state=_state(None, known.forge),
        secret=None,
        installs=known.installs + starts_over,
    )
    return _advanced(changed, token)


def forge_installed(
    known: Tenant | None,
    installation: ForgeInstallation,
    token: LifecycleToken,
    seal: Seal,
    installs_min: int = 0,
) -> Tenant:
    """The tenant after Forge's call on an install or an upgrade. It has at least `installs_min`."""
    # Forge sends no other URL. Connect's `installed` call replaces it.
    tenant = known or _new(installation.client_key, installation.api_base_url)
    before = tenant.forge
    is_same = before is not None and before.installation_id == installation.installation_id
    new_token = installation.system_token
    known_token = before.system_token if before and is_same else None
    identity = ForgeIdentity(
        cloud_id=installation.cloud_id,
        installation_id=installation.installation_id,
        api_base_url=installation.api_base_url,
        system_token=seal(tenant, new_token) if new_token else known_token,
        tokens=(before.tokens if before else TokenHistory()).including(token),
    )
    # A new installation indicates an uninstall, even if its call was lost, as a new secret does.
    starts_over = tenant.state is TenantState.UNINSTALLED or (before and not is_same)
    renewed = known is None or starts_over
    return replace(
        tenant,
        client_key=tenant.client_key or installation.client_key,
        state=TenantState.ACTIVE,
        installs=max(tenant.installs + bool(starts_over), installs_min),
        installed_at=datetime.now(UTC) if renewed else tenant.installed_at,
        installation_id=installation.installation_id,
        forge=identity,
        version=tenant.version + 1,
    )


def forge_uninstalled(known: Tenant, forge: ForgeIdentity, token: LifecycleToken) -> Tenant:
    """The tenant without its Forge installation and token; active if Connect is installed."""
    identity = ForgeIdentity(forge.cloud_id, tokens=forge.tokens.including(token))
    return replace(
        known, state=_state(known.secret, identity), forge=identity, version=known.version + 1
    )


def merged(
    known: Tenant,
    tenant: Tenant,
    other: Tenant,
    resets: int,
    reseal: Callable[[EncryptedSecret], EncryptedSecret],
) -> tuple[Tenant, Tenant]:
    """Merges two tenants of one site: returns the merged tenant, and the other, now uninstalled.

    `tenant` is `known` after a call. The merged tenant has the newer Forge identity of the two, and
    starts over in a generation above those of both; `resets` is the highest of the other's replays.
    `reseal` encrypts a secret of the other for the merged tenant.
    """
    identity = _newest_identity(tenant, other, reseal)
    remaining = replace(
        tenant,
        state=_state(tenant.secret, identity),
        installs=tenant.installs + other.installs + resets + 1,
        forge=identity,
        version=known.version + 1,
    )
    merged_away = replace(
        other,
        state=TenantState.UNINSTALLED,
        forge=None,
        secret=None,
        merged_into=tenant.id,
        version=other.version + 1,
    )
    return remaining, merged_away


def are_different_sites(one: Tenant, other: Tenant) -> bool:
    """Whether Forge has named a different cloudId for each."""
    return bool(one.forge and other.forge and one.forge.cloud_id != other.forge.cloud_id)


def is_superseded(identity: ForgeIdentity | None, token: LifecycleToken) -> bool:
    """Whether this Forge call, or a newer one, was already handled."""
    if identity is None:
        return False
    return identity.tokens.is_outdated(token) or identity.tokens.first_use(token) is not None


def first_use(known: Tenant, token: LifecycleToken) -> LifecycleToken | None:
    """The token as it was first used; None for a new one.

    Raises Conflict if a newer call was handled.
    """
    if known.tokens.is_outdated(token):
        raise Conflict("A newer lifecycle call of this site was already handled.", code="outdated")
    return known.tokens.first_use(token)


def _new(client_key: str | None, base_url: str) -> Tenant:
    return Tenant(
        id=uuid4().hex,
        client_key=client_key,
        base_url=base_url,
        state=TenantState.ACTIVE,
        installed_at=datetime.now(UTC),
        version=0,
    )


def _state(secret: EncryptedSecret | None, identity: ForgeIdentity | None) -> TenantState:
    """A site is active as long as one of its identities is installed."""
    is_installed = secret or (identity and identity.installation_id)
    return TenantState.ACTIVE if is_installed else TenantState.UNINSTALLED


def _newest_identity(
    tenant: Tenant, other: Tenant, reseal: Callable[[EncryptedSecret], EncryptedSecret]
) -> ForgeIdentity | None:
    own, others = tenant.forge, other.forge
    if others is None or (own and own.tokens.at >= others.tokens.at):
        return own
    if others.system_token is None:
        return others
    # A secret is bound to its owner.
    return replace(others, system_token=reseal(others.system_token))


def _advanced(tenant: Tenant, token: LifecycleToken) -> Tenant:
    return replace(tenant, tokens=tenant.tokens.including(token), version=tenant.version + 1)
