"""The functions in processes of their own, on an emulated AWS and the Jira simulator: what the
benchmarks and the chaos run both stand on."""
