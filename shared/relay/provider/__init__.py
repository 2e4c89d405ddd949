"""What the operations tool asks for, and what it is told.

A function imports what it needs from the modules here, so that it loads no more than that.
"""
