"""A simulated Jira Software Cloud for development: sites, two REST APIs, lifecycle callbacks.

It implements Jira's contract independently and shares no code with Relay, so that tests compare two
readings of the contract. Everything is stored in memory.
"""
