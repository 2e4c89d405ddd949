"""Incident, PostIncidentReview, and what Jira allows in them. Pure: touches nothing outside."""

from relay.entities.document import details_of
from relay.entities.fields import WorkspaceId
from relay.entities.model import (
    Entity,
    EntityKey,
    EntityState,
    Incident,
    Kind,
    PostIncidentReview,
    Sighting,
    newest,
)
from relay.entities.submission import Submission, Verdict, parse_submission

__all__ = [
    "Entity",
    "EntityKey",
    "EntityState",
    "Incident",
    "Kind",
    "PostIncidentReview",
    "Sighting",
    "Submission",
    "Verdict",
    "WorkspaceId",
    "details_of",
    "newest",
    "parse_submission",
]
