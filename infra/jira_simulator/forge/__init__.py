"""Atlassian's Forge platform, as an app with a remote sees it.

Forge calls the remote with an invocation token and passes a system token, which Jira's REST APIs
accept. Keys and expensive imports are created for the first Forge app only.
"""
