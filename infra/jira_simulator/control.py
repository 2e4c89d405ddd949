"""The control endpoint: lets a site's admin, a test or a demo control the simulator.

It has no authentication and returns shared secrets. That is acceptable for a tool that binds the
loopback interface, refuses calls from web pages (see `own_host`) and stores only invented data.
"""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .actions import call_action
from .calls import Calls
from .control_body import body_rule, read_body
from .json_body import parse_json
from .lifecycle import Lifecycle
from .refusal import Refusal
from .schemas import Kind
from .settings import Settings
from .sites import Site, Sites

_STRINGS = {"type": "array", "items": {"type": "string"}}


_CREATE = body_rule(
    "name",
    properties={
        "name": {"type": "string"},
        "projectKeys": _STRINGS,
        "clientKey": {"type": "string", "minLength": 1},
        "sharedSecret": {"type": "string", "minLength": 32},
    },
)
_INSTALL = body_rule(
    "descriptorUrl",
    properties={
        "descriptorUrl": {"type": "string", "pattern": "^https?://"},
        "newSecret": {"type": "boolean"},
    },
)
_CALL = body_rule(
    "action",
    properties={
        "action": {"type": "string"},
        "body": {},
        "query": {"type": "object", "additionalProperties": {"type": "string"}},
    },
)


_FORGET = body_rule(properties={"keepSequences": {"type": "boolean"}})


_USER = body_rule("admin", properties={"admin": {"type": "boolean"}})


class Control:
    """The handlers of `/_control/*`; errors are `{"error": "…"}`."""

    def __init__(
        self, sites: Sites, settings: Settings, calls: Calls, lifecycle: Lifecycle
    ) -> None:
        self._sites = sites
        self._settings = settings
        self._calls = calls
        self._lifecycle = lifecycle

    def routes(self) -> list[Route]:
        """The routes, relative to `/_control`."""
        return [
            Route("/sites", self.list_sites, methods=["GET"]),
            Route("/sites", self.create_site, methods=["POST"]),
            Route("/sites/{name}", self.get_site, methods=["GET"]),
            Route("/sites/{name}/admin", self.change_visit, methods=["PUT"]),
            Route("/sites/{name}/install", self.install, methods=["POST"]),
            Route("/sites/{name}/uninstall", self.uninstall, methods=["POST"]),
            Route("/sites/{name}/forget", self.forget, methods=["POST"]),
            Route("/sites/{name}/entities", self.get_entities, methods=["GET"]),
            Route("/sites/{name}/sequences", self.get_sequences, methods=["GET"]),
            Route("/sites/{name}/accepted", self.get_accepted, methods=["GET"]),
            Route("/sites/{name}/call", self.call_action, methods=["POST"]),
            Route("/sites/{name}/credentials", self.switch_credentials, methods=["PUT"]),
            Route("/sites/{name}/users/{account_id}", self.put_user, methods=["PUT"]),
            Route("/calls", self.get_calls, methods=["GET"]),
            Route("/calls", self.forget_calls, methods=["DELETE"]),
            Route("/settings", self.get_settings, methods=["GET"]),
            Route("/settings", self.change_settings, methods=["PUT"]),
        ]

    async def list_sites(self, _: Request) -> Response:
        """All sites, in the order of their creation."""
        return JSONResponse({"sites": [site.document() for site in self._sites.all()]})

    async def create_site(self, request: Request) -> Response:
        """201 with the new site; 400 and 409 as in `Sites.create`."""
        body = await read_body(request, _CREATE)
        site = self._sites.create(body["name"], body.get("projectKeys"))
        site.client_key = body.get("clientKey", site.client_key)
        site.shared_secret = body.get("sharedSecret", site.shared_secret)
        return JSONResponse(site.document(), HTTPStatus.CREATED)

    async def get_site(self, request: Request) -> Response:
        """The site, shared secret included; 404 for an unknown name, as in all of its calls."""
        return JSONResponse(self._site(request).document())

    async def change_visit(self, request: Request) -> Response:
        """Changes what a visit of the admin area is like, unless its URL says more."""
        area = self._site(request).admin_area
        area.usual = area.usual.changed(parse_json(await request.body()))
        return JSONResponse(area.document())

    async def install(self, request: Request) -> Response:
        """Answers 502 if the app refused it; the document has the app's answers in both cases."""
        site = self._site(request)
        body = await read_body(request, _INSTALL)
        installation = await self._lifecycle.install(
            site, body["descriptorUrl"], body.get("newSecret")
        )
        status = HTTPStatus.OK if installation.accepted else HTTPStatus.BAD_GATEWAY
        answers = [answer.document() for answer in installation.answers]
        return JSONResponse({"site": site.document(), "calls": answers}, status)

    async def uninstall(self, request: Request) -> Response:
        """Uninstalls the app. Answers 200 whatever the app answered."""
        site = self._site(request)
        answers = await self._lifecycle.uninstall(site)
        return JSONResponse(
            {"site": site.document(), "calls": [answer.document() for answer in answers]}
        )

    async def forget(self, request: Request) -> Response:
        """Deletes everything that the app sent, without a call to the app."""
        site = self._site(request)
        body = await read_body(request, _FORGET)
        site.store.forget(body.get("keepSequences"))
        return JSONResponse(site.document())

    async def get_entities(self, request: Request) -> Response:
        """Everything accepted; `pending` lists the ids of changes that are not visible yet."""
        entities = self._site(request).store.entities[_kind(request)]
        visible, latest = entities.visible, entities.latest
        return JSONResponse(
            {
                "entities": [held.entity for held in latest.values()],
                "properties": {key: held.properties for key, held in latest.items()},
                "products": {key: held.product for key, held in latest.items()},
                "pending": [key for key, held in latest.items() if visible.get(key) is not held],
            }
        )

    async def get_sequences(self, request: Request) -> Response:
        """The short form of all entities: id and sequence by kind, as accepted."""
        entities = self._site(request).store.entities
        return JSONResponse(
            {
                kind: {key: held.sequence for key, held in entities[kind].latest.items()}
                for kind in Kind
            }
        )

    async def get_accepted(self, request: Request) -> Response:
        """When the newest state of each incident was accepted, in epoch seconds, by id."""
        return JSONResponse(self._site(request).store.accepted_at)

    async def call_action(self, request: Request) -> Response:
        """200 with the app's answer, whatever its status; 502 if there was none."""
        site = self._site(request)
        body = await read_body(request, _CALL)
        answer = await call_action(site, body["action"], body.get("body"), body.get("query", {}))
        status = HTTPStatus.BAD_GATEWAY if answer.status is None else HTTPStatus.OK
        return JSONResponse(answer.document(), status)

    async def switch_credentials(self, request: Request) -> Response:
        """Switches credentials of the app on or off; see `Switches`."""
        switches = self._site(request).switches
        switches.merge(parse_json(await request.body()))
        return JSONResponse(switches.document())

    async def put_user(self, request: Request) -> Response:
        """A user of the site, with `{"admin": …}`: whether the user administers the site's Jira."""
        site = self._site(request)
        body = await read_body(request, _USER)
        site.users[request.path_params["account_id"]] = body["admin"]
        return JSONResponse({"users": site.users})

    async def get_calls(self, _: Request) -> Response:
        """The recorded calls of the REST APIs; see `Calls.document`."""
        return JSONResponse(self._calls.document())

    async def forget_calls(self, _: Request) -> Response:
        """Clears the recorded calls."""
        self._calls.forget()
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def get_settings(self, _: Request) -> Response:
        """The current settings."""
        return JSONResponse(self._settings.document())

    async def change_settings(self, request: Request) -> Response:
        """Changes the given settings and returns all of them."""
        self._settings.merge(parse_json(await request.body()))
        return JSONResponse(self._settings.document())

    def _site(self, request: Request) -> Site:
        return self._sites.get(request.path_params["name"])


def control_error(_: Request, error: Exception) -> Response:
    """Answers a Refusal with its status and any other error with 500, as `{"error": "…"}`."""
    status = error.status if isinstance(error, Refusal) else HTTPStatus.INTERNAL_SERVER_ERROR
    return JSONResponse({"error": str(error)}, status)


def _kind(request: Request) -> Kind:
    kind = request.query_params.get("kind", "")
    if kind not in set(Kind):
        raise Refusal(400, f"kind: must be one of {', '.join(Kind)}")
    return Kind(kind)
