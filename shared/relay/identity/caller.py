"""The callers that Relay knows, and the one interface of every verifier."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from relay.errors import Forbidden
from relay.tenants.lifecycle import LifecycleToken
from relay.tenants.tenant import Installation, Tenant

# Only Forge calls routes with this prefix: a site's Connect secret gives no access to them.
FORGE_PREFIX = "/forge/"
# Only the page inside Jira calls these.
PAGE_PREFIX = "/page/"


@dataclass(frozen=True, slots=True)
class ForgeCaller:
    """Forge itself, about one installation of the app.

    `api_base_url` is the base URL for calls to the site's Jira, without a trailing slash, and
    `cloud_id` is the site's. `system_token` is the opaque credential for these calls, valid for
    hours; None if Forge sent none. `account_id` is the user's if the page inside Jira
    calls, else None; it is not stored.
    """

    installation_id: str
    cloud_id: str
    api_base_url: str
    app_version: str
    token: LifecycleToken
    system_token: str | None = field(default=None, repr=False)
    account_id: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """The parts of a call that verifiers read.

    `base_url` is the app's own. `raw_path` and `raw_query` are not decoded, and the path is
    relative to `base_url`. Header names are lower case. `body` is unchanged.
    """

    method: str
    raw_path: str
    raw_query: str
    headers: Mapping[str, str]
    base_url: str
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class LifecycleCaller:
    """Jira itself, about one site: a verified `installed` or `uninstalled`.

    `installation` is None if the body lacks a field that an install needs; `missing` names those
    fields.
    """

    client_key: str
    token: LifecycleToken
    installation: Installation | None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SiteCaller:
    """A site that has the app installed."""

    tenant: Tenant


@dataclass(frozen=True, slots=True)
class ProviderCaller:
    """The operations tool. `workspaces` is None if its API key is valid for all of them."""

    key_id: str
    workspaces: frozenset[str] | None

    def check_workspace(self, workspace_id: str) -> None:
        """Raises Forbidden if the key is not valid for this workspace."""
        if self.workspaces is not None and workspace_id not in self.workspaces:
            raise Forbidden(f"This API key is not for workspace {workspace_id!r}.")

    def check_all_workspaces(self) -> None:
        """Raises Forbidden unless the key is valid for all workspaces.

        Links decide where data is sent, and a site also has other tools' workspaces.
        """
        if self.workspaces is not None:
            raise Forbidden("This call needs an API key for all workspaces.")


CallerT_co = TypeVar("CallerT_co", covariant=True)


class Verifier(Protocol[CallerT_co]):
    """Authenticates a call."""

    def verify(self, request: Request) -> CallerT_co:
        """The caller. Raises Unauthenticated, with a reason for the log, if it is not proven."""
