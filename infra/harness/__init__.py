"""Runs the functions in separate processes, on an emulated AWS and the Jira simulator.

The benchmarks and the chaos run are built on it.
"""
