"""A Jira Software Cloud to develop against: sites, two REST APIs, lifecycle callbacks.

It is an independent reading of Jira's contract and shares no code with Relay, so that each can be
held against the other. Everything lives in memory.
"""
