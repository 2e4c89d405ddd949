"""Installs an app into a site and removes it, with Jira's lifecycle callbacks."""

import time
from dataclasses import dataclass
from typing import Any

from .app_calls import AppAnswer, AppCall, call_app, fetch_json
from .descriptor import App, read_descriptor
from .install_keys import InstallKey
from .refusal import Refusal
from .sites import Site, State, new_secret
from .tokens import Signer, install_signer, secret_signer


@dataclass(frozen=True)
class Installation:
    """`accepted` is whether the app answered `installed` with 2xx."""

    accepted: bool
    answers: list[AppAnswer]


class Lifecycle:
    """Acts as Jira when a site's admin installs or uninstalls the app."""

    def __init__(self, key: InstallKey) -> None:
        self._key = key

    async def install(
        self, site: Site, descriptor_url: str, renew_secret: bool | None
    ) -> Installation:
        """Installs, upgrades or reinstalls the app; the clientKey stays the same.

        If `renew_secret` is None, any install but the first has a new secret. The site changes only
        when the app has accepted `installed`: otherwise the old secret stays valid.
        """
        _refuse_under_forge(site)
        app = read_descriptor(await fetch_json(descriptor_url))
        installed = await self.send_installed(site, app, renew_secret)
        if not installed.succeeded:
            return Installation(False, [installed])
        if "enabled" not in app.lifecycle:
            return Installation(True, [installed])
        body = self._body(site, app, "enabled")
        return Installation(True, [installed, await _send(app, "enabled", body, _signer(site))])

    async def send_installed(
        self, site: Site, app: App, renew_secret: bool | None, installation_id: str | None = None
    ) -> AppAnswer:
        """Sends `installed`; if the app accepts it, the site has the app and the sent secret.

        The body contains the `installation_id` if there is one, as under Forge.
        """
        renew = site.state is not State.NEW if renew_secret is None else renew_secret
        secret = new_secret() if renew else site.shared_secret
        body = self._body(site, app, "installed") | {"sharedSecret": secret}
        if installation_id is not None:
            body["installationId"] = installation_id
        installed = await _send(app, "installed", body, self._install_signer(site, app))
        if installed.succeeded:
            site.app, site.shared_secret, site.state = app, secret, State.INSTALLED
            site.installed_at, site.connect_key = time.monotonic(), app.key
        return installed

    async def uninstall(
        self, site: Site, events: tuple[str, ...] = ("disabled", "uninstalled")
    ) -> list[AppAnswer]:
        """Deletes everything that the app sent, then calls the app, once, whatever it answers."""
        _refuse_under_forge(site)
        app = site.installed_app()
        site.app, site.state = None, State.UNINSTALLED
        site.store.forget()
        signers = {"disabled": _signer(site), "uninstalled": self._install_signer(site, app)}
        return [
            await _send(app, event, self._body(site, app, event), signers[event])
            for event in events
            if event in app.lifecycle
        ]

    def _install_signer(self, site: Site, app: App) -> Signer:
        return install_signer(self._key, site.client_key, app.base_url)

    def _body(self, site: Site, app: App, event: str) -> dict[str, Any]:
        """The documented body of every lifecycle event; the versions have no meaning in Cloud."""
        return {
            "key": app.key,
            "clientKey": site.client_key,
            "publicKey": self._key.public_pem,
            "serverVersion": "100000",
            "pluginsVersion": "1001.0.0-SNAPSHOT",
            "baseUrl": site.base_url,
            "displayUrl": site.base_url,
            "displayUrlServicedeskHelpCenter": site.base_url,
            "productType": "jira",
            "description": "Jira simulator",
            "eventType": event,
        }


def _refuse_under_forge(site: Site) -> None:
    if site.forge is not None:
        raise Refusal(409, f"The site {site.name} has a Forge app: use the calls below forge/.")


async def _send(app: App, event: str, body: dict[str, Any], signer: Signer) -> AppAnswer:
    url = app.url(app.lifecycle[event])
    return await call_app(AppCall(event, "POST", url, app.base_url, body), signer)


def _signer(site: Site) -> Signer:
    return secret_signer(site.shared_secret, site.client_key)
