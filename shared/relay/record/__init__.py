"""The newest state of every entity, its outcome at each site, and what each site is owed."""
