"""Forge's lifecycle: installed, upgraded, about to be uninstalled, and the hourly system token."""

from relay.identity.caller import ForgeCaller
from relay.jira.client import JiraClient, http_client
from relay.jira.credentials import BearerCredential
from relay.jira.errors import JiraError
from relay.outbound.client import OutboundClient
from relay.replays.starter import ReplayStarter
from relay.telemetry import logger
from relay.tenants.store import TenantStore
from relay.tenants.tenant import ForgeInstallation, Tenant

# Reserved by Jira: what a Forge app reads its site's Connect clientKey from, as long as there is
# one. Jira documents it with "Get app property".
CLIENT_KEY_PROPERTY = "connect_client_key_019cdff3-8bfb-71fe-9628-875b700aebb8"
# Forge waits for five.
_SECONDS = 2


class ForgeLifecycle:
    """Every call may come again, or be lost: each of them brings the tenant up to date."""

    def __init__(
        self, tenants: TenantStore, starter: ReplayStarter, http: OutboundClient, app_key: str
    ) -> None:
        self._tenants = tenants
        self._starter = starter
        self._http = http
        self._app_key = app_key

    def installed(self, caller: ForgeCaller) -> Tenant:
        """Installed, or upgraded: the site takes whatever it is owed. Old news begins nothing."""
        known, tenant = self._install(caller)
        if tenant != known:
            self._starter.installed(tenant)
        return tenant

    def ticked(self, caller: ForgeCaller) -> Tenant:
        """A new system token; one of an installation that is not known yet installs it."""
        known = self._tenants.find_by_installation_id(caller.installation_id)
        if known is None or not known.is_forge_installed:
            return self.installed(caller)
        known, tenant = self._install(caller)
        if tenant != known:
            self._starter.token_renewed(tenant)
        return tenant

    def uninstalled(self, caller: ForgeCaller) -> Tenant | None:
        """None where there is no such installation."""
        return self._tenants.uninstall_forge(caller.installation_id, caller.token)

    def _install(self, caller: ForgeCaller) -> tuple[Tenant | None, Tenant]:
        """The tenant of this installation as it was, and as it is now."""
        known = self._tenants.find_by_installation_id(caller.installation_id)
        joined = known is not None and known.client_key is not None
        installation = ForgeInstallation(
            installation_id=caller.installation_id,
            cloud_id=caller.cloud_id,
            api_base_url=caller.api_base_url,
            system_token=caller.system_token,
            client_key=None if joined else self._client_key(caller),
        )
        return known, self._tenants.install_forge(installation, caller.token)

    def _client_key(self, caller: ForgeCaller) -> str | None:
        """Whom the site is under Connect, by its own Jira; None where that can't be told now."""
        if caller.system_token is None:
            return None
        credential = BearerCredential(caller.system_token)
        jira = JiraClient(self._http, caller.api_base_url, credential)
        try:
            value = jira.app_property(self._app_key, CLIENT_KEY_PROPERTY)
        except JiraError as error:
            # The next tick asks again.
            logger.warning("Jira did not tell the clientKey", reason=error.reason)
            return None
        # Documented as the clientKey itself; some properties are objects of one value.
        found = value.get("clientKey") if isinstance(value, dict) else value
        return found if isinstance(found, str) and found else None


def forge_http_client() -> OutboundClient:
    return http_client(_SECONDS)
