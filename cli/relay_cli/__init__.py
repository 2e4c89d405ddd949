"""The `relay` command: Relay's API, and advice on what it reports, from a terminal."""
