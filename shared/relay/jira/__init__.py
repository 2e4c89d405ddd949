"""The client of Jira's `/rest/operations/1.0/*`, and what signs its calls.

A function imports what it needs from the modules here, so that it loads no more than that.
"""
