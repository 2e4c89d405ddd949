"""Documents of sites and of their replays, for the operations tool: in and out."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Literal, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from relay.edge.documents import parsed
from relay.edge.paging import page_document
from relay.edge.wiring import SiteParts
from relay.entities.fields import DateTime, Document, WorkspaceId
from relay.identity.caller import Request
from relay.tenants.replay import Replay, ReplayScope
from relay.tenants.tenant import Tenant, TenantState
from relay.tenants.troubles import Trouble

# The troubles in which a site, or what is in its place, does not let this installation call.
REFUSED_CALLS = frozenset({"credential_refused", "access_refused", "nothing_there", "moved"})


class ReplayRequest(Document):
    """Which entities to bring to the site."""

    what: Literal["owed", "all"] = "owed"
    """`owed`, unless given: what the site has not answered for. `all`: all that the workspace
    holds, whatever the site has."""
    since: DateTime | None = None
    """Beside what is owed, also what was recorded since then. Not with `all`."""
    workspaceId: WorkspaceId | None = None
    """The workspace; all that are linked to the site without it."""

    @model_validator(mode="after")
    def _since_belongs_to_owed(self) -> Self:
        if self.since and self.what == "all":
            raise PydanticCustomError("since_of_all", "`all` leaves nothing for `since` to choose")
        return self

    @property
    def wanted(self) -> ReplayScope:
        return ReplayScope.SINCE if self.since else ReplayScope(self.what)


class MoveRequest(Document):
    """Where the links go."""

    to: str
    """The id of the site that takes the other's place."""


def replay_request(request: Request) -> ReplayRequest:
    return parsed(ReplayRequest, request, "a request for a replay")


def move_request(request: Request) -> MoveRequest:
    return parsed(MoveRequest, request, "a request to move links")


class SiteDocuments:
    def __init__(self, parts: SiteParts, region: str) -> None:
        self._region = region
        self._tenants = parts.tenants
        self._links = parts.links
        self._troubles = parts.troubles
        self._access = parts.access

    def page(self, after: str, limit: int) -> dict[str, Any]:
        """A page of sites, without those that became one with another."""
        ids = self._tenants.ids(after, limit)
        documents = (
            (tenant.id, self.of(tenant))
            for tenant in map(self._tenants.get, ids)
            if tenant and tenant.merged_into is None
        )
        return page_document("sites", documents, ids[-1] if len(ids) == limit else None)

    def of(self, tenant: Tenant) -> dict[str, Any]:
        uninstalled = tenant.state is TenantState.UNINSTALLED
        trouble = None if uninstalled else self._troubles.of(tenant.id)
        document: dict[str, Any] = {
            "id": tenant.id,
            "clientKey": tenant.client_key,
            "baseUrl": tenant.base_url,
            # Forge's token proves it; under Connect a site could claim any.
            "cloudId": tenant.forge and tenant.forge.cloud_id,
            "installationId": tenant.forge and tenant.forge.installation_id,
            "state": state_of(tenant, trouble),
            "installedAt": tenant.installed_at.isoformat(),
            "region": self._region,
            "trouble": trouble and trouble_document(trouble),
            "credential": self._credential(tenant),
            "supersededBy": self._successor(tenant, trouble),
        }
        return {name: value for name, value in document.items() if value is not None}

    def _credential(self, tenant: Tenant) -> dict[str, Any] | None:
        """Which of its identities the site is called as, and why where it is not the usual one."""
        found = self._access.in_use(tenant)
        if found is None:
            return None
        identity, choice = found
        because = {"because": choice.because, "at": moment(choice.at)} if choice else {}
        return {"inUse": identity.value, **because}

    def _successor(self, tenant: Tenant, trouble: Trouble | None) -> str | None:
        """The newest installation of the same base URL, as long as links are left to be moved. A
        site that still answers is not superseded: any site may claim its URL."""
        if tenant.merged_into is not None:
            return tenant.merged_into
        is_gone = trouble is not None and trouble.code in REFUSED_CALLS
        if tenant.state is TenantState.ACTIVE and not is_gone:
            return None
        newer = [
            other
            for other in self._tenants.find_by_base_url(tenant.base_url)
            if other.base_url == tenant.base_url
            and other.state is TenantState.ACTIVE
            and other.installed_at > tenant.installed_at
        ]
        newest = max(newer, key=lambda other: other.installed_at, default=None)
        return newest.id if newest and self._links.workspaces_of(tenant.id) else None


def replay_page(replays: Iterable[Replay], now: int, limit: int = 0) -> dict[str, Any]:
    """A page of replays, of which there are `limit` unless it is the last; or, without a limit, as
    many of them as one answer holds."""
    found = list(replays)
    documents = ((replay.workspace_id, replay_document(replay, now)) for replay in found)
    following = found[-1].workspace_id if limit and len(found) == limit else None
    return page_document("replays", documents, following)


def replay_document(replay: Replay, now: int) -> dict[str, Any]:
    """`now` is in epoch milliseconds."""
    seconds = (replay.updated_at - replay.started_at) / 1000
    document: dict[str, Any] = {
        "workspaceId": replay.workspace_id,
        "state": _progress(replay, now),
        "what": "owed" if replay.scope is ReplayScope.DEBTS else replay.scope.value,
        "since": replay.since,
        "why": replay.why,
        "startedAt": moment(replay.started_at),
        "updatedAt": moment(replay.updated_at),
        "endedAt": moment(replay.ended_at),
        "done": replay.done,
        "refused": replay.refused,
        "total": replay.total,
        "remaining": None if replay.total is None else max(replay.total - replay.done, 0),
        "perSecond": round(replay.done / seconds, 1) if replay.done and seconds else None,
        "reason": None if replay.is_done else replay.reason,
        "until": _until(replay, now),
    }
    return {name: value for name, value in document.items() if value is not None}


def state_of(tenant: Tenant, trouble: Trouble | None) -> str:
    if tenant.state is TenantState.UNINSTALLED:
        return "uninstalled"
    if trouble is None:
        return "active"
    return "needs attention" if trouble.needs_attention else "slowed"


def _until(replay: Replay, now: int) -> str | None:
    if replay.is_done:
        return moment(replay.again or None)
    return moment(replay.due) if replay.due > now else None


def trouble_document(trouble: Trouble) -> dict[str, Any]:
    document = {
        "code": trouble.code,
        "message": trouble.message,
        "since": moment(trouble.since),
        "at": moment(trouble.at),
        "until": moment(trouble.until),
        "attempts": trouble.attempts,
        "status": trouble.status,
    }
    return {name: value for name, value in document.items() if value is not None}


def _progress(replay: Replay, now: int) -> str:
    if replay.is_done:
        return "done"
    return "running" if replay.leased > now else "waiting"


def moment(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")
