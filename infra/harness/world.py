"""The sites and workspaces of a run, their links, and the calls that change them."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

from infra.harness.invoker import Answer, Invoker
from infra.harness.stage import Stage
from relay.entities.model import EntityKey


@dataclass
class Site:
    """A site of the simulator; `id` is its id in Relay, `linked` its linked workspaces."""

    name: str
    id: str = ""
    linked: set[str] = field(default_factory=set)


class World:
    """The calls of a Jira admin and of an operator; methods return whether the call succeeded."""

    def __init__(self, stage: Stage, invoker: Invoker) -> None:
        self.sites: list[Site] = []
        self._stage = stage
        self._invoker = invoker
        self._descriptor = f"{stage.listener.url}/atlassian-connect.json"

    def create(self, name: str) -> Site:
        """Creates a site, installs the app and returns the site with its id in Relay."""
        self._stage.jira.create_site(name)
        site = Site(name)
        self.install(site)
        site.id = next(
            one["id"]
            for one in self._call("links", "GET", "/v1/sites").document["sites"]
            if one["baseUrl"].endswith(f"/{name}")
        )
        self.sites.append(site)
        return site

    def put_workspace(self, workspace_id: str) -> None:
        """Creates or updates a workspace, named after its id."""
        document = {"name": workspace_id, "url": f"https://ops.example.com/{workspace_id}"}
        self._call("workspaces", "PUT", f"/v1/workspaces/{workspace_id}", document)

    # --- In Jira ---

    def install(self, site: Site, **options: Any) -> bool:
        """Installs or reinstalls the app; `options` are fields of the control call."""
        body = {"descriptorUrl": self._descriptor, **options}
        return self._control("POST", f"/sites/{site.name}/install", body)

    def uninstall(self, site: Site) -> bool:
        """Uninstalls the app."""
        return self._control("POST", f"/sites/{site.name}/uninstall")

    def forget(self, site: Site, keep_sequences: bool) -> bool:
        """Deletes all entities and links of the site, without a call to the app."""
        body = {"keepSequences": keep_sequences}
        return self._control("POST", f"/sites/{site.name}/forget", body)

    def remember_sequences(self, remembered: bool) -> None:
        """Sets whether sites remember the sequences of deleted entities."""
        handling = "remembered" if remembered else "forgotten"
        self._stage.jira.set(sequencesAfterDeletion=handling)

    def fail(self, site: Site | None, faults: list[dict[str, Any]], seed: int = 0) -> None:
        """Sets the faults of this site, or with None of all sites; an empty list ends them."""
        path = f"/sites/{site.name}/faults" if site else "/faults"
        self._control("PUT", path, {"seed": seed, "faults": faults})

    # --- In Relay ---

    def link(self, site: Site, workspace_id: str) -> bool:
        """Links a workspace to the site."""
        done = self._done("links", "PUT", f"/v1/sites/{site.id}/workspaces/{workspace_id}")
        if done:
            site.linked.add(workspace_id)
        return done

    def unlink(self, site: Site, workspace_id: str) -> bool:
        """Unlinks a workspace from the site."""
        done = self._done("links", "DELETE", f"/v1/sites/{site.id}/workspaces/{workspace_id}")
        if done:
            site.linked.discard(workspace_id)
        return done

    def replay(self, site: Site, **request: Any) -> bool:
        """Starts a replay of the site; `request` is the body."""
        return self._done("replays", "POST", f"/v1/sites/{site.id}/replay", request)

    def submit(self, workspace_id: str, body: dict[str, Any]) -> bool:
        """Submits entities. Raises RuntimeError if Relay rejects one."""
        answer = self._call(
            "submissions", "POST", f"/v1/workspaces/{workspace_id}/submissions", body
        )
        if answer.status == 202 and answer.document["rejected"]:
            raise RuntimeError(f"A submission of the run was rejected: {answer.document}")
        return answer.status == 202

    def delete(self, workspace_id: str, path: str) -> bool:
        """Deletes by a path below the workspace's, which may have a query."""
        return self._done("entities", "DELETE", f"/v1/workspaces/{workspace_id}/{path}")

    def recorded(self, workspace_id: str, key: EntityKey) -> int | None:
        """The recorded sequence of an entity; None if it is not recorded."""
        path = f"/v1/workspaces/{workspace_id}/{key.kind.plural}/{quote(key.id)}"
        answer = self._call("entities", "GET", path)
        return answer.document.get("updateSequenceNumber") if answer.status == 200 else None

    def _done(self, function: str, method: str, path: str, body: Any = None) -> bool:
        return self._call(function, method, path, body).status < 300

    def _call(self, function: str, method: str, path: str, body: Any = None) -> Answer:
        return self._invoker.call(function, method, path, body)

    def _control(self, method: str, path: str, body: Any = None) -> bool:
        answer = self._stage.jira.http.request(method, path, json=body)
        if answer.status_code >= 400 and answer.status_code != httpx.codes.BAD_GATEWAY:
            answer.raise_for_status()
        return answer.is_success
