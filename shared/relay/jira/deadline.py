"""The deadline of a call to Jira. Loading it does not load the HTTP client."""

# In seconds, for a whole call, including the one with the fallback identity.
DEADLINE_SECONDS = 25.0
