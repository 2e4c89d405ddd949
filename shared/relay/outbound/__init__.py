"""HTTP calls to other hosts: one deadline per call, bounded responses, no cookies."""
