"""Jira's lifecycle calls: a site installs, uninstalls, enables or disables the app."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from relay.aws import dynamodb_client, kms_client, sqs_client
from relay.delivery import Dispatch, Requesting
from relay.edge.http import HttpFunction, no_content
from relay.edge.replays import ReplaysQueue
from relay.errors import BadRequest, Detail
from relay.identity import CallbackVerifier, InstallKeys, SignedInstallVerifier
from relay.jira import http_client
from relay.secrets import Secrets
from relay.settings import LifecycleSettings
from relay.telemetry import Metric, count, logger
from relay.tenants import LinkStore, ReplayStore, TenantStore, TroubleStore

settings = LifecycleSettings.from_environment()
dynamodb = dynamodb_client()
tenants = TenantStore(dynamodb, settings.tenants_table, Secrets(kms_client(), settings.secrets_key))
replays = ReplayStore(dynamodb, settings.tenants_table)
requesting = Requesting(
    LinkStore(dynamodb, settings.tenants_table),
    replays,
    TroubleStore(dynamodb, settings.tenants_table),
    Dispatch(replays, ReplaysQueue(sqs_client(), settings.replays_queue)),
)
signed_install = SignedInstallVerifier(
    InstallKeys(http_client(), settings.install_keys_url),
    settings.app_key,
    settings.test_site_origins,
)
callback = CallbackVerifier(tenants)

handler = HttpFunction(settings.base_url)


@handler.post("/lifecycle/installed")
def installed() -> Response[Any]:
    caller, _ = handler.caller(signed_install)
    if caller.installation is None:
        missing = [Detail(name, "missing", "An install brings it") for name in caller.missing]
        raise BadRequest("The body is not an install's.", missing)
    # Jira signs with the secret as soon as it is answered, so the answer comes after the write.
    tenant = tenants.install(caller.installation, caller.token)
    requesting.installed(tenant)
    count(Metric.INSTALLED)
    logger.info("Installed", tenant_id=tenant.id, base_url=tenant.base_url)
    return no_content()


@handler.post("/lifecycle/uninstalled")
def uninstalled() -> Response[Any]:
    caller, _ = handler.caller(signed_install)
    tenant = tenants.uninstall(caller.client_key, caller.token)
    count(Metric.UNINSTALLED)
    logger.info("Uninstalled", tenant_id=tenant.id if tenant else "unknown")
    return no_content()


@handler.post("/lifecycle/enabled")
@handler.post("/lifecycle/disabled")
def enabled_or_disabled() -> Response[Any]:
    """Taken and logged: under Forge neither is sent, so nothing is built on them."""
    caller, request = handler.caller(callback)
    logger.info("Lifecycle", event=request.raw_path, tenant_id=caller.tenant.id)
    return no_content()
