"""The chaos run: kills the functions' processes and makes AWS and Jira fail."""
