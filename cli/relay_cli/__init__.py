"""The `relay` command: Relay's API, and what to do about it, from a terminal."""
