"""Guards of the admin page's calls: each route of its API begins with one of them.

Each raises Unauthenticated unless a user of the site calls, Forbidden unless the user is an admin
of the site's Jira, Unavailable if Jira does not say, and BadRequest for an unknown parameter.
"""

from dataclasses import dataclass

from relay.actions.admin_page import AdminPage
from relay.edge.documents import checked_workspace_id
from relay.edge.http import HttpFunction
from relay.identity.caller import Request
from relay.identity.page import PageVerifier
from relay.jira.permissions import Administrators
from relay.tenants.tenant import Tenant


@dataclass(frozen=True, slots=True)
class PageCalls:
    """Guards of the page's API."""

    function: HttpFunction
    verifier: PageVerifier
    administrators: Administrators
    page: AdminPage

    def by_admin(self) -> tuple[Tenant, Request]:
        """The admin's site, for routes that name no workspace."""
        caller, request = self.function.caller(self.verifier)
        self.administrators.check(caller.tenant, caller.account_id)
        return caller.tenant, request

    def of_linked(self, workspace_id: str) -> tuple[Tenant, Request]:
        """The same, for routes of a linked workspace. Raises NotFound if it is not linked."""
        tenant, request = self.by_admin()
        self.page.link(tenant, checked_workspace_id(workspace_id))
        return tenant, request

    def of_offered(self, workspace_id: str) -> tuple[Tenant, Request]:
        """The same, for routes of a workspace that is offered or linked. Raises NotFound."""
        tenant, request = self.by_admin()
        self.page.check_offered(tenant, checked_workspace_id(workspace_id))
        return tenant, request
