"""What Jira asks for, answered for the verified site alone."""

from relay.actions.associations import Associations, Notice
from relay.actions.forge_lifecycle import ForgeLifecycle, forge_http_client
from relay.actions.residency import Residency
from relay.actions.reviewing import Reviewing, review_url
from relay.actions.site_catalog import SiteCatalog

__all__ = [
    "Associations",
    "ForgeLifecycle",
    "Notice",
    "Residency",
    "Reviewing",
    "SiteCatalog",
    "forge_http_client",
    "review_url",
]
