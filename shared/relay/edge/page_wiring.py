"""The dependencies of the admin page's function: each is created at its first use."""

from functools import cached_property
from typing import TYPE_CHECKING

from relay.edge.wiring import ForgeParts, ReplayParts, SiteParts
from relay.secrets import NoSecrets
from relay.settings import PageSettings

if TYPE_CHECKING:
    from relay.actions.admin_page import AdminPage
    from relay.actions.page_entities import PageEntities
    from relay.actions.test_incidents import TestIncidents
    from relay.catalog.workspaces import WorkspaceStore
    from relay.identity.callback import CallbackVerifier
    from relay.identity.page import PageVerifier
    from relay.jira.permissions import Administrators
    from relay.provider.linking import WorkspaceLinker
    from relay.provider.unlinking import WorkspaceUnlinker
    from relay.record.store import RecordStore


class PageParts(ForgeParts, SiteParts):
    """Lazily built dependencies of the admin page."""

    # Forge waits 25 seconds for an answer, for which Jira may be asked who is an admin, and then to
    # change something. The page must learn which of the two failed.
    jira_seconds = 10

    def __init__(self, settings: PageSettings) -> None:
        super().__init__(settings)
        self._page = settings
        self.replay_parts = ReplayParts(self, settings.replays_queue)

    @cached_property
    def first_load(self) -> "CallbackVerifier":
        """Verifies Jira's call for the page itself."""
        from relay.identity.callback import CallbackVerifier

        return CallbackVerifier(self.tenants)

    @cached_property
    def user(self) -> "PageVerifier":
        """Verifies the page's calls."""
        from relay.identity.page import PageVerifier

        return PageVerifier(self.tenants, lambda: self.forge)

    @cached_property
    def administrators(self) -> "Administrators":
        from relay.jira.permissions import Administrators

        # Asked at each call of the page, so that the client of Jira is loaded at init.
        return Administrators(self.access.client_for)

    @cached_property
    def workspaces(self) -> "WorkspaceStore":
        from relay.catalog.workspaces import WorkspaceStore

        return WorkspaceStore(self.dynamodb, self._page.catalog_table)

    @cached_property
    def record(self) -> "RecordStore":
        from relay.record.store import RecordStore

        return RecordStore(self.dynamodb, self._page.record_table)

    @cached_property
    def admin_page(self) -> "AdminPage":
        from relay.actions.admin_page import AdminPage
        from relay.catalog.sources import SourceStore
        from relay.record.link_counts import LinkCounter

        return AdminPage(
            self.links,
            self.replays,
            self.workspaces,
            # The page shows no source's secret.
            SourceStore(self.dynamodb, self._page.catalog_table, NoSecrets()),
            self.record,
            LinkCounter(self.dynamodb, self._page.record_table),
        )

    @cached_property
    def entities(self) -> "PageEntities":
        from relay.actions.page_entities import PageEntities
        from relay.provider.tracking import EntityTracker
        from relay.record.associations import AssociationStore
        from relay.record.debts import DebtStore

        tracker = EntityTracker(
            self.record,
            AssociationStore(self.dynamodb, self._page.record_table),
            DebtStore(self.dynamodb, self._page.record_table),
            self.sites,
        )
        return PageEntities(self.record, tracker)

    @cached_property
    def linker(self) -> "WorkspaceLinker":
        from relay.provider.linking import WorkspaceLinker

        starter = self.replay_parts.starter
        return WorkspaceLinker(self.tenants, self.links, self.workspaces, self.sites, starter)

    @cached_property
    def unlinker(self) -> "WorkspaceUnlinker":
        from relay.edge.unlink_wiring import unlinker

        return unlinker(self, self.replay_parts, self._page.record_table)

    @cached_property
    def test_incidents(self) -> "TestIncidents":
        from relay.actions.test_incidents import TestIncidents
        from relay.catalog.containers import ContainerStore
        from relay.provider.deletions import EntityDeleter
        from relay.queues.submissions import SubmissionsQueue

        queue = SubmissionsQueue(self.sqs, self._page.submissions_queue)
        containers = ContainerStore(self.dynamodb, self._page.catalog_table)
        deleter = EntityDeleter(self.record, queue)
        return TestIncidents(self.workspaces, containers, queue, deleter)
