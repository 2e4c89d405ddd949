"""Replays: delivering what a site is owed, or a workspace's whole record, step by step."""
