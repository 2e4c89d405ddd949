"""Forge's installs, events, triggers and hooks."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ..app_calls import AppAnswer, fetch_json
from ..descriptor import App, read_descriptor
from ..lifecycle import Installation, Lifecycle
from ..refusal import Refusal
from ..settings import Settings
from ..sites import Site, State
from .endpoints import INSTALLED, TICK, UNINSTALLED, UPGRADED, Endpoint, migration_hook
from .events import installed_event, trigger_payload, upgraded_event
from .installation import ForgeInstallation
from .keys import ForgeKeys
from .migration import Migration, MigrationId, new_migration
from .remote import RemoteCall, call_remote

# Forge waits longer for an uninstall than for any other call.
_UNINSTALL_SECONDS = 55
_PAGE_SECONDS = 25

Event = Callable[[Site, ForgeInstallation], dict[str, Any]]


@dataclass(frozen=True)
class ConnectPart:
    """How to install an app's Connect part: its modules and the call `installed`.

    With `descriptor_url` None, the site's descriptor is used. With `installed_lifecycle` False, the
    app is not called, as in an automatic update. `renew_secret` is that of `Lifecycle.install`.
    """

    descriptor_url: str | None = None
    installed_lifecycle: bool = True
    renew_secret: bool | None = None


class ForgePlatform:
    """Acts as Forge. All of its calls but `install` raise a Refusal (409) without a Forge app."""

    def __init__(self, keys: ForgeKeys, settings: Settings, lifecycle: Lifecycle) -> None:
        self._keys = keys
        self._settings = settings
        self._lifecycle = lifecycle

    async def install(
        self, site: Site, installation: ForgeInstallation, part: ConnectPart
    ) -> Installation:
        """Installs the app, or moves a Connect app to Forge; its data stays.

        Connect's `installed` is sent first; if the app refuses it, nothing changes. The event is
        sent afterwards; the app is installed whatever the remote answers. Raises a Refusal (409) if
        the site has a Forge app.
        """
        if site.forge is not None:
            raise Refusal(409, f"A Forge app is installed in the site {site.name}.")
        return await self._apply(site, installation, part, INSTALLED, installed_event)

    async def upgrade(
        self, site: Site, installation: ForgeInstallation, part: ConnectPart
    ) -> Installation:
        """Upgrades to a new major version; `installation` is the changed one."""
        return await self._apply(site, installation, part, UPGRADED, upgraded_event)

    async def uninstall(self, site: Site) -> list[AppAnswer]:
        """Calls the remote, deletes all data, then calls the Connect part, whatever they answer."""
        site.forge_installation()
        body = trigger_payload(site, UNINSTALLED)
        answer = await self._call_with_token(site, UNINSTALLED, body, _UNINSTALL_SECONDS)
        site.forge = None
        if site.app is not None:
            return [answer, *await self._lifecycle.uninstall(site, ("uninstalled",))]
        site.state = State.UNINSTALLED
        site.store.forget()
        return [answer]

    async def tick(self, site: Site) -> AppAnswer:
        """Calls the hourly trigger, with a new system token."""
        site.forge_installation()
        return await self._call_with_token(site, TICK, trigger_payload(site, TICK))

    async def call(self, site: Site, call: RemoteCall) -> AppAnswer:
        """Sends any call, with the newest system token."""
        newest = site.forge_installation().tokens.newest()
        return await self._call(site, replace(call, system_token=newest))

    async def request_remote(self, site: Site, call: RemoteCall) -> AppAnswer:
        """Sends a call of the app's own page, without a system token."""
        return await self._call(site, call, _PAGE_SECONDS)

    async def migrate(
        self, site: Site, hook: str, migration_id: MigrationId | None, location: str
    ) -> AppAnswer:
        """Calls one hook. `schedule` starts a migration; the others continue the named one."""
        migration = _migration(site, hook, migration_id, location)
        endpoint, body = migration_hook(hook), migration.body(hook)
        query = {"migrationId": str(migration.migration_id)} if body is None else {}
        method = "GET" if body is None else "POST"
        return await self._call(site, RemoteCall(hook, endpoint, method, body, query))

    async def _apply(
        self,
        site: Site,
        installation: ForgeInstallation,
        part: ConnectPart,
        endpoint: Endpoint,
        event: Event,
    ) -> Installation:
        answers = []
        if not installation.connect:
            site.app = None
        else:
            app = await _connect_app(site, part)
            answers = await self._call_connect(site, app, installation, part)
            if not all(answer.succeeded for answer in answers):
                return Installation(False, answers)
            site.app = app
        site.forge, site.state = installation, State.INSTALLED
        answers.append(await self._call_with_token(site, endpoint, event(site, installation)))
        return Installation(all(answer.succeeded for answer in answers), answers)

    async def _call_connect(
        self, site: Site, app: App, installation: ForgeInstallation, part: ConnectPart
    ) -> list[AppAnswer]:
        if not part.installed_lifecycle:
            return []
        return [
            await self._lifecycle.send_installed(
                site, app, part.renew_secret, installation.installation_id
            )
        ]

    async def _call_with_token(
        self, site: Site, endpoint: Endpoint, body: Any, seconds: float | None = None
    ) -> AppAnswer:
        token = site.forge_installation().tokens.issue()
        what = endpoint.path.rpartition("/")[2]
        call = RemoteCall(what, endpoint, body=body, system_token=token)
        return await self._call(site, call, seconds)

    async def _call(self, site: Site, call: RemoteCall, seconds: float | None = None) -> AppAnswer:
        waited = self._settings.forge_timeout_seconds if seconds is None else seconds
        return await call_remote(site, site.forge_installation(), call, self._keys.newest, waited)


async def _connect_app(site: Site, part: ConnectPart) -> App:
    if site.app is None and not part.installed_lifecycle:
        raise Refusal(400, "The first install of a Connect app requires the call installed.")
    if part.descriptor_url is not None:
        return read_descriptor(await fetch_json(part.descriptor_url))
    if site.app is None:
        raise Refusal(400, "descriptorUrl: required, because the site has no Connect app")
    return site.app


def _migration(site: Site, hook: str, migration_id: MigrationId | None, location: str) -> Migration:
    migrations = site.forge_installation().migrations
    if hook == "schedule":
        migrations.append(new_migration(len(migrations), migration_id, location))
        return migrations[-1]
    if migration_id is None:
        if not migrations:
            raise Refusal(409, "No migration is scheduled. Pass a migrationId.")
        return migrations[-1]
    known = {migration.migration_id: migration for migration in migrations}
    return known.get(migration_id) or new_migration(0, migration_id, location)
