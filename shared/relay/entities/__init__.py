"""Incident, PostIncidentReview and Jira's limits for them. Pure: no I/O."""
