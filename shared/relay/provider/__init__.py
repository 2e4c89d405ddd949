"""The operations tool's requests, and the webhooks that Relay sends to it.

Functions import from the modules directly, so that they load only the code they use.
"""
