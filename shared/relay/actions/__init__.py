"""What Jira asks for, answered for the verified site alone."""

from relay.actions.associations import Associations, Notice
from relay.actions.reviewing import Reviewing, review_url
from relay.actions.site_catalog import SiteCatalog

__all__ = ["Associations", "Notice", "Reviewing", "SiteCatalog", "review_url"]
