"""Who has installed the app: tenants, their secrets, and the workspaces linked to them."""
