"""Relay: the bridge between an operations tool and the Incidents page of Jira Software Cloud."""

from relay import initialization

# The same as the project's in pyproject.toml, which the functions do not have.
VERSION = "0.2.0"

initialization.begin()
