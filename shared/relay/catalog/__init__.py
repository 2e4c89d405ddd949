"""Workspaces of the operations tool, what they contain, and whom to tell of associations."""
