"""Replays: what a site is owed, or all of a workspace's record, delivered step by step."""
