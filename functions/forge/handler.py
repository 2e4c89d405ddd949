"""Forge's own calls: lifecycle, the hourly system token, data residency."""

from relay.actions.forge_lifecycle import ForgeLifecycle, forge_http_client
from relay.actions.residency import Residency
from relay.edge.answer import Answer, json_answer, no_content
from relay.edge.forge_documents import migration_id_of, migration_request
from relay.edge.http import HttpFunction
from relay.edge.wiring import ForgeParts, ReplayParts
from relay.settings import ForgeLifecycleSettings
from relay.telemetry import Metric, count, logger
from relay.tenants.migrations import MigrationState, MigrationStore

settings = ForgeLifecycleSettings.from_environment()
parts = ForgeParts(settings)
lifecycle = ForgeLifecycle(
    parts.tenants,
    ReplayParts(parts, settings.replays_queue).starter,
    forge_http_client(),
    settings.app_key,
)
residency = Residency(
    MigrationStore(parts.dynamodb, settings.tenants_table), settings.forge_regions
)

handler = HttpFunction(settings.base_url)


@handler.post("/forge/installed")
@handler.post("/forge/upgraded")
def installed() -> Answer:
    caller, _ = handler.caller(parts.forge)
    tenant = lifecycle.installed(caller)
    count(Metric.INSTALLED)
    logger.info("Installed by Forge", tenant_id=tenant.id, version=caller.app_version)
    return no_content()


@handler.post("/forge/uninstalled")
def uninstalled() -> Answer:
    """Called before the app is removed: what Connect has of the site stays until Connect says."""
    caller, _ = handler.caller(parts.forge)
    tenant = lifecycle.uninstalled(caller)
    count(Metric.UNINSTALLED)
    logger.info("Uninstalled by Forge", tenant_id=tenant.id if tenant else "unknown")
    return no_content()


@handler.post("/forge/tick")
def tick() -> Answer:
    caller, _ = handler.caller(parts.forge)
    tenant = lifecycle.ticked(caller)
    logger.info("System token renewed", tenant_id=tenant.id, result=bool(caller.system_token))
    return no_content()


@handler.post("/forge/migrations/schedule")
def schedule() -> Answer:
    caller, request = handler.caller(parts.site)
    asked = migration_request(request)
    residency.schedule(caller.tenant, asked.migrationId, asked.location)
    return no_content()


@handler.post("/forge/migrations/start")
def start() -> Answer:
    return _advance(MigrationState.STARTED)


@handler.post("/forge/migrations/commit")
def commit() -> Answer:
    return _advance(MigrationState.COMMITTED)


@handler.post("/forge/migrations/rollback")
def rollback() -> Answer:
    return _advance(MigrationState.ROLLED_BACK)


@handler.get("/forge/migrations/status")
def status() -> Answer:
    caller, request = handler.caller(parts.site)
    return json_answer(200, {"status": residency.status(caller.tenant, migration_id_of(request))})


def _advance(state: MigrationState) -> Answer:
    caller, request = handler.caller(parts.site)
    residency.advance(caller.tenant, migration_request(request).migrationId, state)
    return no_content()
