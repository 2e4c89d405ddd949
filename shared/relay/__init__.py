"""Relay: the bridge between an operations tool and the Incidents page of Jira Software Cloud."""

from relay import initialization

initialization.begin()
