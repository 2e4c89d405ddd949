"""Atlassian's Forge platform, as an app with a remote meets it.

Forge calls the remote with a token of its own making, and hands over the token that Jira's REST
APIs take. Nothing here is loaded or made before a site has a Forge app.
"""
