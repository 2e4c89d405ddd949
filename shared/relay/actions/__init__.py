"""Jira's requests, answered for the verified site only.

Functions import from the modules directly, so that they load only the code they use.
"""
