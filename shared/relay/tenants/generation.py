"""The generation of a link: how often its site has started over, with nothing of what it was sent.

It only grows: with each reinstall, each new link and each replay of all. What a site answered in an
earlier generation counts for nothing.
"""

from relay.tenants.replay import Replay
from relay.tenants.tenant import Tenant, TenantState


def generation(tenant: Tenant, replay: Replay | None) -> int:
    """The current generation of the link that this is the replay of; None where it has none."""
    # Without the app the site holds nothing: it is already in the generation of its next install.
    uninstalled = tenant.state is TenantState.UNINSTALLED
    return generation_at(tenant.installs + uninstalled, replay.resets if replay else 0)


def generation_at(installs: int, resets: int) -> int:
    """`installs` are the tenant's, `resets` the replay's."""
    return installs + resets


def is_behind(replay: Replay | None, installs: int) -> bool:
    """Whether the site has started over since the last replay of the whole record was started."""
    return replay is None or replay.generation < generation_at(installs, replay.resets)
