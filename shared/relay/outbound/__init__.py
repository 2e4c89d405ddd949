"""How Relay calls other hosts: under one deadline, with bounded answers, and without cookies."""
