"""Incident, PostIncidentReview, and what Jira allows in them. Pure: touches nothing outside."""
