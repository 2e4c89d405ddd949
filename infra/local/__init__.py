"""The local stack: Relay on an embedded AWS, with the Jira simulator beside it, and the demo."""
