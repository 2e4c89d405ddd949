"""The admin area over HTTP: the page with its frame, and what the frame asks Jira for."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..control_body import body_rule, read_body
from ..descriptor import AdminPage
from ..forge.platform import ForgePlatform
from ..own_host import OwnHostOnly
from ..sites import Site, Sites
from .connect_page import context_token, first_url
from .native_page import KEY as NATIVE
from .native_page import NativeHost, request_remote
from .visitors import Theme, Visit, Visitor

if TYPE_CHECKING:
    from ..pages import Pages

_CALL = body_rule(
    "method",
    "path",
    properties={
        "method": {"enum": ["GET", "POST", "PUT", "DELETE"]},
        "path": {"type": "string", "pattern": "^/"},
        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
        "body": {},
    },
)
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'; frame-src {origin}"
)


class AdminAreas:
    """The handlers of `/sites/{name}/admin*`, for the simulator's own host only: they return
    tokens."""

    def __init__(
        self, sites: Sites, platform: ForgePlatform, pages: "Callable[[], Pages]", url: str
    ) -> None:
        self._sites = sites
        self._platform = platform
        self._pages = pages
        self._native = NativeHost(url)
        self._own_host = [Middleware(OwnHostOnly, url)]

    def routes(self) -> list[Route]:
        """The routes, relative to the simulator's URL."""
        area = "/sites/{name}/admin"
        routes: list[tuple[str, str, Callable[[Request], Any]]] = [
            ("GET", area, self.show),
            ("POST", f"{area}/token", self.issue_token),
            ("POST", f"{area}/request", self.request_remote),
            ("GET", f"{area}/native/{{path:path}}", self.native_file),
        ]
        return [
            Route(path, handler, methods=[method], middleware=self._own_host)
            for method, path, handler in routes
        ]

    async def show(self, request: Request) -> Response:
        """The area with one of the app's pages in a frame. Query: `page`, and those of a visit."""
        site, visit = self._visited(request)
        pages = _pages_of(site)
        wanted = request.query_params.get("page")
        shown = next((page for page in pages if page.key == wanted), pages[0] if pages else None)
        source = self._source(site, shown, visit) if shown else None
        return self._pages().render(
            "admin.html",
            headers={"Content-Security-Policy": _POLICY.format(origin=_origin(source))},
            site=site,
            visit=visit,
            pages=pages,
            shown=shown,
            source=source,
            choices=_choices(visit, shown),
        )

    async def issue_token(self, request: Request) -> Response:
        """What `AP.context.getToken()` gets, as `{"token"}`; 409 without a Connect app."""
        return JSONResponse({"token": context_token(*self._visited(request))})

    async def request_remote(self, request: Request) -> Response:
        """Sends the page's call to the Forge app's remote; the remote's status and body."""
        site, visit = self._visited(request)
        call = await read_body(request, _CALL)
        answer = await request_remote(self._platform, site, visit, call)
        return JSONResponse({"status": answer.status, "body": answer.body})

    async def native_file(self, request: Request) -> Response:
        """A file of the Forge app's own page."""
        site, _ = self._visited(request)
        return self._native.file(site, request.path_params["path"])

    def _visited(self, request: Request) -> tuple[Site, Visit]:
        site = self._sites.get(request.path_params["name"])
        return site, site.admin_area.visit(request.query_params)

    def _source(self, site: Site, page: AdminPage, visit: Visit) -> str:
        if page.key == NATIVE:
            return self._native.first_url(site)
        return first_url(site, page, visit)


def _pages_of(site: Site) -> list[AdminPage]:
    """The app's pages; a Forge app's own page comes first."""
    native = site.forge.admin_page if site.forge else None
    own = [AdminPage(NATIVE, native.title, "")] if native else []
    return [*own, *(site.app.pages if site.app else ())]


def _choices(visit: Visit, shown: AdminPage | None) -> list[dict[str, Any]]:
    """The links to the same page as another visitor, or in another theme."""
    of_page = {"page": shown.key} if shown else {}
    links = [
        ("As an admin", {"as": Visitor.ADMIN.value}),
        ("As another user", {"as": Visitor.USER.value}),
        ("Light", {"theme": Theme.LIGHT.value}),
        ("Dark", {"theme": Theme.DARK.value}),
    ]
    now = visit.document()
    return [
        {
            "name": name,
            "url": "?" + urlencode(now | of_page | change),
            "is_current": now | change == now,
        }
        for name, change in links
    ]


def _origin(url: str | None) -> str:
    if url is None:
        return "'none'"
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
