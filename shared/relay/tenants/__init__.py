"""Tenants: installations of the app in Jira sites, their secrets, links, troubles and replays."""
