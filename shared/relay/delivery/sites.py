"""Which sites a workspace's entities go to, and the client that calls each."""

from dataclasses import dataclass

import httpx

from relay.jira import ConnectCredential, JiraClient
from relay.tenants import LinkStore, Tenant, TenantState, TenantStore


@dataclass(frozen=True, slots=True)
class Site:
    tenant: Tenant
    jira: JiraClient


class Sites:
    def __init__(
        self, tenants: TenantStore, links: LinkStore, http: httpx.Client, app_key: str
    ) -> None:
        self._tenants = tenants
        self._links = links
        self._http = http
        self._app_key = app_key

    def linked_to(self, workspace_id: str) -> list[Tenant]:
        tenants = map(self._tenants.get, self._links.tenants_of(workspace_id))
        return [tenant for tenant in tenants if tenant]

    def of(self, tenant: Tenant) -> Site | None:
        """The site of a tenant; None where it has uninstalled the app, and all is owed.

        Raises Unavailable, or an AWS error, where its secret can't be read.
        """
        secret = self._tenants.secret_of(tenant)
        if secret is None or tenant.state is not TenantState.ACTIVE:
            return None
        credential = ConnectCredential(self._app_key, tenant.client_key, tenant.base_url, secret)
        return Site(tenant, JiraClient(self._http, tenant.base_url, credential))
