"""The template's functions and stores outside AWS: what tests and the chaos run share."""
