"""One module for each kind of source; the module's name is the kind."""
