"""The client of Jira's `/rest/operations/1.0/*`, and what signs its calls."""

from relay.jira.answers import SubmitAnswer
from relay.jira.canonical_request import query_string_hash
from relay.jira.client import JiraClient, Otherwise, http_client
from relay.jira.credentials import BearerCredential, ConnectCredential
from relay.jira.errors import (
    AccessRefused,
    CredentialRefused,
    JiraAnswered,
    JiraError,
    JiraUnreachable,
    NothingThere,
    RateLimit,
    RateLimited,
    RequestRefused,
    RequestTooLarge,
    SiteDown,
    SiteMoved,
    Unreadable,
)

__all__ = [
    "AccessRefused",
    "BearerCredential",
    "ConnectCredential",
    "CredentialRefused",
    "JiraAnswered",
    "JiraClient",
    "JiraError",
    "JiraUnreachable",
    "NothingThere",
    "Otherwise",
    "RateLimit",
    "RateLimited",
    "RequestRefused",
    "RequestTooLarge",
    "SiteDown",
    "SiteMoved",
    "SubmitAnswer",
    "Unreadable",
    "http_client",
    "query_string_hash",
]
