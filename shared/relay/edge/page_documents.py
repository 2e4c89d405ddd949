"""Documents of the admin page: requests parsed, answers built."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, cast

from relay.actions.admin_page import TEST_INCIDENT, AdminPage, LinkedWorkspace
from relay.actions.page_entities import Unsettled, UnsettledEntity, UnsettledPage
from relay.catalog.sources import Source
from relay.catalog.workspaces import Workspace
from relay.edge.advice import ADVICE
from relay.edge.answer import page_of, present
from relay.edge.documents import parsed
from relay.edge.entity_documents import cursor_of
from relay.edge.query import first_query_value
from relay.edge.site_documents import replay_document, site_state
from relay.entities.fields import TEXT_MAX, Document
from relay.entities.moment import date_time_of
from relay.errors import BadRequest, Detail
from relay.identity.caller import Request
from relay.sources.tool import tool_of
from relay.tenants.tenant import Tenant
from relay.tenants.troubles import Trouble, TroubleStore

if TYPE_CHECKING:
    from relay.delivery.access import SiteAccess
    from relay.edge.shapes import page as shapes

_STATES = ("owed", "refused")


class PageReplayRequest(Document):
    """The entities to deliver to the site."""

    what: Literal["owed", "all"]
    """`owed`: what the site has not answered for. `all`: everything that the workspace holds,
    whatever the site has."""


def page_replay_request(request: Request) -> PageReplayRequest:
    """Raises BadRequest, TooLarge, UnsupportedMedia."""
    return parsed(PageReplayRequest, request, "a replay request")


def unsettled_state(request: Request) -> Unsettled:
    """`state`. Raises BadRequest unless it is one of the two."""
    value = first_query_value(request, "state")
    if value not in _STATES:
        rule = Detail("state", "enum", "One of " + ", ".join(_STATES))
        raise BadRequest("`state` is missing or not a state of the page.", [rule])
    return cast(Unsettled, value)


def search_text(request: Request) -> str:
    """`query`; empty if it is absent. Raises BadRequest if it is longer than any summary."""
    value = (first_query_value(request, "query") or "").strip()
    if len(value) > TEXT_MAX:
        rule = Detail("query", "max_length", f"At most {TEXT_MAX} characters")
        raise BadRequest("`query` is too long.", [rule])
    return value


class PageDocuments:
    """The answers of the page's API. `version` is Relay's, `region` the AWS region of the data."""

    def __init__(
        self,
        page: AdminPage,
        troubles: TroubleStore,
        access: "SiteAccess",
        version: str,
        region: str,
    ) -> None:
        self._page = page
        self._troubles = troubles
        self._access = access
        self._version = version
        self._region = region

    def site(self, tenant: Tenant, now: int) -> "shapes.PageSite":
        """The site; `now` is in epoch milliseconds."""
        trouble = self._troubles.of(tenant.id)
        in_use = self._access.in_use(tenant)
        document: shapes.PageSite = {
            "baseUrl": tenant.base_url,
            "state": site_state(tenant, trouble),
            "connectedAs": in_use[0].value if in_use else None,
            "since": tenant.installed_at.isoformat(),
            "trouble": _trouble(trouble) if trouble else None,
            "version": self._version,
            "region": self._region,
            "workspaces": [_workspace(one, now) for one in self._page.linked(tenant)],
            "offers": [_offer(one) for one in self._page.offered(tenant)],
        }
        return present(document)


def entities_page(page: UnsettledPage) -> "shapes.PageEntities":
    """A page of entities."""
    documents = ((cursor_of(one.key), _entity(one)) for one in page.entities)
    members, following = page_of(documents, page.next and cursor_of(page.next))
    document: shapes.PageEntities = {"entities": members, "next": following}
    return present(document)


def test_incident() -> "shapes.TestIncident":
    """The test incident's id."""
    return {"id": TEST_INCIDENT.id}


def _trouble(trouble: Trouble) -> "shapes.PageTrouble":
    return {
        "code": trouble.code,
        "message": trouble.message,
        "advice": ADVICE[trouble.code],
        "since": date_time_of(trouble.since),
        "until": date_time_of(trouble.until),
    }


def _workspace(linked: LinkedWorkspace, now: int) -> "shapes.PageWorkspace":
    counts = linked.counts
    document: shapes.PageWorkspace = {
        "id": linked.id,
        "name": linked.name,
        "url": linked.url,
        "counts": {
            "shown": counts.shown,
            "owed": counts.owed,
            "refused": counts.refused,
            "isComplete": counts.is_complete,
        },
        "lastDeliveryAt": counts.last_answer_at or None,
        "sources": [_source(source) for source in linked.sources],
        "replay": replay_document(linked.replay, now) if linked.replay else None,
        "hasTestIncident": linked.has_test_incident,
    }
    return present(document)


def _source(source: Source) -> "shapes.PageSource":
    document: shapes.PageSource = {
        "id": source.id,
        "title": tool_of(source.kind).title,
        "lastDeliveryAt": source.last.at if source.last else None,
        "lastState": source.last.state if source.last else None,
    }
    return present(document)


def _offer(workspace: Workspace) -> "shapes.PageOffer":
    return {"id": workspace.id, "name": workspace.name, "url": workspace.url}


def _entity(one: UnsettledEntity) -> "shapes.PageEntity":
    outcome, at_site = one.at_site.outcome, one.at_site
    is_owed = at_site.state == "owed"
    at = at_site.owed_since if is_owed else outcome and outcome.at
    document: shapes.PageEntity = {
        "kind": one.key.kind,
        "id": one.key.id,
        "summary": one.summary,
        "url": one.url,
        "state": "owed" if is_owed else "refused",
        "messages": list(_messages(one)),
        "at": at or None,
    }
    return present(document)


def _messages(one: UnsettledEntity) -> Iterable[str]:
    at_site = one.at_site
    if at_site.state == "owed":
        return [at_site.reason] if at_site.reason else []
    outcome = at_site.outcome
    if outcome is None:
        return []
    unknown = [f"Jira has no project with the key {key}." for key in outcome.unknown_project_keys]
    return [*outcome.messages, *unknown]
