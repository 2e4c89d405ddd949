"""The client of Jira's `/rest/operations/1.0/*`, and what signs its calls."""

from relay.jira.answers import SubmitAnswer
from relay.jira.canonical_request import query_string_hash
from relay.jira.client import JiraClient, http_client
from relay.jira.credentials import ConnectCredential
from relay.jira.errors import (
    JiraAnswered,
    JiraError,
    JiraUnreachable,
    RequestRefused,
    RequestTooLarge,
)

__all__ = [
    "ConnectCredential",
    "JiraAnswered",
    "JiraClient",
    "JiraError",
    "JiraUnreachable",
    "RequestRefused",
    "RequestTooLarge",
    "SubmitAnswer",
    "http_client",
    "query_string_hash",
]
