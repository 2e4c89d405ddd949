"""A Forge app's own page: static files, and calls to the remote for the user who sees them."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.responses import FileResponse, HTMLResponse, Response

from ..app_calls import AppAnswer
from ..forge.endpoints import page_call
from ..forge.platform import ForgePlatform
from ..forge.remote import RemoteCall
from ..refusal import Refusal
from ..sites import Site
from .visitors import Tokens, Visit

KEY = "native"
# The files name it where a Connect page has the URL of Atlassian's script.
_PLACEHOLDER = "{{all_js}}"
_BRIDGE = "/assets/forge_bridge.js"
_EXPIRED_SECONDS = 600


@dataclass(frozen=True)
class NativeHost:
    """Serves the files from an origin of their own, as Forge does; `url` is the simulator's."""

    url: str

    @property
    def origin(self) -> str:
        """The other name of the loopback interface, if the simulator listens there."""
        return self.url.replace("//127.0.0.1:", "//localhost:")

    def first_url(self, site: Site) -> str:
        """The URL of the page's HTML."""
        return f"{self.origin}/sites/{site.name}/admin/native/index.html"

    def file(self, site: Site, path: str) -> Response:
        """A file of the page, with Forge's policy. Raises a Refusal (404, 409)."""
        page = site.forge_installation().admin_page
        if page is None:
            raise Refusal(404, "The Forge app has no admin page.")
        folder = Path(page.resource).resolve()
        found = (folder / path).resolve()
        if not found.is_relative_to(folder) or not found.is_file():
            raise Refusal(404, f"The page has no file {path}.")
        headers = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": (
                "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
                "img-src 'self' data: blob:; connect-src 'self'; form-action 'self'; "
                f"frame-ancestors {self.url}"
            ),
        }
        if found.suffix != ".html":
            return FileResponse(found, headers=headers)
        return HTMLResponse(_with_bridge(found.read_text("utf-8")), headers=headers)


def _with_bridge(html: str) -> str:
    """Forge adds its bridge itself; files that are not built for Forge have a place for it."""
    if _PLACEHOLDER in html:
        return html.replace(_PLACEHOLDER, _BRIDGE)
    return html.replace("<script", f'<script src="{_BRIDGE}"></script><script', 1)


async def request_remote(
    platform: ForgePlatform, site: Site, visit: Visit, call: dict[str, Any]
) -> AppAnswer:
    """Sends a page's call with the visitor's invocation token.

    `call` is `{"method", "path", "headers"?, "body"?}`.
    """
    claims: dict[str, Any] = {"principal": site.admin_area.account_ids[visit.visitor]}
    if visit.tokens is Tokens.EXPIRED:
        issued = int(time.time()) - _EXPIRED_SECONDS
        claims |= {"iat": issued, "nbf": issued, "exp": issued + 25}
    return await platform.request_remote(
        site,
        RemoteCall(
            what="page",
            endpoint=page_call(call["path"]),
            method=call["method"],
            body=call.get("body"),
            headers=call.get("headers", {}),
            claims=claims,
        ),
    )
