"""Who is calling: one interface for every way to prove it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from relay.errors import Forbidden
from relay.tenants.lifecycle import LifecycleToken
from relay.tenants.tenant import Installation, Tenant


@dataclass(frozen=True, slots=True)
class ForgeCaller:
    """Forge itself, about one installation of the app; who clicked is not kept.

    `api_base_url` is where that site's Jira is called, without a slash at its end, and `cloud_id`
    is the site's. `system_token` is the credential for those calls, where Forge sent one: opaque,
    and good for hours.
    """

    installation_id: str
    cloud_id: str
    api_base_url: str
    app_version: str
    token: LifecycleToken
    system_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """What a verifier sees of a call.

    `raw_path` and `raw_query` are as they stood on the wire, the path relative to `base_url`,
    which is the app's own; header names are lower case; `body` is as it was sent.
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

    `installation` is there when the body brings all that an install needs; what it does not bring
    is in `missing`.
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
    """The operations tool, by an API key; `workspaces` is None for a key to all of them."""

    key_id: str
    workspaces: frozenset[str] | None

    def check_workspace(self, workspace_id: str) -> None:
        """Raises Forbidden where the key is not for this workspace."""
        if self.workspaces is not None and workspace_id not in self.workspaces:
            raise Forbidden(f"This API key is not for workspace {workspace_id!r}.")

    def check_all_workspaces(self) -> None:
        """Raises Forbidden unless the key is for all workspaces: links decide where data goes, and
        a site has other workspaces than one's own."""
        if self.workspaces is not None:
            raise Forbidden("This call needs an API key for all workspaces.")


CallerT_co = TypeVar("CallerT_co", covariant=True)


class Verifier(Protocol[CallerT_co]):
    def verify(self, request: Request) -> CallerT_co:
        """Raises Unauthenticated, with a reason for the log, unless the caller is proven."""
