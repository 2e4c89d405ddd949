"""The operations tool's workspaces, their containers, and their webhooks."""
