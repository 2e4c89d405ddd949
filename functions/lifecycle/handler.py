"""Jira's lifecycle calls: a site installs, uninstalls, enables or disables the app."""

from relay.edge.answer import Answer, no_content
from relay.edge.http import HttpFunction
from relay.edge.wiring import ReplayParts, TenantParts
from relay.errors import BadRequest, Detail
from relay.identity.callback import CallbackVerifier
from relay.identity.install_keys import InstallKeys
from relay.identity.key_servers import key_server_client
from relay.identity.signed_install import SignedInstallVerifier
from relay.settings import LifecycleSettings
from relay.telemetry import Metric, count, logger

settings = LifecycleSettings.from_environment()
parts = TenantParts(settings)
tenants = parts.tenants
starter = ReplayParts(parts, settings.replays_queue).starter
signed_install = SignedInstallVerifier(
    InstallKeys(key_server_client(), settings.install_keys_url),
    settings.app_key,
    settings.test_site_origins,
)
callback = CallbackVerifier(tenants)

handler = HttpFunction(settings.base_url)


@handler.post("/lifecycle/installed")
def installed() -> Answer:
    """A site has installed the app, or updates its installation.

    An upsert by clientKey. A token is valid for one change, and an older token never wins. If the
    site starts empty, Relay replays everything that its workspaces hold.
    """
    caller, _ = handler.caller(signed_install)
    if caller.installation is None:
        missing = [Detail(name, "missing", "Required for an install") for name in caller.missing]
        raise BadRequest("The body is not a complete install.", missing)
    # Jira signs with the secret as soon as it gets the answer, so the write comes first.
    tenant = tenants.install(caller.installation, caller.token)
    starter.installed(tenant)
    count(Metric.INSTALLED)
    logger.info("Installed", tenant_id=tenant.id, base_url=tenant.base_url)
    return no_content()


@handler.post("/lifecycle/uninstalled")
def uninstalled() -> Answer:
    """A site has uninstalled the app.

    Relay deletes the site's secret; its links and the record stay.
    """
    caller, _ = handler.caller(signed_install)
    tenant = tenants.uninstall(caller.client_key, caller.token)
    count(Metric.UNINSTALLED)
    logger.info("Uninstalled", tenant_id=tenant.id if tenant else "unknown")
    return no_content()


@handler.post("/lifecycle/enabled")
def enabled() -> Answer:
    """A site has enabled the app.

    Relay only logs it.
    """
    return logged()


@handler.post("/lifecycle/disabled")
def disabled() -> Answer:
    """A site has disabled the app.

    Relay only logs it.
    """
    return logged()


def logged() -> Answer:
    """Forge sends neither call, so nothing depends on them."""
    caller, request = handler.caller(callback)
    logger.info("Lifecycle call", event=request.raw_path, tenant_id=caller.tenant.id)
    return no_content()
