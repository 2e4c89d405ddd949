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

# The property from which a Forge app reads its site's Connect clientKey, if the site has one. Jira
# reserves it, and documents it with "Get app property".
CLIENT_KEY_PROPERTY = "connect_client_key_019cdff3-8bfb-71fe-9628-875b700aebb8"
# Forge waits five seconds for an answer.
_SECONDS = 2


class ForgeLifecycle:
    """Applies Forge's lifecycle calls to the tenant.

    A call may be repeated or lost, so each one updates the whole tenant. Every method raises
    Unavailable, or an AWS error.
    """

    def __init__(
        self, tenants: TenantStore, starter: ReplayStarter, http: OutboundClient, app_key: str
    ) -> None:
        self._tenants = tenants
        self._starter = starter
        self._http = http
        self._app_key = app_key

    def installed(self, caller: ForgeCaller) -> Tenant:
        """Install or upgrade; returns the tenant.

        Starts replays of what the site is owed, unless the call is outdated or changes nothing.
        """
        known, tenant = self._install(caller)
        if tenant != known:
            self._starter.installed(tenant)
        return tenant

    def ticked(self, caller: ForgeCaller) -> Tenant:
        """Store a new system token; returns the tenant. An unknown installation is installed."""
        known = self._tenants.find_by_installation_id(caller.installation_id)
        if known is None or not known.is_forge_installed:
            return self.installed(caller)
        known, tenant = self._install(caller)
        if tenant != known:
            self._starter.token_renewed(tenant)
        return tenant

    def uninstalled(self, caller: ForgeCaller) -> Tenant | None:
        """Uninstall; returns the tenant, or None if the installation is unknown."""
        return self._tenants.uninstall_forge(caller.installation_id, caller.token)

    def _install(self, caller: ForgeCaller) -> tuple[Tenant | None, Tenant]:
        """The tenant of this installation before and after the call."""
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
        """The site's clientKey under Connect, read from its Jira; None if it is not available."""
        if caller.system_token is None:
            return None
        credential = BearerCredential(caller.system_token)
        jira = JiraClient(self._http, caller.api_base_url, credential)
        try:
            value = jira.app_property(self._app_key, CLIENT_KEY_PROPERTY)
        except JiraError as error:
            # The next tick retries this.
            logger.warning("Jira did not return the clientKey", reason=error.reason)
            return None
        # Documented as the clientKey itself, but some properties are objects with one value.
        found = value.get("clientKey") if isinstance(value, dict) else value
        return found if isinstance(found, str) and found else None


def forge_http_client() -> OutboundClient:
    """A client for calls to Jira while Forge waits for the answer, with a short deadline."""
    return http_client(_SECONDS)
