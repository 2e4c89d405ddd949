"""The queues between functions: each module holds a message format, its sender and its parser.

No other code depends on the shape of a message.
"""
