"""The queues between functions: each message format, how it is sent, and how it is read.

Nothing else in the code knows the shape of a message.
"""
