"""Documents of sites and of their replays: requests parsed, answers built."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from relay.catalog.erasure import Erasure
from relay.edge.answer import page_of, present
from relay.edge.documents import parsed
from relay.edge.wiring import SiteParts
from relay.entities.fields import DateTime, Document, WorkspaceId
from relay.entities.moment import date_time_of
from relay.identity.caller import Request
from relay.keys import erased_site
from relay.tenants.replay import Replay, ReplayScope
from relay.tenants.tenant import Tenant, TenantState
from relay.tenants.troubles import Trouble

if TYPE_CHECKING:
    from relay.edge.shapes import replays, sites

# The troubles in which a site, or whatever replaced it, refuses this installation's calls.
REFUSED_CALLS = frozenset({"credential_refused", "access_refused", "nothing_there", "moved"})


class ReplayRequest(Document):
    """The entities to deliver to the site."""

    what: Literal["owed", "all"] = "owed"
    """`owed` (the default): what the site has not answered for. `all`: everything that the
    workspace holds, whatever the site has."""
    since: DateTime | None = None
    """Also deliver what was recorded since then, in addition to what is owed. Not with `all`."""
    workspaceId: WorkspaceId | None = None
    """The workspace; by default every workspace that is linked to the site."""

    @model_validator(mode="after")
    def _since_belongs_to_owed(self) -> Self:
        if self.since and self.what == "all":
            raise PydanticCustomError("since_of_all", "`since` can't be combined with `all`")
        return self

    @property
    def wanted(self) -> ReplayScope:
        return ReplayScope.SINCE if self.since else ReplayScope(self.what)


class MoveRequest(Document):
    """The target of a move."""

    to: str
    """The id of the site that replaces the other one."""


def replay_request(request: Request) -> ReplayRequest:
    """Raises BadRequest, TooLarge, UnsupportedMedia."""
    return parsed(ReplayRequest, request, "a replay request")


def move_request(request: Request) -> MoveRequest:
    """Raises BadRequest, TooLarge, UnsupportedMedia."""
    return parsed(MoveRequest, request, "a move request")


class SiteDocuments:
    """Sites as a key for all workspaces sees them. `region` is the AWS region of the data."""

    def __init__(self, parts: SiteParts, region: str) -> None:
        self._region = region
        self._tenants = parts.tenants
        self._links = parts.links
        self._troubles = parts.troubles
        self._parts = parts

    def page(self, after: str, limit: int) -> "sites.SitePage":
        """A page of sites, without those that were merged into another."""
        ids = self._tenants.ids(after, limit)
        documents = (
            (tenant.id, self.of(tenant))
            for tenant in map(self._tenants.get, ids)
            if tenant and tenant.merged_into is None
        )
        page, following = page_of(documents, ids[-1] if len(ids) == limit else None)
        document: sites.SitePage = {"sites": page, "next": following}
        return present(document)

    def of(self, tenant: Tenant) -> "sites.Site":
        """One site."""
        uninstalled = tenant.state is TenantState.UNINSTALLED
        trouble = None if uninstalled else self._troubles.of(tenant.id)
        document: sites.Site = {
            "id": tenant.id,
            "clientKey": tenant.client_key,
            "baseUrl": tenant.base_url,
            # Forge's token proves it; under Connect a site could claim any.
            "cloudId": tenant.forge.cloud_id if tenant.forge else None,
            "installationId": tenant.forge.installation_id if tenant.forge else None,
            "state": site_state(tenant, trouble),
            "installedAt": tenant.installed_at.isoformat(),
            "region": self._region,
            "trouble": trouble_document(trouble) if trouble else None,
            "credential": self._credential(tenant),
            "supersededBy": self._successor(tenant, trouble),
        }
        return present(document)

    def _credential(self, tenant: Tenant) -> "sites.SiteCredential | None":
        """The identity that Relay uses, and the reason if it is not the usual one."""
        found = self._parts.access.in_use(tenant)
        if found is None:
            return None
        identity, choice = found
        document: sites.SiteCredential = {
            "inUse": identity.value,
            "because": choice.because if choice else None,
            "at": date_time_of(choice.at) if choice else None,
        }
        return present(document)

    def _successor(self, tenant: Tenant, trouble: Trouble | None) -> str | None:
        """The newest installation of the same base URL, while there are links to move. A site that
        still answers is not superseded: any site may claim its URL."""
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


def site_erasure_document(erasure: Erasure) -> "sites.SiteErasure":
    """The erasure of a site and its progress."""
    return {
        "site": erased_site(erasure.subject),
        "stage": erasure.stage.value,
        "startedAt": date_time_of(erasure.started_at),
        "updatedAt": date_time_of(erasure.updated_at),
        "deleted": erasure.deleted,
    }


def replay_page(some: Iterable[Replay], now: int, limit: int = 0) -> "replays.ReplayPage":
    """A page of replays; there are `limit` members unless it is the last page. Without a limit,
    the page has as many as one answer holds. `now` is in epoch milliseconds."""
    found = list(some)
    documents = ((replay.workspace_id, replay_document(replay, now)) for replay in found)
    is_full = limit and len(found) == limit
    page, following = page_of(documents, found[-1].workspace_id if is_full else None)
    document: replays.ReplayPage = {"replays": page, "next": following}
    return present(document)


def replay_document(replay: Replay, now: int) -> "replays.Replay":
    """One replay; `now` is in epoch milliseconds."""
    seconds = (replay.updated_at - replay.started_at) / 1000
    document: replays.Replay = {
        "workspaceId": replay.workspace_id,
        "state": _progress(replay, now),
        "what": "owed" if replay.scope is ReplayScope.DEBTS else replay.scope.value,
        "since": replay.since,
        "why": replay.why,
        "startedAt": date_time_of(replay.started_at),
        "updatedAt": date_time_of(replay.updated_at),
        "endedAt": None if replay.ended_at is None else date_time_of(replay.ended_at),
        "done": replay.done,
        "refused": replay.refused,
        "total": replay.total,
        "remaining": None if replay.total is None else max(replay.total - replay.done, 0),
        "perSecond": round(replay.done / seconds, 1) if replay.done and seconds else None,
        "reason": None if replay.is_done else replay.reason,
        "until": _until(replay, now),
    }
    return present(document)


def site_state(tenant: Tenant, trouble: Trouble | None) -> "sites.SiteState":
    """The site's state, as its trouble implies it."""
    if tenant.state is TenantState.UNINSTALLED:
        return "uninstalled"
    if trouble is None:
        return "active"
    return "needs attention" if trouble.needs_attention else "slowed"


def trouble_document(trouble: Trouble) -> "sites.SiteTrouble":
    """The trouble, with Jira's own words."""
    document: sites.SiteTrouble = {
        "code": trouble.code,
        "message": trouble.message,
        "since": date_time_of(trouble.since),
        "at": date_time_of(trouble.at),
        "until": date_time_of(trouble.until),
        "attempts": trouble.attempts,
        "status": trouble.status,
    }
    return present(document)


def _until(replay: Replay, now: int) -> str | None:
    if replay.is_done:
        return date_time_of(replay.again) if replay.again else None
    return date_time_of(replay.due) if replay.due > now else None


def _progress(replay: Replay, now: int) -> "Literal['waiting', 'running', 'done']":
    if replay.is_done:
        return "done"
    return "running" if replay.leased > now else "waiting"
