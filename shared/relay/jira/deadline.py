"""How long a call to Jira may take, for code that makes no calls itself."""

# For a whole call, including the one with the fallback identity.
CALL_SECONDS_MAX = 25.0
