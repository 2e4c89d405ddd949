"""The chaos run: the functions as processes that are killed, on an AWS and a Jira that fail."""
