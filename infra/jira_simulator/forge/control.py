"""The part of the control endpoint that triggers Forge's calls and an admin's actions."""

from dataclasses import replace
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..apis import APIS, PLATFORM
from ..app_calls import AppAnswer
from ..control_body import body_rule, read_body
from ..lifecycle import Installation
from ..settings import Settings
from ..sites import Site, Sites
from .endpoints import any_endpoint
from .installation import ForgeInstallation, NativePage
from .keys import ForgeKeys
from .migration import HOOKS, REGIONS
from .platform import ConnectPart, ForgePlatform
from .remote import RemoteCall
from .system_tokens import SystemTokens

ALL_SCOPES = frozenset(
    {"read:app-system-token", f"read:{PLATFORM.resource}"}
    | {
        f"{verb}:{api.resource}"
        for verb in ("read", "write", "delete")
        for api in APIS
        if api.resource
    }
)
_FIRST_VERSION = "1.0.0"

_URL = {"type": "string", "pattern": "^https?://"}
_REMOTE_URL = {
    "type": "string",
    "pattern": r"^https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?(/[!-~]*)?\Z",
}
_BOOLEAN = {"type": "boolean"}
_APP_ID = {
    "type": "string",
    "pattern": r"^ari:cloud:ecosystem::app/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z",
}
_STRINGS = {"type": "object", "additionalProperties": {"type": "string"}}
_CHANGES: dict[str, Any] = {
    "remoteUrl": _REMOTE_URL,
    "connect": _BOOLEAN,
    "scopes": {"type": "array", "items": {"type": "string"}},
    "appVersion": {"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+\Z"},
    "descriptorUrl": _URL,
    "installedLifecycle": _BOOLEAN,
    "newSecret": _BOOLEAN,
    "adminPage": {
        "type": "object",
        "additionalProperties": False,
        "required": ["title", "resource"],
        "properties": {"title": {"type": "string"}, "resource": {"type": "string"}},
    },
}
_INSTALL = body_rule(
    "appId",
    "remoteUrl",
    "connect",
    properties={
        "appId": _APP_ID,
        "environment": {"enum": ["DEVELOPMENT", "STAGING", "PRODUCTION"]},
        **_CHANGES,
    },
)
_UPGRADE = body_rule(properties=_CHANGES)
_EMPTY = body_rule(properties={})
_CALL = body_rule(
    "path",
    properties={
        "path": {"type": "string", "pattern": "^/"},
        "method": {"enum": ["GET", "POST", "PUT", "PATCH", "DELETE"]},
        "body": {},
        "query": _STRINGS,
        "claims": {"type": "object"},
        "headers": {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
    },
)
_MIGRATION = body_rule(
    "call",
    properties={
        "call": {"enum": list(HOOKS)},
        "migrationId": {"type": ["integer", "string"]},
        "location": {"enum": list(REGIONS)},
    },
)
_ROTATION = body_rule(properties={"keepOld": _BOOLEAN})


class ForgeControl:
    """The handlers of Forge's control calls; the README describes each."""

    def __init__(
        self, sites: Sites, settings: Settings, keys: ForgeKeys, platform: ForgePlatform
    ) -> None:
        self._sites = sites
        self._settings = settings
        self._keys = keys
        self._platform = platform

    def routes(self) -> list[Route]:
        """The routes, relative to `/_control`."""
        site = "/sites/{name}/forge"
        return [
            Route(f"{site}/install", self.install, methods=["POST"]),
            Route(f"{site}/upgrade", self.upgrade, methods=["POST"]),
            Route(f"{site}/uninstall", self.uninstall, methods=["POST"]),
            Route(f"{site}/tick", self.tick, methods=["POST"]),
            Route(f"{site}/call", self.call, methods=["POST"]),
            Route(f"{site}/migration", self.migrate, methods=["POST"]),
            Route(f"{site}/tokens", self.expire_tokens, methods=["DELETE"]),
            Route("/forge/keys", self.get_keys, methods=["GET"]),
            Route("/forge/keys", self.rotate_keys, methods=["POST"]),
        ]

    async def install(self, request: Request) -> Response:
        """Installs a Forge app, or moves a Connect app to Forge; 502 if the app refused."""
        site, body = self._site(request), await read_body(request, _INSTALL)
        installation = ForgeInstallation(
            remote_url=body["remoteUrl"],
            connect=body["connect"],
            scopes=frozenset(body.get("scopes", ALL_SCOPES)),
            app_version=body.get("appVersion", _FIRST_VERSION),
            admin_page=_admin_page(body),
            app_id=body["appId"],
            tokens=SystemTokens(self._settings),
            environment_type=body.get("environment", "PRODUCTION"),
        )
        return _installed(
            site, await self._platform.install(site, installation, _connect_part(body))
        )

    async def upgrade(self, request: Request) -> Response:
        """Upgrades to a new major version; 409 without a Forge app, 502 if the app refused."""
        site, body = self._site(request), await read_body(request, _UPGRADE)
        old = site.forge_installation()
        installation = replace(
            old,
            remote_url=body.get("remoteUrl", old.remote_url),
            connect=body.get("connect", old.connect),
            scopes=frozenset(body.get("scopes", old.scopes)),
            app_version=body.get("appVersion", _next_major(old.app_version)),
            admin_page=_admin_page(body) or old.admin_page,
        )
        return _installed(
            site, await self._platform.upgrade(site, installation, _connect_part(body))
        )

    async def uninstall(self, request: Request) -> Response:
        """Uninstalls the Forge app, whatever its remote answers; 409 without one."""
        site = self._site(request)
        await read_body(request, _EMPTY)
        answers = await self._platform.uninstall(site)
        return JSONResponse(_document(site, answers))

    async def tick(self, request: Request) -> Response:
        """Calls the hourly trigger."""
        site = self._site(request)
        await read_body(request, _EMPTY)
        return _answered(await self._platform.tick(site))

    async def call(self, request: Request) -> Response:
        """Calls any path of the remote."""
        site, body = self._site(request), await read_body(request, _CALL)
        call = RemoteCall(
            what="call",
            endpoint=any_endpoint(body["path"]),
            method=body.get("method", "POST"),
            body=body.get("body"),
            query=body.get("query", {}),
            claims=body.get("claims", {}),
            headers=body.get("headers", {}),
        )
        return _answered(await self._platform.call(site, call))

    async def migrate(self, request: Request) -> Response:
        """Calls one hook of a migration."""
        site, body = self._site(request), await read_body(request, _MIGRATION)
        return _answered(
            await self._platform.migrate(
                site, body["call"], body.get("migrationId"), body.get("location", "EU")
            )
        )

    async def expire_tokens(self, request: Request) -> Response:
        """Revokes all system tokens issued so far."""
        self._site(request).forge_installation().tokens.expire()
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def get_keys(self, _: Request) -> Response:
        """The ids of the keys, newest last."""
        return JSONResponse({"kids": self._keys.kids()})

    async def rotate_keys(self, request: Request) -> Response:
        """Creates a new signing key and returns the ids of all keys."""
        body = await read_body(request, _ROTATION)
        self._keys.rotate(body.get("keepOld", True))
        return JSONResponse({"kids": self._keys.kids()})

    def _site(self, request: Request) -> Site:
        return self._sites.get(request.path_params["name"])


def _admin_page(body: dict[str, Any]) -> NativePage | None:
    return NativePage(**body["adminPage"]) if "adminPage" in body else None


def _connect_part(body: dict[str, Any]) -> ConnectPart:
    return ConnectPart(
        descriptor_url=body.get("descriptorUrl"),
        installed_lifecycle=body.get("installedLifecycle", True),
        renew_secret=body.get("newSecret"),
    )


def _next_major(version: str) -> str:
    return f"{int(version.partition('.')[0]) + 1}.0.0"


def _installed(site: Site, installation: Installation) -> Response:
    """502 if the app refused a call. The document is the same, with the app's answers."""
    status = HTTPStatus.OK if installation.accepted else HTTPStatus.BAD_GATEWAY
    return JSONResponse(_document(site, installation.answers), status)


def _document(site: Site, answers: list[AppAnswer]) -> dict[str, Any]:
    return {"site": site.document(), "calls": [answer.document() for answer in answers]}


def _answered(answer: AppAnswer) -> Response:
    """200 with the remote's answer; 502 if there was none or a redirect."""
    status = HTTPStatus.OK if answer.error is None else HTTPStatus.BAD_GATEWAY
    return JSONResponse(answer.document(), status)
