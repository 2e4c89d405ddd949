"""The template's functions and stores outside AWS, for tests, benchmarks and the chaos run."""
