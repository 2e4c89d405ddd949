"""The client of Jira's `/rest/operations/1.0/*`, and the credentials that sign its calls.

Functions import from the modules directly, so that they load only the code they use.
"""
