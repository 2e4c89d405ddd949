"""Who is calling: Jira's signed install, a site under Connect or Forge, Forge, an API key.

A function imports what it needs from the modules here, so that it loads no more than that.
"""
