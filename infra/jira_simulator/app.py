"""The simulator as one ASGI application."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from .admin.area import AdminAreas
from .apis import APIS
from .calls import Calls
from .control import Control, control_error
from .fault_control import FaultControl
from .faults import Faults
from .forge.control import ForgeControl
from .forge.keys import ForgeKeys
from .forge.platform import ForgePlatform
from .install_keys import InstallKey
from .lifecycle import Lifecycle
from .own_host import OwnHostOnly
from .refusal import Refusal
from .rest import RestApi
from .settings import Settings
from .sites import Sites

if TYPE_CHECKING:
    from .pages import Pages

_ASSET_FOLDER = Path(__file__).parent / "assets"
_ASSETS = {
    "page.css": "text/css",
    "admin.js": "text/javascript",
    "all.js": "text/javascript",
    "forge_bridge.js": "text/javascript",
}
_ANY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def create_app(url: str, key: InstallKey, settings: Settings) -> Starlette:
    """`url` is the application's own URL: the sites' base URLs start with it."""
    sites, calls, faults = Sites(url, settings), Calls(), Faults()
    rest = RestApi(sites, settings, calls, faults)
    lifecycle, forge_keys = Lifecycle(key), ForgeKeys()
    control = Control(sites, settings, calls, lifecycle)
    forge = ForgePlatform(forge_keys, settings, lifecycle)
    forge_control = ForgeControl(sites, settings, forge_keys, forge)
    fault_control = FaultControl(sites, faults)

    async def public_key(request: Request) -> Response:
        if request.path_params["kid"] != key.kid:
            return PlainTextResponse("There is no such install key.", 404)
        return PlainTextResponse(key.public_pem)

    async def forge_key_set(_: Request) -> Response:
        return JSONResponse(forge_keys.key_set())

    @cache
    def pages() -> "Pages":
        # Jinja and Markdown are imported for the first page only, which keeps the start fast.
        from .pages import Pages

        return Pages(sites, url)

    async def index(request: Request) -> Response:
        return pages().index(request)

    async def site(request: Request) -> Response:
        return pages().site(request)

    async def asset(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _ASSETS:
            return PlainTextResponse("There is no such asset.", 404)
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return FileResponse(_ASSET_FOLDER / name, media_type=_ASSETS[name], headers=headers)

    return Starlette(
        routes=[
            Route("/install-keys/{kid}", public_key),
            Route("/forge/.well-known/jwks.json", forge_key_set),
            Mount(
                "/_control",
                routes=[*control.routes(), *fault_control.routes(), *forge_control.routes()],
                middleware=[Middleware(OwnHostOnly, url)],
            ),
            *(
                Route(f"{site_path}{api.path}/{{rest:path}}", answer, methods=_ANY_METHOD)
                for site_path, answer in (
                    ("/sites/{name}", rest.answer),
                    ("/ex/jira/{cloud_id}", rest.answer_at_gateway),
                )
                for api in APIS
            ),
            Route("/", index),
            Route("/sites/{name}", site),
            *AdminAreas(sites, forge, pages, url).routes(),
            Route("/assets/{name}", asset),
        ],
        exception_handlers={Refusal: control_error},
    )
