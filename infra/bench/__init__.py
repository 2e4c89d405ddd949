"""The benchmarks: every figure beside another one, taken in the same run."""
