"""Webhooks of operations tools: verified, read and mapped to Jira's entities; no AWS, no HTTP.

`tools/` has one module for each kind of source, with a `TOOL`. Nothing else names the kinds.
"""
