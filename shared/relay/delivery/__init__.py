"""From a message to the record and to every linked site; and what a site is owed, replayed.

A function imports what it needs from the modules here, so that it loads no more than that.
"""
