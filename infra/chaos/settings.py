"""The size of a run, and the rates of its faults."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """`rounds` is the number of rounds with trouble.

    The rates are shares of invocations, messages and calls to AWS. `patience` is the maximum time
    in seconds that Relay may need to settle afterwards.
    """

    seed: int
    entities: int = 20_000
    sites: int = 5
    workspaces: int = 8
    rounds: int = 100
    workers: int = 5
    kill_rate: float = 0.1
    duplicate_rate: float = 0.08
    aws_error_rate: float = 0.004
    patience: float = 1800.0
