"""Authentication: Jira's signed install, a site under Connect or Forge, Forge itself, an API key.

Functions import from the modules directly, so that they load only the code they use.
"""
