"""What a lifecycle call makes of a tenant: the known tenant and the call give the new one.

Pure, but for `seal`, which encrypts a secret for its owner. `TenantStore` reads and writes.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from relay.errors import Conflict
from relay.secrets import EncryptedSecret
from relay.tenants.lifecycle import LifecycleToken, TokenHistory
from relay.tenants.tenant import (
    ForgeIdentity,
    ForgeInstallation,
    Installation,
    Tenant,
    TenantState,
)

Seal = Callable[[Tenant, str], EncryptedSecret]

# Tokens count time in seconds and have no number of their own, so two installs within one second
# may carry the same one. Longer after its first use, a token with another body is a replay.
_SAME_TOKEN_SECONDS = 5


def installed(
    known: Tenant | None,
    installation: Installation,
    token: LifecycleToken,
    same_secret: bool,
    seal: Seal,
) -> Tenant:
    """The tenant after Connect's `installed`. `same_secret`: its secret is the one it had."""
    tenant = known or _new(installation.client_key, installation.base_url)
    # After an uninstall Jira has deleted what it was sent. A new secret hints at an uninstall that
    # Relay never heard of: Jira calls `uninstalled` only once.
    starts_over = known is not None and not same_secret
    renewed = replace(
        tenant,
        client_key=installation.client_key,
        installs=tenant.installs + starts_over,
        base_url=installation.base_url,
        state=TenantState.ACTIVE,
        installed_at=datetime.now(UTC),
        display_url=installation.display_url,
        installation_id=installation.installation_id or tenant.installation_id,
        secret=seal(tenant, installation.shared_secret),
    )
    return _advanced(renewed, token)


def is_repeated(
    known: Tenant, installation: Installation, token: LifecycleToken, same_secret: bool
) -> bool:
    """Whether this call of Connect's `installed` was handled, and the tenant is as it left it.

    Raises Conflict where a newer call was, or where its token was used for another body; unless
    this is another install of the same second: the next call, a few seconds after the first.
    """
    first = first_use(known, token)
    if first is None:
        return False
    same_name = installation.installation_id in (None, known.installation_id)
    if same_secret and same_name and known.base_url == installation.base_url:
        return True
    is_late = token.seen_at - first.seen_at > _SAME_TOKEN_SECONDS
    if is_late or not known.tokens.is_newest(token):
        raise Conflict("This call's token was used already.", code="token_used")
    return False


def uninstalled(known: Tenant, token: LifecycleToken) -> Tenant:
    """The tenant after Connect's `uninstalled`: without its secret. It stays active under Forge."""
    # Under Forge the site still has the app, but Jira may have deleted what Connect sent.
    starts_over = known.is_forge_installed and known.secret is not None
    gone = replace(
        known,
        state=_state(None, known.forge),
        secret=None,
        installs=known.installs + starts_over,
    )
    return _advanced(gone, token)


def forge_installed(
    known: Tenant | None, installation: ForgeInstallation, token: LifecycleToken, seal: Seal
) -> Tenant:
    """The tenant after Forge has installed or upgraded the app."""
    # Forge names no other URL; Connect's own `installed` call replaces it.
    tenant = known or _new(installation.client_key, installation.api_base_url)
    before = tenant.forge
    is_same = before is not None and before.installation_id == installation.installation_id
    sent = installation.system_token
    kept = before.system_token if before and is_same else None
    identity = ForgeIdentity(
        cloud_id=installation.cloud_id,
        installation_id=installation.installation_id,
        api_base_url=installation.api_base_url,
        system_token=seal(tenant, sent) if sent else kept,
        tokens=(before.tokens if before else TokenHistory()).including(token),
    )
    # Another installation hints at an uninstall, heard of or not, as a new secret does.
    starts_over = tenant.state is TenantState.UNINSTALLED or (before and not is_same)
    renewed = known is None or starts_over
    return replace(
        tenant,
        client_key=tenant.client_key or installation.client_key,
        state=TenantState.ACTIVE,
        installs=tenant.installs + bool(starts_over),
        installed_at=datetime.now(UTC) if renewed else tenant.installed_at,
        installation_id=installation.installation_id,
        forge=identity,
        version=tenant.version + 1,
    )


def forge_uninstalled(known: Tenant, forge: ForgeIdentity, token: LifecycleToken) -> Tenant:
    """The tenant without its Forge installation and its token. It stays active under Connect."""
    gone = ForgeIdentity(forge.cloud_id, tokens=forge.tokens.including(token))
    return replace(known, state=_state(known.secret, gone), forge=gone, version=known.version + 1)


def merged(
    known: Tenant,
    tenant: Tenant,
    other: Tenant,
    resets: int,
    reseal: Callable[[EncryptedSecret], EncryptedSecret],
) -> tuple[Tenant, Tenant]:
    """Two tenants that turn out to be one site: the one that stays, and the other as it is left.

    `tenant` is what a call made of `known`. It gets the newest that Forge said about either, and
    starts over above every sequence that either was sent; `resets` is the highest of the other's
    replays. `reseal` encrypts a secret of the other's for the one that stays.
    """
    identity = _newest_identity(tenant, other, reseal)
    stays = replace(
        tenant,
        state=_state(tenant.secret, identity),
        installs=tenant.installs + other.installs + resets + 1,
        forge=identity,
        version=known.version + 1,
    )
    left = replace(
        other,
        state=TenantState.UNINSTALLED,
        forge=None,
        secret=None,
        merged_into=tenant.id,
        version=other.version + 1,
    )
    return stays, left


def are_different_sites(one: Tenant, other: Tenant) -> bool:
    """Whether Forge has proven them to be two sites."""
    return bool(one.forge and other.forge and one.forge.cloud_id != other.forge.cloud_id)


def is_superseded(identity: ForgeIdentity | None, token: LifecycleToken) -> bool:
    """Whether a newer call of Forge's was handled, or this very one."""
    if identity is None:
        return False
    return identity.tokens.is_outdated(token) or identity.tokens.first_use(token) is not None


def first_use(known: Tenant, token: LifecycleToken) -> LifecycleToken | None:
    """The token as it was first used; raises Conflict where a newer call was handled."""
    if known.tokens.is_outdated(token):
        raise Conflict("A newer lifecycle call of this site was handled already.", code="outdated")
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
    """A site has the app as long as either identity is installed."""
    is_installed = secret or (identity and identity.installation_id)
    return TenantState.ACTIVE if is_installed else TenantState.UNINSTALLED


def _newest_identity(
    tenant: Tenant, other: Tenant, reseal: Callable[[EncryptedSecret], EncryptedSecret]
) -> ForgeIdentity | None:
    mine, its = tenant.forge, other.forge
    if its is None or (mine and mine.tokens.at >= its.tokens.at):
        return mine
    if its.system_token is None:
        return its
    # It is bound to its owner, so it has to be encrypted for the new one.
    return replace(its, system_token=reseal(its.system_token))


def _advanced(tenant: Tenant, token: LifecycleToken) -> Tenant:
    return replace(tenant, tokens=tenant.tokens.including(token), version=tenant.version + 1)
