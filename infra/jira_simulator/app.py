"""The simulator as one ASGI application."""

from functools import cache
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from .apis import APIS
from .calls import Calls
from .control import Control, control_error
from .fault_control import FaultControl
from .faults import Faults
from .install_keys import InstallKey
from .lifecycle import Lifecycle
from .refusal import Refusal
from .rest import RestApi
from .settings import Settings
from .sites import Sites

if TYPE_CHECKING:
    from .pages import Pages

_ANY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def create_app(url: str, key: InstallKey, settings: Settings) -> Starlette:
    """`url` is where the application will be reached: the sites' base URLs begin with it."""
    sites, calls, faults = Sites(url, settings), Calls(), Faults()
    rest = RestApi(sites, settings, calls, faults)
    control = Control(sites, settings, calls, Lifecycle(key))
    fault_control = FaultControl(sites, faults)

    async def public_key(request: Request) -> Response:
        if request.path_params["kid"] != key.kid:
            return PlainTextResponse("There is no such install key.", 404)
        return PlainTextResponse(key.public_pem)

    @cache
    def pages() -> "Pages":
        # Jinja and Markdown load with the first page: nobody waits for them at start.
        from .pages import Pages

        return Pages(sites, url)

    async def index(request: Request) -> Response:
        return pages().index(request)

    async def site(request: Request) -> Response:
        return pages().site(request)

    async def style(request: Request) -> Response:
        return pages().style(request)

    return Starlette(
        routes=[
            Route("/install-keys/{kid}", public_key),
            Mount("/_control", routes=[*control.routes(), *fault_control.routes()]),
            *(
                Route(f"/sites/{{name}}{api.path}/{{rest:path}}", rest.answer, methods=_ANY_METHOD)
                for api in APIS
            ),
            Route("/", index),
            Route("/sites/{name}", site),
            Route("/assets/page.css", style),
        ],
        exception_handlers={Refusal: control_error},
    )
