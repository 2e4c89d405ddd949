"""The HTML pages: all sites, and one site as Jira's Incidents page would show it."""

from collections.abc import Mapping
from datetime import UTC
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from .apis import APIS, OPERATIONS
from .formats import in_utc, parse_date_time
from .listing import (
    SEVERITIES,
    STATUSES,
    Filters,
    list_entities,
    naming,
    overview,
    severity_of,
    title_of,
)
from .markdown import is_web_url, render_markdown
from .schemas import Kind
from .sites import Site, Sites, State

_FOLDER = Path(__file__).parent

# No scripts, and nothing from other hosts: an entity's content stays text.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_STATUS_TONES = {
    "open": "attention",
    "resolved": "done",
    "in progress": "progress",
    "outstanding actions": "attention",
    "completed": "done",
}


_THINGS = {
    Kind.INCIDENT: "incidents",
    Kind.REVIEW: "post-incident reviews",
    Kind.COMPONENT: "components",
}
# A row lists the entities of this kind that name the row's entity.
_NAMED_BY = {Kind.INCIDENT: Kind.REVIEW, Kind.COMPONENT: Kind.INCIDENT}


class Pages:
    """Renders the pages from the sites' current state."""

    def __init__(self, sites: Sites, simulator_url: str) -> None:
        self._sites = sites
        self._simulator_url = simulator_url
        self._templates = _environment()

    def index(self, _: Request) -> Response:
        """The list of all sites."""
        sites = [(site, site.document()) for site in self._sites.all()]
        return self.render("index.html", sites=sites)

    def site(self, request: Request) -> Response:
        """One site's page; 404 with a page of its own for an unknown site."""
        name = request.path_params["name"]
        known = {site.name: site for site in self._sites.all()}
        if name not in known:
            return self.render("missing.html", 404, name=name)
        return self.render("site.html", **_site_context(known[name], request))

    def render(
        self,
        template: str,
        status: int = 200,
        headers: Mapping[str, str] = _HEADERS,
        **context: Any,
    ) -> Response:
        """A page from its template; `headers` replace the usual ones of the same name."""
        html = self._templates.get_template(template).render(
            simulator_url=self._simulator_url, **context
        )
        return HTMLResponse(html, status, {**_HEADERS, **headers})


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["moment"] = _moment
    environment.filters["markdown"] = render_markdown
    environment.filters["issues"] = _issues
    environment.filters["severity"] = severity_of
    environment.filters["title_of"] = title_of
    environment.filters["tone"] = _tone
    environment.tests["web_url"] = is_web_url
    return environment


def _site_context(site: Site, request: Request) -> dict[str, Any]:
    filters = Filters.of_query(request.query_params)
    listing = list_entities(site, filters)
    ids = [row["id"] for row in listing.rows]
    kind = filters.kind
    return {
        "site": site,
        "document": site.document(),
        "filters": filters,
        "listing": listing,
        "overview": overview(site),
        "named_by": naming(site, _NAMED_BY[kind], ids) if kind in _NAMED_BY else {},
        "known_incidents": site.store.entities[Kind.INCIDENT].visible,
        "known_components": site.store.entities[Kind.COMPONENT].visible,
        "things": _THINGS,
        "api": next(api for api in APIS if kind in api.kinds),
        "operations_module": OPERATIONS.module,
        "severities": SEVERITIES,
        "statuses": STATUSES[kind],
        "installed": site.state is State.INSTALLED,
    }


def _moment(text: str) -> str:
    """`12 Mar 2026, 14:05`, in UTC; the text itself if Python can't represent the date in UTC."""
    moment = in_utc(parse_date_time(text))
    return f"{moment.day} {moment:%b %Y, %H:%M}" if moment.tzinfo is UTC else text


def _issues(entity: dict[str, Any]) -> list[str]:
    return [
        value
        for association in entity.get("associations", [])
        if association["associationType"] == "issueIdOrKeys"
        for value in association["values"]
    ]


def _tone(status: str) -> str:
    return _STATUS_TONES.get(status, "neutral")
