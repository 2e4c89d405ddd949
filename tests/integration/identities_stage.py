"""A site that has Relay under Connect, Forge or both, and Relay's view of it."""

from dataclasses import dataclass
from typing import Any

import httpx

from relay.tenants.tenant import Tenant
from tests.integration.catching_up_stage import put_link
from tests.integration.relay_stage import JiraSite, Relay, Start, new_name
from tests.integration.simulator_stage import FORGE_APP_ID, Simulator
from tests.support.lifecycle import Site


@dataclass(frozen=True)
class TwofoldSite:
    """A site of the simulator whose calls reach Relay with real kinds of tokens."""

    relay: Relay
    simulator: Simulator
    name: str

    @property
    def descriptor_url(self) -> str:
        return f"{self.relay.gateway.url}/atlassian-connect.json"

    @property
    def facts(self) -> dict[str, Any]:
        return self.simulator.site(self.name)

    @property
    def client_key(self) -> str:
        return str(self.facts["clientKey"])

    @property
    def installation_id(self) -> str:
        return str(self.facts["forge"]["installationId"])

    def install_by_connect(self, **fields: Any) -> None:
        body = {"descriptorUrl": self.descriptor_url, **fields}
        _accepted(self.simulator.control("POST", f"/sites/{self.name}/install", body))

    def uninstall_by_connect(self) -> None:
        _accepted(self.simulator.control("POST", f"/sites/{self.name}/uninstall"))

    def install_by_forge(self, connect: bool = False, **fields: Any) -> None:
        """Install under Forge only, or with the Connect part, which calls `installed` unless the
        fields disable it.
        """
        body = {"appId": FORGE_APP_ID, "remoteUrl": self.relay.gateway.url, "connect": connect}
        _accepted(self.simulator.forge(self.name, "install", **body, **fields))

    def move_to_forge(self) -> None:
        """Move the Connect app to Forge; only Forge's own event is sent."""
        self.install_by_forge(True, installedLifecycle=False)

    def upgrade_by_forge(self, **fields: Any) -> None:
        _accepted(self.simulator.forge(self.name, "upgrade", **fields))

    def uninstall_by_forge(self) -> None:
        _accepted(self.simulator.forge(self.name, "uninstall"))

    def tick(self) -> None:
        self.forge_calls("/forge/tick", simulated="tick")

    def forge_calls(self, path: str, simulated: str = "call", **fields: Any) -> None:
        """Any call of Forge's; `claims` and `headers` override its own."""
        sent = fields if simulated == "tick" else {"path": path, **fields}
        answer = self.simulator.forge(self.name, simulated, **sent)
        assert answer.status_code == 200, answer.text
        assert answer.json()["status"] == 204, answer.text

    def documents(self) -> list[dict[str, Any]]:
        """This site's entries in `GET /v1/sites`."""
        answer = self.relay.provider("GET", "/v1/sites")
        assert answer.status == 200, answer.body
        cloud_id, client_key = self.facts["cloudId"], self.client_key
        return [
            document
            for document in answer.json()["sites"]
            if document.get("cloudId") == cloud_id or document.get("clientKey") == client_key
        ]

    def document(self) -> dict[str, Any]:
        (document,) = self.documents()
        return document

    @property
    def tenant(self) -> Tenant:
        """The site's only tenant."""
        return self.relay.tenants.existing(self.document()["id"])

    def jira(self) -> JiraSite:
        facts = self.facts
        site = Site(facts["clientKey"], facts["baseUrl"], facts["sharedSecret"])
        return JiraSite(self.simulator, self.name, self.document()["id"], site)

    def link(self, workspace: str = "payments") -> None:
        put_link(self.relay, self.jira(), workspace)
        self.relay.run_replays()

    def switch(self, **switches: Any) -> None:
        self.simulator.switch(self.name, **switches)

    def calls(self) -> list[tuple[str, str, int]]:
        """The (operation, credential, status) of each call to the site's REST API."""
        return [
            (call["operation"], call["credential"], call["status"])
            for call in self.simulator.calls(self.name)
        ]

    def forget_calls(self) -> None:
        self.simulator.control("DELETE", "/calls").raise_for_status()


def _accepted(answer: httpx.Response) -> None:
    """Require that the simulator and Relay both accepted the call."""
    assert answer.status_code == 200, answer.text
    calls = answer.json().get("calls", [])
    assert all(200 <= call["status"] < 300 for call in calls), answer.text


def new_site(relay: Relay, simulator: Simulator) -> TwofoldSite:
    name = new_name()
    simulator.create(name)
    return TwofoldSite(relay, simulator, name)


def relay_on_both(start: Start, simulator: Simulator, **variables: str) -> Relay:
    """Relay as the simulator reaches it under Connect and Forge, with two workspaces."""
    keys_url = f"{simulator.url}/forge/.well-known/jwks.json"
    variables = {"FORGE_APP_ID": FORGE_APP_ID, "FORGE_KEYS_URL": keys_url} | variables
    return start("payments", "search", simulator=simulator, **variables)
