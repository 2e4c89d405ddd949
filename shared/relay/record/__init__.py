"""The last state of every entity, and what became of it at each site."""
