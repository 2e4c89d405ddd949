"""What is thrown at Relay, and how much of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """`rounds` is how long the trouble lasts; the rates are of invocations, messages and calls.

    `patience` bounds the time, in seconds, that the run has to come to rest afterwards.
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
