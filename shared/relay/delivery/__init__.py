"""Delivering a batch to one site: the decisions, the protocol, the session and the outcomes.

Functions import from the modules directly, so that they load only the code they use.
"""
