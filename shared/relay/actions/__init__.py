"""What Jira asks for, answered for the verified site alone.

A function imports what it needs from the modules here, so that it loads no more than that.
"""
