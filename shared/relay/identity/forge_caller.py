"""Who is calling under Forge."""

from dataclasses import dataclass, field

from relay.tenants.lifecycle import LifecycleToken


@dataclass(frozen=True, slots=True)
class ForgeCaller:
    """Forge itself, about one installation of the app; who clicked is not kept.

    `api_base_url` is where that site's Jira is called, without a slash at its end, and `cloud_id`
    is the site's. `system_token` is the credential for those calls, where Forge sent one: opaque,
    and good for hours.
    """

    installation_id: str
    cloud_id: str
    api_base_url: str
    app_version: str
    token: LifecycleToken
    system_token: str | None = field(default=None, repr=False)
