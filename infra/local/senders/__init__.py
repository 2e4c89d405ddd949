"""Senders that behave like the operations tools whose webhooks Relay takes.

They sign and write as the tools' documents say, and use nothing of `relay.sources`: that would
verify Relay against itself.
"""
