"""The part of the control endpoint that sets and ends faults."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .faults import Faults
from .json_body import parse_json
from .sites import Site, Sites

_PATHS = ("/faults", "/sites/{name}/faults")


class FaultControl:
    """The same three calls for the list of all sites and for a site's own."""

    def __init__(self, sites: Sites, faults: Faults) -> None:
        self._sites = sites
        self._faults = faults

    def routes(self) -> list[Route]:
        """The routes, relative to `/_control`."""
        handlers = {"GET": self.get, "PUT": self.replace, "DELETE": self.end}
        return [
            Route(path, handler, methods=[method])
            for path in _PATHS
            for method, handler in handlers.items()
        ]

    async def get(self, request: Request) -> Response:
        """The current list, with its seed."""
        return JSONResponse(self._faults.document(self._site(request)))

    async def replace(self, request: Request) -> Response:
        """Replaces the list and returns it; 400 for an invalid one, which changes nothing."""
        site = self._site(request)
        self._faults.set(site, parse_json(await request.body()))
        return JSONResponse(self._faults.document(site))

    async def end(self, request: Request) -> Response:
        """Ends all faults of the list."""
        self._faults.end(self._site(request))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def _site(self, request: Request) -> Site | None:
        name = request.path_params.get("name")
        return self._sites.get(name) if name is not None else None
