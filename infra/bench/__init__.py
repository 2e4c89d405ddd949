"""The benchmarks, which compare each figure with another one of the same run."""
