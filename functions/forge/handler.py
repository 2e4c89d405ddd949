"""Forge's own calls: lifecycle, the hourly system token, data residency."""

from typing import TYPE_CHECKING

from relay.actions.forge_lifecycle import ForgeLifecycle, forge_http_client
from relay.actions.residency import Residency
from relay.edge.answer import Answer, json_answer, no_content
from relay.edge.forge_documents import migration_id_of, migration_request
from relay.edge.http import HttpFunction
from relay.edge.wiring import ForgeParts, ReplayParts
from relay.settings import ForgeLifecycleSettings
from relay.telemetry import Metric, count, logger
from relay.tenants.migrations import MigrationState, MigrationStore

if TYPE_CHECKING:
    from relay.edge.shapes.forge import MigrationStatus

settings = ForgeLifecycleSettings.from_environment()
parts = ForgeParts(settings)
forge, site = parts.forge, parts.site
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
def forge_installed() -> Answer:
    """The app is installed.

    An upsert by installationId. A known site, under Connect or by an earlier installation, keeps
    its id, its links and its record. An older token changes nothing. Relay reads only the token,
    not the body.
    """
    return install()


@handler.post("/forge/upgraded")
def forge_upgraded() -> Answer:
    """The app has a new major version.

    Handled like an install. Relay reads only the token, not the body.
    """
    return install()


def install() -> Answer:
    """Forge repeats everything in the token of either call."""
    caller, _ = handler.caller(forge)
    tenant = lifecycle.installed(caller)
    count(Metric.INSTALLED)
    logger.info("Installed by Forge", tenant_id=tenant.id, version=caller.app_version)
    return no_content()


@handler.post("/forge/uninstalled")
def forge_uninstalled() -> Answer:
    """The app is about to be uninstalled.

    Relay deletes the installation and its system token. The site's links, its record and its
    Connect data stay. Relay reads only the token, not the body.
    """
    caller, _ = handler.caller(forge)
    tenant = lifecycle.uninstalled(caller)
    count(Metric.UNINSTALLED)
    logger.info("Uninstalled by Forge", tenant_id=tenant.id if tenant else "unknown")
    return no_content()


@handler.post("/forge/tick")
def forge_tick() -> Answer:
    """A new system token, once an hour.

    An unknown installation is installed by it. Relay reads only the token, not the body.
    """
    caller, _ = handler.caller(forge)
    tenant = lifecycle.ticked(caller)
    logger.info("System token renewed", tenant_id=tenant.id, has_token=bool(caller.system_token))
    return no_content()


@handler.post("/forge/migrations/schedule")
def schedule_migration() -> Answer:
    """A site's data is to move to another region.

    Accepted for the regions that the deployment serves, refused for any other.
    """
    caller, request = handler.caller(site)
    asked = migration_request(request)
    residency.schedule(caller.tenant, asked.migrationId, asked.location)
    return no_content()


@handler.post("/forge/migrations/start")
def start_migration() -> Answer:
    """The migration's window is open.

    Relay moves nothing.
    """
    return advance(MigrationState.STARTED)


@handler.post("/forge/migrations/commit")
def commit_migration() -> Answer:
    """The migration is done."""
    return advance(MigrationState.COMMITTED)


@handler.post("/forge/migrations/rollback")
def rollback_migration() -> Answer:
    """The migration is rolled back."""
    return advance(MigrationState.ROLLED_BACK)


@handler.get("/forge/migrations/status", query=("migrationId",))
def get_migration_status() -> Answer:
    """Get the state of a migration."""
    caller, request = handler.caller(site)
    answer: MigrationStatus = {"status": residency.status(caller.tenant, migration_id_of(request))}
    return json_answer(200, answer)


def advance(state: MigrationState) -> Answer:
    """Records the migration's new state."""
    caller, request = handler.caller(site)
    residency.advance(caller.tenant, migration_request(request).migrationId, state)
    return no_content()
